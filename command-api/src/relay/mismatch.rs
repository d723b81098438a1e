//! Is the log the one that was published? What the topic ends with says so: it is out of the database's reach.

use praxis_event_store::bus::{BusContent, BusMessage};
use praxis_event_store::port::{LogReader, StoreError};
use praxis_events::ids::LogId;

/// What was published is not in the log: the database was restored to an earlier state, or is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogMismatch {
    /// Events were published that the log does not have.
    #[error(
        "events up to position {published} were published, and the log ends at {head}: it was restored to an earlier state"
    )]
    BeyondHead {
        /// The last position known to be published.
        published: u64,
        /// Where the log ends.
        head: u64,
    },
    /// Another event was published under a position.
    #[error(
        "another event was published at position {0} than the log holds: it was restored to an earlier state"
    )]
    OtherEvent(u64),
    /// A later life of the log was published.
    #[error(
        "events of epoch {published} were published, and the log is in epoch {known}: it was restored to an earlier state"
    )]
    LaterEpoch {
        /// The epoch published.
        published: u32,
        /// The log's.
        known: u32,
    },
    /// The topic is another log's.
    #[error(
        "the topic has events of log {published}, and this is log {known}: give each log a topic of its own"
    )]
    OtherLog {
        /// The log published.
        published: LogId,
        /// This one.
        known: LogId,
    },
}

impl LogMismatch {
    pub(super) const fn beyond_head(published: u64, head: u64) -> Self {
        Self::BeyondHead { published, head }
    }
}

/// Compares the log with the messages that a topic ends with. What an earlier epoch told has no meaning any more.
pub(super) async fn compare(
    reader: &dyn LogReader,
    last: &[BusMessage],
) -> Result<Result<(), LogMismatch>, StoreError> {
    // Asked after the topic was read, and so at or after all that was published.
    let head = reader.head().await?;
    let mut newest: Option<&BusMessage> = None;
    for message in last {
        let life = message.life;
        if life.log_id != head.log_id {
            return Ok(Err(LogMismatch::OtherLog {
                published: life.log_id,
                known: head.log_id,
            }));
        }
        if life.epoch > head.epoch {
            return Ok(Err(LogMismatch::LaterEpoch {
                published: life.epoch,
                known: head.epoch,
            }));
        }
        if life.epoch == head.epoch && newest.is_none_or(|newest| newest.position() < message.position()) {
            newest = Some(message);
        }
    }
    let Some(newest) = newest.filter(|newest| newest.position() > 0) else {
        return Ok(Ok(()));
    };
    let position = newest.position();
    if position > head.position {
        return Ok(Err(LogMismatch::beyond_head(position, head.position)));
    }
    let leaf_hash = match &newest.content {
        BusContent::Event(event) => event.leaf_hash,
        BusContent::Watermark { leaf_hash, .. } => *leaf_hash,
    };
    let events = reader.read_log(position - 1, 1).await?;
    let is_same = events.first().is_some_and(|event| event.leaf_hash == leaf_hash);
    Ok(if is_same {
        Ok(())
    } else {
        Err(LogMismatch::OtherEvent(position))
    })
}
