//! Is this still the log that this process has been reading and writing?

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use praxis_event_store::port::{Head, StoreError};
use praxis_events::ids::LogId;
use sqlx::mysql::MySqlRow;

use crate::fitness::{judge_durability, no_head};
use crate::rows::{bytes_at, column, head_from};
use crate::session::Statement;

/// The head, the settings that keep what was committed, and two leaf hashes: at a position this process knows the event
/// of, and at the head.
const HEAD: &str = "-- store_mysql::identity::head
SELECT h.log_id, h.epoch, h.position, h.recorded_at, h.tombstone_position,
    CAST(@@GLOBAL.sync_binlog AS SIGNED), CAST(@@GLOBAL.innodb_flush_log_at_trx_commit AS SIGNED),
    (SELECT leaf_hash FROM events WHERE position = ?), (SELECT leaf_hash FROM events WHERE position = h.position)
FROM log_head AS h WHERE h.id = 1";

/// What this process has seen of its log: a restored or foreign database is behind it or differs from it.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    seen: Mutex<Option<Seen>>,
    /// Why the log was refused once: it stays refused, though a restored one may grow past what was seen.
    refused: Mutex<Option<String>>,
    is_lowered: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    log_id: LogId,
    epoch: u32,
    floor: Floor,
}

/// How far the log must reach at least, and what must be in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Floor {
    position: u64,
    /// The highest position of whose event the leaf hash is known, and that hash.
    leaf: Option<(u64, [u8; 32])>,
}

impl Floor {
    /// The statement that asks where the log stands, and whether it holds what this process knows of it.
    pub(crate) fn question(&self) -> Statement<'static> {
        sqlx::query(HEAD).bind(self.leaf.map_or(0, |(position, _)| position))
    }

    fn raise(&mut self, position: u64, leaf_hash: Option<[u8; 32]>) {
        self.position = self.position.max(position);
        let known = self.leaf.map_or(0, |(known, _)| known);
        if let Some(leaf_hash) = leaf_hash
            && position > known
        {
            self.leaf = Some((position, leaf_hash));
        }
        metrics::gauge!("praxis_log_position").set(exactly(self.position));
    }
}

/// As a gauge holds it: exact below 2^53.
fn exactly(position: u64) -> f64 {
    let [high, low] = [position >> 32, position & u64::from(u32::MAX)]
        .map(|half| f64::from(u32::try_from(half).unwrap_or(u32::MAX)));
    high * 4_294_967_296.0 + low
}

impl Identity {
    /// The highest position seen so far. Take it before reading a head, and hand it to [`Self::recognise`].
    pub(crate) fn floor(&self) -> Floor {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.map_or_else(Floor::default, |seen| seen.floor)
    }

    /// What the answer to [`Floor::question`] says, if it is of the same log. A log that was restored to an earlier state,
    /// and has since grown past what this process saw, is told by the event it has where this process knows another.
    pub(crate) fn answer(&self, rows: &[MySqlRow], floor: Floor) -> Result<Head, StoreError> {
        let row = rows.first().ok_or_else(no_head)?;
        let head = head_from(row)?;
        self.check_durable(row, 5)?;
        let is_there = |index| Ok::<_, StoreError>(column::<Option<&[u8]>>(row, index)?.is_some());
        let at_floor = is_there(7)?.then(|| bytes_at(row, 7)).transpose()?;
        let at_head = is_there(8)?.then(|| bytes_at(row, 8)).transpose()?;
        self.recognise_leaves(&head, floor, at_floor, at_head)?;
        Ok(head)
    }

    /// Whether the server keeps what it shows, by `sync_binlog` and `innodb_flush_log_at_trx_commit` in two columns: both
    /// can be changed while it runs. Said once when that turns.
    pub(crate) fn check_durable(&self, row: &MySqlRow, first: usize) -> Result<(), StoreError> {
        let judged = judge_durability(column(row, first)?, column(row, first + 1)?);
        let was_lowered = self.is_lowered.swap(judged.is_err(), Ordering::Relaxed);
        match &judged {
            Err(error) if !was_lowered => {
                tracing::error!(error = %error, "nothing is acknowledged until the server keeps what it shows");
            }
            Ok(()) if was_lowered => tracing::info!("the server keeps what it shows again"),
            Ok(()) | Err(_) => {}
        }
        judged
    }

    fn recognise_leaves(
        &self,
        head: &Head,
        floor: Floor,
        at_floor: Option<[u8; 32]>,
        at_head: Option<[u8; 32]>,
    ) -> Result<(), StoreError> {
        self.recognise(head, floor)?;
        if let Some((position, leaf_hash)) = floor.leaf
            && at_floor != Some(leaf_hash)
        {
            let why = format!(
                "the event at position {position} is not the one this process has seen: the log was restored to an \
                 earlier state"
            );
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            return Err(StoreError::Unfit(refused.get_or_insert(why).clone()));
        }
        self.reached(head.position, at_head);
        Ok(())
    }

