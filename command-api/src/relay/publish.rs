//! How events get from the log to the broker: in order, each with the position before it, acknowledged before it counts.

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::time::Duration;

use praxis_event_store::bus::{BusContent, BusMessage, LogLife, PublisherFactory};
use praxis_event_store::partition::partition_of;
use praxis_event_store::port::{LogReader, StoredEvent};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use super::tree::Leaf;
use super::{LogMismatch, RETRY_PAUSE, TermEnd, mismatch};

/// How often the head is looked at when no append of this process wakes the relay.
pub(super) const POLL_PERIOD: Duration = Duration::from_millis(20);
/// Events published in one batch.
const BATCH_EVENTS_MAX: u32 = 1_000;
/// How long the relay rests after a batch, for each event that was in it. A batch costs the broker twelve watermarks and
/// as many writes however small it is: under load it is better sent seldom, and a quiet log waits for nothing.
const REST_PER_EVENT: Duration = Duration::from_micros(100);
/// The longest rest.
const REST_MAX: Duration = Duration::from_millis(20);
/// How often an idle leader sends watermarks.
const HEARTBEAT_PERIOD: Duration = Duration::from_secs(1);

/// What the broker has acknowledged.
pub(super) struct Published {
    /// All events up to here.
    pub(super) position: u64,
    /// As of `position`: the last position in each partition; empty when unknown.
    pub(super) partitions: Vec<u64>,
    /// The events of the last batch.
    pub(super) leaves: Vec<Leaf>,
}

/// What publishing works with.
pub(super) struct Publishing<'a> {
    pub(super) reader: &'a dyn LogReader,
    /// `None`: there is nothing to publish to.
    pub(super) publishers: Option<&'a dyn PublisherFactory>,
    pub(super) appended: &'a mut watch::Receiver<u64>,
    /// Told after every batch with events.
    pub(super) published: mpsc::Sender<Published>,
}

impl Publishing<'_> {
    /// Publishes what follows a position. A publisher that failed is discarded, and another begins at what is
    /// acknowledged.
    pub(super) async fn run(
        mut self,
        mut position: u64,
        mut partitions: Vec<u64>,
    ) -> Result<Infallible, TermEnd> {
        let Some(publishers) = self.publishers else {
            return std::future::pending().await;
        };
        loop {
            let Err(end) = self.publish(publishers, &mut position, &mut partitions).await;
            let TermEnd::Publish(error) = end else {
                return Err(end);
            };
            let source = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(position, error = %error, source, "events wait in the log");
            sleep(RETRY_PAUSE).await;
        }
    }

    /// The life of one publisher.
    async fn publish(
        &mut self,
        publishers: &dyn PublisherFactory,
        position: &mut u64,
        partitions: &mut Vec<u64>,
    ) -> Result<Infallible, TermEnd> {
        let publisher = publishers.open().await?;
        let last = publisher.last().await?;
        mismatch::compare(self.reader, &last).await??;
        let leaf_hash = self.leaf_hash_at(*position).await?;
        let mut progress = Progress::resume(*position, partitions, publisher.partitions(), leaf_hash);
        let mut sent_at = None::<Instant>;
        loop {
            self.appended.mark_unchanged();
            let head = self.reader.head().await?;
            if head.position < progress.position {
                return Err(LogMismatch::beyond_head(progress.position, head.position).into());
            }
            let events = if head.position > progress.position {
                self.reader.read_log(progress.position, BATCH_EVENTS_MAX).await?
            } else {
                Vec::new()
            };
            let leaves: Vec<Leaf> = events.iter().map(leaf).collect();
            if !leaves.is_empty() || sent_at.is_none_or(|at| at.elapsed() >= HEARTBEAT_PERIOD) {
                let life = LogLife {
                    log_id: head.log_id,
                    epoch: head.epoch,
                };
                publisher.publish(progress.enumerate(life, events)?).await?;
                sent_at = Some(Instant::now());
            }
            let sent = u32::try_from(leaves.len()).unwrap_or(u32::MAX);
            if leaves.is_empty() {
                self.wait().await;
            } else {
                (*position, *partitions) = (progress.position, progress.known_partitions());
                let published = Published {
                    position: *position,
                    partitions: partitions.clone(),
                    leaves,
                };
                if self.published.send(published).await.is_err() {
                    // Whoever saved it has ended, and with it the term.
                    return std::future::pending().await;
                }
                if sent < BATCH_EVENTS_MAX {
                    sleep(REST_PER_EVENT.saturating_mul(sent).min(REST_MAX)).await;
                }
            }
        }
    }

    async fn leaf_hash_at(&self, position: u64) -> Result<[u8; 32], TermEnd> {
        if position == 0 {
            return Ok([0; 32]);
        }
        let events = self.reader.read_log(position - 1, 1).await?;
        if let Some(last) = events.first().filter(|event| event.position == position) {
            return Ok(last.leaf_hash);
        }
        let head = self.reader.head().await?.position;
        Err(LogMismatch::beyond_head(position, head).into())
    }

    /// Woken by this process's own appends; others' are found by looking.
    async fn wait(&mut self) {
        if let Ok(Err(_)) = timeout(POLL_PERIOD, self.appended.changed()).await {
            // Nobody in this process appends any more, and a closed channel would be ready for ever.
            sleep(POLL_PERIOD).await;
        }
    }
}

