//! How does a log begin another life after it was restored to an earlier state?
//!
//! Which order, and what befalls whoever remembers the former life: docs/adr/0024-restoring-a-log.md.

use async_trait::async_trait;

use crate::port::{Head, StoreError};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// What another life begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLife {
    /// The head as it was when the log was found sound. Should it have moved since, nothing happens.
    pub verified: Head,
    /// The Merkle frontier of the events up to it, serialised.
    pub frontier: Vec<u8>,
    /// An epoch that is known to have been used.
    pub above_epoch: u32,
    /// Numbers of every counter that are passed over, as the former life has given some that the log knows nothing of.
    pub numbers_skipped: u32,
}

/// Why another life did not begin. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BeginLifeError {
    /// Somebody writes to the log.
    #[error(
        "the log was at position {verified} when it was verified and is at position {found}: something writes to it"
    )]
    Moved {
        /// The position verified.
        verified: u64,
        /// The position found.
        found: u64,
    },
    /// Somebody leads the relay, or did within the last seconds.
    #[error("a command-api holds the relay's lease: something serves from this log")]
    Led,
    /// The store did not answer, or cannot do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A log that can be made serviceable after it was restored.
#[async_trait]
pub trait RestoredLog: Send + Sync {
    /// In one transaction that holds the head: the epoch rises to [`next_epoch`], the relay's row gives up leader and
    /// lease, rises in term and gets that frontier, and counters move on. Answers the head as it is then. Where several
    /// processes may write, those that know the former epoch write nothing more: they see another under the head lock.
    ///
    /// # Errors
    /// [`BeginLifeError`]. Repeated, it begins yet another life, which does no harm.
    async fn begin_life(&self, life: &NewLife) -> Result<Head, BeginLifeError>;
}

/// The epoch of a life that begins now: the second it begins in, or the one after what was used, if that is later; `None`
/// when there is none.
///
/// A count would not do. A backup does not know of the restores since it was made: restored a second time it would rise
/// to the number that the life between had, and that life's events are still in Kafka.
pub fn next_epoch(head: &Head, above_epoch: u32, now_micros: i64) -> Option<u32> {
    let after = head.epoch.max(above_epoch).checked_add(1)?;
    let seconds = u32::try_from(now_micros.div_euclid(MICROS_PER_SECOND)).unwrap_or(0);
    Some(after.max(seconds))
}

/// The same as an error of the store.
///
/// # Errors
/// [`StoreError::Refused`] when there is none.
pub fn require_next_epoch(head: &Head, above_epoch: u32, now_micros: i64) -> Result<u32, StoreError> {
    next_epoch(head, above_epoch, now_micros).ok_or_else(|| StoreError::Refused("no epoch is left".into()))
}

#[cfg(test)]
mod tests {
    use praxis_events::ids::LogId;
    use uuid::Uuid;

    use super::*;

    fn head(epoch: u32) -> Head {
        Head {
            log_id: LogId(Uuid::nil()),
            epoch,
            position: 7,
            recorded_at: 0,
            tombstone_position: 0,
        }
    }

    #[test]
    fn the_epoch_is_the_second_it_begins_in() {
        assert_eq!(
            next_epoch(&head(1), 1, 1_790_000_000_999_999),
            Some(1_790_000_000)
        );
    }

    #[test]
    fn one_backup_restored_twice_gets_two_epochs() {
        let first = next_epoch(&head(1), 0, 1_790_000_000_000_000);
        let second = next_epoch(&head(1), 0, 1_790_000_001_000_000);
        assert!(first < second);
    }

    #[test]
    fn the_epoch_rises_also_when_the_clock_is_wrong() {
        assert_eq!(next_epoch(&head(1_790_000_000), 0, -5), Some(1_790_000_001));
        assert_eq!(next_epoch(&head(1), 1_790_000_005, 0), Some(1_790_000_006));
        assert_eq!(next_epoch(&head(1), 1, i64::MAX), Some(2), "after the year 2106");
        assert_eq!(next_epoch(&head(u32::MAX), 1, 0), None);
    }
}