    /// Remembers the head, or refuses it if it is not of the same log or lies below `floor`.
    pub(crate) fn recognise(&self, head: &Head, floor: Floor) -> Result<(), StoreError> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.is_none() {
            *refused = self.why_foreign(head, floor.position);
        }
        match refused.as_ref() {
            Some(why) => Err(StoreError::Unfit(why.clone())),
            None => Ok(()),
        }
    }

    fn why_foreign(&self, head: &Head, floor: u64) -> Option<String> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen.get_or_insert(Seen {
            log_id: head.log_id,
            epoch: head.epoch,
            floor: Floor::default(),
        });
        if known.log_id != head.log_id {
            return Some(format!(
                "it holds log {}, this process began with log {}",
                head.log_id, known.log_id
            ));
        }
        if known.epoch != head.epoch {
            let what = if head.epoch > known.epoch {
                "it was restored since, and this process is to be started again"
            } else {
                "it was restored to an earlier state"
            };
            return Some(format!(
                "the log is in epoch {}, this process began in epoch {}: {what}",
                head.epoch, known.epoch
            ));
        }
        if head.position < floor {
            return Some(format!(
                "the log ends at position {}, this process has seen position {floor}: it was restored to an earlier \
                 state",
                head.position
            ));
        }
        known.floor.raise(head.position, None);
        None
    }

    /// Remembers a position that was committed or read here, and the leaf hash of its event where that is known.
    pub(crate) fn reached(&self, position: u64, leaf_hash: Option<[u8; 32]>) {
        if let Some(seen) = self.seen.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            seen.floor.raise(position, leaf_hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use uuid::Uuid;

    use super::*;

    fn head(log: u128, epoch: u32, position: u64) -> Head {
        Head {
            log_id: LogId(Uuid::from_u128(log)),
            epoch,
            position,
            recorded_at: 0,
            tombstone_position: 0,
        }
    }

    fn began_at(position: u64) -> Identity {
        let identity = Identity::default();
        identity
            .recognise(&head(1, 1, position), Floor::default())
            .unwrap();
        identity
    }

    fn refusal(identity: &Identity, head: &Head) -> String {
        identity
            .recognise(head, identity.floor())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_head_at_or_past_the_position_seen_is_recognised() {
        let identity = began_at(5);
        identity.reached(7, None);
        identity.recognise(&head(1, 1, 7), identity.floor()).unwrap();
        identity.recognise(&head(1, 1, 9), identity.floor()).unwrap();
        assert_eq!(identity.floor().position, 9);
    }

    #[test]
    fn the_position_told_is_the_highest_one_known_and_survives_a_refusal() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let told = || recorder.handle().render();
        metrics::with_local_recorder(&recorder, || {
            let identity = began_at(0);
            assert!(told().contains("praxis_log_position 0\n"), "{}", told());
            identity.reached(7, None);
            identity.reached(6, None);
            assert!(told().contains("praxis_log_position 7\n"), "{}", told());
            refusal(&identity, &head(1, 1, 6));
            assert!(told().contains("praxis_log_position 7\n"), "{}", told());
        });
    }

    #[test]
    fn a_position_past_32_bits_is_told_exactly() {
        let told =
            [u64::from(u32::MAX), 1 << 32, (1 << 53) - 1].map(|position| exactly(position).to_string());
        assert_eq!(told, ["4294967295", "4294967296", "9007199254740991"]);
    }

    #[test]
    fn a_head_below_the_position_seen_is_unfit() {
        let identity = began_at(5);
        identity.reached(7, None);
        assert!(refusal(&identity, &head(1, 1, 6)).contains("restored"));
    }

    #[test]
    fn a_log_once_refused_stays_refused_when_it_has_grown() {
        let identity = began_at(7);
        assert!(refusal(&identity, &head(1, 1, 6)).contains("ends at position 6"));
        assert!(refusal(&identity, &head(1, 1, 9)).contains("ends at position 6"));
    }

    #[test]
    fn another_log_or_epoch_is_unfit() {
        assert!(refusal(&began_at(5), &head(2, 1, 5)).contains("holds log"));
        assert!(refusal(&began_at(5), &head(1, 2, 5)).contains("epoch 2"));
    }

    #[test]
    fn a_head_read_before_a_local_commit_is_recognised() {
        let identity = began_at(5);
        let floor = identity.floor();
        identity.reached(6, None);
        identity.recognise(&head(1, 1, 5), floor).unwrap();
    }

    #[test]
    fn a_log_restored_and_grown_past_what_was_seen_is_unfit() {
        let identity = began_at(5);
        identity.reached(7, Some([7; 32]));
        let leaves = |position, at_floor| {
            identity.recognise_leaves(&head(1, 1, position), identity.floor(), at_floor, Some([1; 32]))
        };
        leaves(7, Some([7; 32])).unwrap();
        let refused = leaves(9, Some([9; 32])).unwrap_err().to_string();
        assert!(refused.contains("position 7 is not the one"), "{refused}");
        let stays = leaves(9, Some([7; 32])).unwrap_err().to_string();
        assert_eq!(stays, refused, "its memory is the evidence");
    }

    #[test]
    fn the_event_at_the_head_is_the_one_to_know_next() {
        let identity = began_at(0);
        let read = |position, at_floor, at_head| {
            identity.recognise_leaves(&head(1, 1, position), identity.floor(), at_floor, at_head)
        };
        read(0, None, None).unwrap();
        read(6, None, Some([6; 32])).unwrap();
        assert_eq!(identity.floor().leaf, Some((6, [6; 32])));
        read(8, Some([6; 32]), Some([8; 32])).unwrap();
        // What an earlier answer still says takes nothing back.
        identity.reached(7, Some([7; 32]));
        assert_eq!(identity.floor().leaf, Some((8, [8; 32])));
        read(9, None, Some([9; 32])).unwrap_err();
    }
}
