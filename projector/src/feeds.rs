//! Which feed fills a generation: the topic if it is made for it, and the log for as long as the topic cannot be had.
//!
//! The log has every event the topic has. So rows are filled from it while the broker is away, and those of another
//! number of partitions than the topic's for good: nothing is passed over, and reads go on.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use praxis_event_store::bus::BusMessage;
use praxis_event_store::feed::{EventFeed, FeedError};
use praxis_event_store::port::LogReader;
use praxis_read_models::registry::Generation;
use tokio::time::{Instant, sleep, sleep_until};

use crate::generations::Feeds;
use crate::head_feed::HeadFeed;

/// How long the topic may take before the log is asked. Other projectors may be filling the same rows from the topic,
/// and would have their batches superseded.
const HEAD_START: Duration = Duration::from_secs(5);
/// The pause before a topic that could not be had is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Feeds of one topic, and the log in its place.
pub struct TopicFeeds {
    /// The topic's.
    pub topic: Arc<dyn Feeds>,
    /// How many partitions it has.
    pub partitions: NonZeroU32,
    /// The log.
    pub reader: Arc<dyn LogReader>,
}

#[async_trait]
impl Feeds for TopicFeeds {
    /// Always at once; the topic is waited for by the feed.
    async fn open(&self, generation: &Generation, after: u64) -> Result<Box<dyn EventFeed>, FeedError> {
        let log = HeadFeed::new(Arc::clone(&self.reader), generation.partitions);
        if generation.partitions != self.partitions {
            tracing::warn!(
                generation = generation.number,
                partitions = generation.partitions,
                partitions_of_topic = self.partitions,
                "read models were made for another number of partitions; they are filled from the log"
            );
            return Ok(Box::new(log));
        }
        Ok(Box::new(LateFeed {
            opening: Some(Box::pin(open(Arc::clone(&self.topic), *generation, after))),
            topic: None,
            log,
            log_from: Instant::now() + HEAD_START,
        }))
    }
}

/// Opens the topic's feed, however long it takes.
async fn open(
    topic: Arc<dyn Feeds>,
    generation: Generation,
    after: u64,
) -> Result<Box<dyn EventFeed>, FeedError> {
    loop {
        match topic.open(&generation, after).await {
            Err(FeedError::Unavailable(error)) => {
                let source = error.source().map(ToString::to_string);
                tracing::warn!(
                    generation = generation.number, error = %error, source,
                    "the topic cannot be had; read models are filled from the log"
                );
                sleep(RETRY_PAUSE).await;
            }
            opened => return opened,
        }
    }
}

/// The topic's feed once it is open, and the end of the log before.
struct LateFeed {
    /// Kept between calls, so that giving one up loses nothing.
    opening: Option<BoxFuture<'static, Result<Box<dyn EventFeed>, FeedError>>>,
    topic: Option<Box<dyn EventFeed>>,
    log: HeadFeed,
    log_from: Instant,
}

#[async_trait]
impl EventFeed for LateFeed {
    async fn next(&mut self, messages_max: usize) -> Result<Vec<BusMessage>, FeedError> {
        if let Some(opening) = &mut self.opening {
            let log = async {
                sleep_until(self.log_from).await;
                self.log.next(messages_max).await
            };
            tokio::select! {
                biased;
                opened = opening => {
                    self.opening = None;
                    self.topic = Some(opened?);
                }
                said = log => return said,
            }
        }
        match &mut self.topic {
            Some(topic) => topic.next(messages_max).await,
            // It opened as something that cannot be used, as was said.
            None => self.log.next(messages_max).await,
        }
    }

    async fn applied(&mut self) -> Result<(), FeedError> {
        match &mut self.topic {
            Some(topic) => topic.applied().await,
            None => Ok(()),
        }
    }

    async fn close(self: Box<Self>) {
        if let Some(topic) = self.topic {
            topic.close().await;
        }
    }
}
