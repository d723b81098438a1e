//! What goes from the log to the broker and comes back: events and watermarks, each with the position before it.
//!
//! A consumer that is at `prev` or later, and not yet at `position`, may take the message as it comes. Otherwise
//! something lies between, or it had it already; either way duplicates, late batches and losses do no harm.

use async_trait::async_trait;
use praxis_events::ids::LogId;

use crate::port::StoredEvent;

/// Which log, and which life of it, a message speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLife {
    /// The log.
    pub log_id: LogId,
    /// Its epoch.
    pub epoch: u32,
}

/// One message of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusMessage {
    /// The partition.
    pub partition: u32,
    /// The log it speaks of.
    pub life: LogLife,
    /// The position of the event before this in the partition, a function of the log alone; 0 if there is none.
    pub prev: u64,
    /// What it says.
    pub content: BusContent,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusContent {
    /// An event. Boxed: a watermark is small.
    Event(Box<StoredEvent>),
    /// Every event of this partition up to `position` has been sent.
    Watermark {
        /// The last position enumerated.
        position: u64,
        /// The leaf hash there; zeros at position 0.
        leaf_hash: [u8; 32],
    },
}

impl BusMessage {
    /// The position this message brings its partition to.
    pub fn position(&self) -> u64 {
        match &self.content {
            BusContent::Event(event) => event.position,
            BusContent::Watermark { position, .. } => *position,
        }
    }
}

/// Why messages were not acknowledged; the publisher is of no more use and is discarded.
#[derive(Debug, thiserror::Error)]
#[error("messages were not acknowledged by the broker")]
pub struct PublishError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// An idempotent producer of one topic.
#[async_trait]
pub trait EventPublisher: Send + Sync {
    /// How many partitions the topic has.
    fn partitions(&self) -> u32;

    /// Sends messages in order, and returns when all of them are acknowledged by all in-sync replicas.
    ///
    /// # Errors
    /// [`PublishError`] if any was not; some may have arrived.
    async fn publish(&self, messages: Vec<BusMessage>) -> Result<(), PublishError>;

    /// What each partition ends with: its last messages, whoever sent them, in no order. The topic is out of the
    /// database's reach, so it knows what a log told before it was restored to an earlier state.
    ///
    /// # Errors
    /// [`PublishError`] if the broker does not answer.
    async fn last(&self) -> Result<Vec<BusMessage>, PublishError>;
}

/// Makes publishers: one for each term, another after each failure.
#[async_trait]
pub trait PublisherFactory: Send + Sync {
    /// A new producer; makes sure the topic is there.
    ///
    /// # Errors
    /// [`PublishError`] while the broker cannot be reached.
    async fn open(&self) -> Result<Box<dyn EventPublisher>, PublishError>;
}
