//! How events come to a projector: through Kafka or straight from the log, by one port.
//!
//! The port promises at least once, in log order within a partition for first occurrences; it may repeat, restart
//! from an older place or leave a gap. The rule that makes this harmless is the projector's (`praxis_projector::rule`).

use async_trait::async_trait;
use praxis_events::ids::LogId;

use crate::port::StoredEvent;

/// An event as a feed carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedRecord {
    /// The position of the previous event in this partition; the sender may say a later one that is still before this
    /// event (position − 1 after a take-over), never an earlier one.
    pub prev: u64,
    /// The epoch of the log the sender read it from.
    pub epoch: u32,
    /// The log the sender read it from.
    pub log_id: LogId,
    /// The event, bytes as stored.
    pub stored: StoredEvent,
}

/// What a sender says of a partition: nothing that it did not send lies in it between `prev` and `position`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// The position of the last event sent to this partition.
    pub prev: u64,
    /// The last position of the log that was enumerated, whatever partition it belongs to.
    pub position: u64,
    /// The epoch of the log the sender reads.
    pub epoch: u32,
    /// The log the sender reads.
    pub log_id: LogId,
    /// The leaf hash at `position`; zeros at position 0.
    pub leaf_hash: [u8; 32],
}

/// Some of what a partition holds next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedBatch {
    /// The partition.
    pub partition: u32,
    /// Events in the order they were sent.
    pub records: Vec<FeedRecord>,
    /// The last watermark sent after those events, if one has come.
    pub watermark: Option<Watermark>,
}

/// Why a feed does not go on. Split by what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The feed cannot be reached: wait and try again.
    #[error("event feed is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What came is not what the topic's contract promises: stop.
    #[error("event feed holds a record that cannot be read: {0}")]
    Corrupt(&'static str),
}

/// A source of events for one projector.
#[async_trait]
pub trait EventFeed: Send {
    /// Waits for something to come and returns it, at most `events_max` events over all batches, at most one batch per
    /// partition. Dropping the future before it is ready loses nothing.
    ///
    /// # Errors
    /// [`FeedError`].
    async fn next(&mut self, events_max: usize) -> Result<Vec<FeedBatch>, FeedError>;

    /// Says that everything that came so far is durable in the read models, so that the feed may store its own place.
    ///
    /// # Errors
    /// [`FeedError`].
    async fn applied(&mut self) -> Result<(), FeedError>;
}