const fn leaf(event: &StoredEvent) -> Leaf {
    Leaf {
        position: event.position,
        leaf_hash: event.leaf_hash,
    }
}

/// How far a publisher has come, and what follows from the events it is given.
struct Progress {
    position: u64,
    /// The last position in each partition; `None` when unknown: then the position before the event is said.
    partitions: Vec<Option<u64>>,
    /// The leaf hash at the position reached.
    leaf_hash: [u8; 32],
}

impl Progress {
    fn resume(position: u64, partitions: &[u64], partition_count: u32, leaf_hash: [u8; 32]) -> Self {
        let count = usize::try_from(partition_count).unwrap_or(usize::MAX);
        let partitions = if position == 0 {
            vec![Some(0); count]
        } else if partitions.len() == count {
            partitions.iter().copied().map(Some).collect()
        } else {
            vec![None; count]
        };
        Self {
            position,
            partitions,
            leaf_hash,
        }
    }

    /// The messages for these events, and a watermark for each partition after them.
    fn enumerate(&mut self, life: LogLife, events: Vec<StoredEvent>) -> Result<Vec<BusMessage>, TermEnd> {
        let count = u32::try_from(self.partitions.len()).unwrap_or(u32::MAX);
        let count = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let mut messages = Vec::with_capacity(events.len() + self.partitions.len());
        for event in events {
            if event.position != self.position + 1 {
                return Err(TermEnd::Frontier("the log has a gap"));
            }
            self.position = event.position;
            self.leaf_hash = event.leaf_hash;
            let partition = partition_of(event.stream_id, count);
            let last = usize::try_from(partition)
                .ok()
                .and_then(|index| self.partitions.get_mut(index));
            let prev = last
                .and_then(|last| last.replace(event.position))
                .unwrap_or(event.position - 1);
            messages.push(BusMessage {
                partition,
                life,
                prev,
                content: BusContent::Event(Box::new(event)),
            });
        }
        for (partition, last) in (0..count.get()).zip(&self.partitions) {
            let content = BusContent::Watermark {
                position: self.position,
                leaf_hash: self.leaf_hash,
            };
            messages.push(BusMessage {
                partition,
                life,
                prev: last.unwrap_or(self.position),
                content,
            });
        }
        Ok(messages)
    }

    /// The last position in each partition; empty unless all are known.
    fn known_partitions(&self) -> Vec<u64> {
        let known: Option<Vec<u64>> = self.partitions.iter().copied().collect();
        known.unwrap_or_default()
    }
}
