//! How events come to a projector where there is no broker: it tails the log itself, as one partition.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use praxis_event_store::bus::{BusContent, BusMessage, LogLife};
use praxis_event_store::feed::{EventFeed, FeedError};
use praxis_event_store::port::{LogReader, StoreError, StoredEvent};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::project::BEHIND_EVENTS_MAX;

/// How often the log is looked at when nobody says that something was appended.
const POLL_PERIOD: Duration = Duration::from_millis(20);
/// How often it is looked at all the same, should a word have been missed.
const RECHECK_PERIOD: Duration = Duration::from_secs(1);

/// The log as an [`EventFeed`] of one partition, 0.
pub struct LogFeed {
    reader: Arc<dyn LogReader>,
    appended: Option<watch::Receiver<u64>>,
    life: LogLife,
    after: u64,
}

impl LogFeed {
    /// The log after a position. `appended`, where this process appends, is the head as its sequencer tells it.
    ///
    /// # Errors
    /// [`StoreError`] when the log does not answer.
    pub async fn open(
        reader: Arc<dyn LogReader>,
        appended: Option<watch::Receiver<u64>>,
        after: u64,
    ) -> Result<Self, StoreError> {
        let head = reader.head().await?;
        let life = LogLife {
            log_id: head.log_id,
            epoch: head.epoch,
        };
        Ok(Self {
            reader,
            appended,
            life,
            after,
        })
    }

    async fn wait(&mut self) {
        let told = match &mut self.appended {
            Some(appended) => timeout(RECHECK_PERIOD, appended.changed())
                .await
                .is_ok_and(|changed| changed.is_ok()),
            None => false,
        };
        if !told {
            sleep(POLL_PERIOD).await;
        }
    }

    /// Instead of events, where the log ends, if that is far: the gap is filled faster than events are handed over.
    async fn far_end(&self) -> Result<Option<BusMessage>, StoreError> {
        let end = self.reader.head().await?.position;
        if end.saturating_sub(self.after) <= BEHIND_EVENTS_MAX {
            return Ok(None);
        }
        let last = self.reader.read_log(end - 1, 1).await?;
        Ok(last.first().map(|last| BusMessage {
            partition: 0,
            life: self.life,
            prev: last.position,
            content: BusContent::Watermark {
                position: last.position,
                leaf_hash: last.leaf_hash,
            },
        }))
    }

    fn message(&self, event: StoredEvent) -> BusMessage {
        BusMessage {
            partition: 0,
            life: self.life,
            prev: event.position - 1,
            content: BusContent::Event(Box::new(event)),
        }
    }
}

#[async_trait]
impl EventFeed for LogFeed {
    async fn next(&mut self, messages_max: usize) -> Result<Vec<BusMessage>, FeedError> {
        let limit = u32::try_from(messages_max).unwrap_or(u32::MAX);
        loop {
            if let Some(appended) = &mut self.appended {
                appended.mark_unchanged();
            }
            let events = self
                .reader
                .read_log(self.after, limit)
                .await
                .map_err(feed_error)?;
            if events.len() >= messages_max
                && let Some(end) = self.far_end().await.map_err(feed_error)?
            {
                self.after = end.position();
                return Ok(vec![end]);
            }
            if let Some(last) = events.last() {
                self.after = last.position;
                return Ok(events.into_iter().map(|event| self.message(event)).collect());
            }
            self.wait().await;
        }
    }

    /// The checkpoint in the read models is the only place kept.
    async fn applied(&mut self) -> Result<(), FeedError> {
        Ok(())
    }
}

pub(crate) fn feed_error(error: StoreError) -> FeedError {
    match error {
        StoreError::Corrupt(what) => FeedError::Corrupt(what),
        StoreError::Unavailable(_) | StoreError::Busy | StoreError::Unfit(_) | StoreError::Refused(_) => {
            FeedError::Unavailable(Box::new(error))
        }
    }
}
