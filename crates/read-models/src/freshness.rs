//! Whether reads are at least as new as a write that the caller knows of, and waiting until they are, within a bound.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use crate::reads::Reads;
use crate::views::{Checkpoint, ViewsError};

/// How often checkpoints are looked at when no projector of this process says that they moved.
const POLL_PERIOD: Duration = Duration::from_millis(10);

/// A place in the life of a log, as a write answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPlace {
    /// The epoch of the log when the event was written.
    pub epoch: u32,
    /// The event's position.
    pub position: u64,
}

/// How new reads are, compared with a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Every partition has reached the place.
    Fresh,
    /// Some partition has not; the lowest position of all.
    Behind {
        /// Every event at or before it is in the rows.
        position: u64,
    },
    /// The log was restored since: what was written at the place may never be seen.
    OtherEpoch,
}

/// Compares checkpoints with a place. No checkpoints are behind everything.
pub fn freshness(checkpoints: &[Checkpoint], wanted: LogPlace) -> Freshness {
    if checkpoints.iter().any(|known| known.epoch > wanted.epoch) {
        return Freshness::OtherEpoch;
    }
    let reached = checkpoints
        .iter()
        .map(|known| {
            if known.epoch < wanted.epoch {
                0
            } else {
                known.position
            }
        })
        .min()
        .unwrap_or(0);
    if reached >= wanted.position {
        Freshness::Fresh
    } else {
        Freshness::Behind { position: reached }
    }
}

/// Waits until every partition has reached a place, at most for `wait_max`. `moved`, where a projector of this process
/// gives one, is looked at instead of the clock.
///
/// # Errors
/// [`ViewsError`] when the checkpoints cannot be read.
pub async fn wait_until_fresh(
    reads: &dyn Reads,
    wanted: LogPlace,
    mut moved: Option<watch::Receiver<u64>>,
    wait_max: Duration,
) -> Result<Freshness, ViewsError> {
    let deadline = Instant::now() + wait_max;
    loop {
        if let Some(moved) = &mut moved {
            moved.mark_unchanged();
        }
        let found = freshness(&reads.checkpoints().await?, wanted);
        let Freshness::Behind { .. } = found else {
            return Ok(found);
        };
        let woken = async {
            let told = match &mut moved {
                Some(moved) => moved.changed().await.is_ok(),
                None => false,
            };
            if !told {
                sleep(POLL_PERIOD).await;
            }
        };
        if timeout_at(deadline, woken).await.is_err() {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use praxis_events::ids::LogId;
    use uuid::Uuid;

    use super::*;

    fn at(partition: u32, epoch: u32, position: u64) -> Checkpoint {
        Checkpoint {
            partition,
            position,
            epoch,
            log_id: LogId(Uuid::nil()),
            leaf_hash: [0; 32],
        }
    }

    const WANTED: LogPlace = LogPlace {
        epoch: 2,
        position: 10,
    };

    #[test]
    fn reads_are_as_new_as_the_slowest_partition() {
        assert_eq!(
            freshness(&[at(0, 2, 11), at(1, 2, 9)], WANTED),
            Freshness::Behind { position: 9 }
        );
        assert_eq!(freshness(&[at(0, 2, 11), at(1, 2, 10)], WANTED), Freshness::Fresh);
    }

    #[test]
    fn no_checkpoints_are_behind_all_but_the_empty_log() {
        assert_eq!(freshness(&[], WANTED), Freshness::Behind { position: 0 });
        assert_eq!(
            freshness(
                &[],
                LogPlace {
                    epoch: 1,
                    position: 0
                }
            ),
            Freshness::Fresh
        );
    }

    #[test]
    fn positions_of_another_life_of_the_log_are_not_compared() {
        assert_eq!(freshness(&[at(0, 3, 50)], WANTED), Freshness::OtherEpoch);
        assert_eq!(
            freshness(&[at(0, 1, 50)], WANTED),
            Freshness::Behind { position: 0 }
        );
    }
}
