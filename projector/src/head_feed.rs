//! How are rows of many partitions filled without a broker? The feed says how far the log reaches, and brings nothing.
//!
//! What it says leaves a gap in every partition, and gaps are filled from the log by one scan for all of them.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use praxis_event_store::bus::{BusContent, BusMessage, LogLife};
use praxis_event_store::feed::{EventFeed, FeedError};
use praxis_event_store::port::LogReader;
use tokio::time::sleep;

use crate::log_feed::feed_error;

/// How often the log is asked where it ends.
const POLL_PERIOD: Duration = Duration::from_millis(20);

/// The end of the log, again and again, as an [`EventFeed`] of as many partitions as are wanted.
pub struct HeadFeed {
    reader: Arc<dyn LogReader>,
    partitions: NonZeroU32,
    said: u64,
}

impl HeadFeed {
    /// A feed for rows of so many partitions.
    pub const fn new(reader: Arc<dyn LogReader>, partitions: NonZeroU32) -> Self {
        Self {
            reader,
            partitions,
            said: 0,
        }
    }

    fn messages(&self, life: LogLife, position: u64, leaf_hash: [u8; 32]) -> Vec<BusMessage> {
        let message = |partition| BusMessage {
            partition,
            life,
            prev: position,
            content: BusContent::Watermark { position, leaf_hash },
        };
        (0..self.partitions.get()).map(message).collect()
    }
}

#[async_trait]
impl EventFeed for HeadFeed {
    async fn next(&mut self, _: usize) -> Result<Vec<BusMessage>, FeedError> {
        loop {
            if self.said > 0 {
                // First of all: while a gap is filled, this is asked and given up before every slice.
                sleep(POLL_PERIOD).await;
            }
            let head = self.reader.head().await.map_err(feed_error)?;
            if head.position > self.said {
                let last = self
                    .reader
                    .read_log(head.position - 1, 1)
                    .await
                    .map_err(feed_error)?;
                if let Some(last) = last.first() {
                    self.said = last.position;
                    let life = LogLife {
                        log_id: head.log_id,
                        epoch: head.epoch,
                    };
                    return Ok(self.messages(life, last.position, last.leaf_hash));
                }
            }
            sleep(POLL_PERIOD).await;
        }
    }

    async fn applied(&mut self) -> Result<(), FeedError> {
        Ok(())
    }
}
