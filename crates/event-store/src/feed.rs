//! How events come to a projector: through the broker or straight from the log, by one port.
//!
//! The port promises at least once, and log order within a partition for first occurrences; it may repeat, restart
//! from an older place, or leave a gap. The rule that makes all this harmless is the projector's.

use async_trait::async_trait;

use crate::bus::BusMessage;

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
    /// Waits for something to come and returns it: at most `messages_max` messages, of any partitions, those of one
    /// partition in the order they were sent. Dropping the future before it is ready loses nothing.
    ///
    /// # Errors
    /// [`FeedError`].
    async fn next(&mut self, messages_max: usize) -> Result<Vec<BusMessage>, FeedError>;

    /// Says that everything that came so far is durable in the read models, or will be read from the log instead, so
    /// that the feed may store its own place. Losing that place does no harm.
    ///
    /// # Errors
    /// [`FeedError`].
    async fn applied(&mut self) -> Result<(), FeedError>;

    /// Gives the feed up, so that others can take its partitions over at once. Bounded in time.
    async fn close(self: Box<Self>) {}
}
