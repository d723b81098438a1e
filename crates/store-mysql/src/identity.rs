//! Is this still the log that this process has been reading and writing?

use std::sync::{Mutex, PoisonError};

use praxis_event_store::port::{Head, StoreError};
use praxis_events::ids::LogId;

/// What this process has seen of its log: a restored or foreign database is behind it or differs from it.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    seen: Mutex<Option<Seen>>,
    /// Why the log was refused once: it stays refused, though a restored one may grow past what was seen.
    refused: Mutex<Option<String>>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    log_id: LogId,
    epoch: u32,
    position: u64,
}

impl Identity {
    /// The highest position seen so far. Take it before reading a head, and hand it to [`Self::recognise`].
    pub(crate) fn floor(&self) -> u64 {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .map_or(0, |seen| seen.position)
    }

    /// Remembers the head, or refuses it if it is not of the same log or lies below `floor`.
    pub(crate) fn recognise(&self, head: &Head, floor: u64) -> Result<(), StoreError> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.is_none() {
            *refused = self.why_foreign(head, floor);
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
            position: head.position,
        });
        if known.log_id != head.log_id {
            return Some(format!(
                "it holds log {}, this process began with log {}",
                head.log_id, known.log_id
            ));
        }
        if known.epoch != head.epoch {
            return Some(format!(
                "the log is in epoch {}, this process began in epoch {}: restart it",
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
        known.position = known.position.max(head.position);
        None
    }

    /// Remembers a position that was committed here.
    pub(crate) fn reached(&self, position: u64) {
        if let Some(seen) = self.seen.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            seen.position = seen.position.max(position);
        }
    }
}

#[cfg(test)]
mod tests {
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
        identity.recognise(&head(1, 1, position), 0).unwrap();
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
        identity.reached(7);
        identity.recognise(&head(1, 1, 7), identity.floor()).unwrap();
        identity.recognise(&head(1, 1, 9), identity.floor()).unwrap();
        assert_eq!(identity.floor(), 9);
    }

    #[test]
    fn a_head_below_the_position_seen_is_unfit() {
        let identity = began_at(5);
        identity.reached(7);
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
        identity.reached(6);
        identity.recognise(&head(1, 1, 5), floor).unwrap();
    }
}
