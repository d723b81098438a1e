//! How the log reaches the broker: one replica leads by a lease, tails the log by position, publishes, and keeps the
//! Merkle frontier.
//!
//! The log is the truth and the broker catches up: nothing here is waited for by a command. A late leader cannot be
//! fenced off the broker, so every message names the position before it and consumers are indifferent to duplicates.

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use praxis_event_store::bus::{BusContent, BusMessage, LogLife, PublishError, PublisherFactory};
use praxis_event_store::partition::partition_of;
use praxis_event_store::port::{LogReader, RelayState, RelayStore, StoreError, StoredEvent};
use praxis_event_store::record::frontier::Frontier;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

mod mismatch;

pub use mismatch::LogMismatch;

/// How long a lease lasts without renewal.
const LEASE_TTL_MS: u32 = 5_000;
/// How often it is renewed, and how often a standby asks for it.
const LEASE_PERIOD: Duration = Duration::from_secs(1);
/// How often the head is looked at when no append of this process wakes the relay.
const POLL_PERIOD: Duration = Duration::from_millis(20);
/// Events published in one batch.
const BATCH_EVENTS_MAX: u32 = 1_000;
/// The pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// How often an idle leader sends watermarks.
const HEARTBEAT_PERIOD: Duration = Duration::from_secs(1);
/// How often the size and root of the tree are written to the log output.
const ROOT_PERIOD: Duration = Duration::from_mins(1);

/// What a relay is made of.
pub struct Relay {
    /// The log.
    pub reader: Arc<dyn LogReader>,
    /// The lease and progress row.
    pub store: Arc<dyn RelayStore>,
    /// The broker; `None` in the tier that has none, where only the frontier is kept.
    pub publishers: Option<Arc<dyn PublisherFactory>>,
    /// Wakes the relay when this process has appended.
    pub appended: watch::Receiver<u64>,
    /// This process.
    pub holder: Uuid,
}

/// Why a term of leadership ended.
#[derive(Debug, thiserror::Error)]
enum TermEnd {
    #[error("another replica leads")]
    Superseded,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error("stored frontier does not fit the log: {0}")]
    Frontier(&'static str),
    #[error(transparent)]
    Mismatch(#[from] LogMismatch),
}

impl Relay {
    /// Leads whenever it may, until `stop` resolves; then gives the lease back.
    ///
    /// # Errors
    /// [`LogMismatch`] when publishing on would give positions a second meaning: someone has to decide.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send) -> Result<(), LogMismatch> {
        let mut stop = std::pin::pin!(stop);
        let ended = loop {
            tokio::select! {
                biased;
                () = &mut stop => break Ok(()),
                stood = self.stand_or_lead() => if let Err(mismatch) = stood {
                    break Err(mismatch);
                }
            }
        };
        if let Err(error) = self.store.release(self.holder).await {
            tracing::debug!(error = %error, "relay lease not released; it lapses by itself");
        }
        ended
    }

    async fn stand_or_lead(&mut self) -> Result<(), LogMismatch> {
        match self.store.lease(self.holder, LEASE_TTL_MS).await {
            Ok(Some(state)) => {
                let (term, position) = (state.term, state.position);
                tracing::info!(term, position, "relay leads");
                metrics::gauge!("praxis_relay_leader").set(1.0);
                let ended = self.lead(state).await;
                metrics::gauge!("praxis_relay_leader").set(0.0);
                if let Err(end) = ended {
                    if let TermEnd::Mismatch(mismatch) = end {
                        return Err(mismatch);
                    }
                    tracing::warn!(term, end = %end, source = ?std::error::Error::source(&end), "relay's term ended");
                }
                sleep(RETRY_PAUSE).await;
            }
            Ok(None) => sleep(LEASE_PERIOD).await,
            Err(error) => {
                tracing::warn!(error = %error, "relay cannot ask for the lease");
                sleep(LEASE_PERIOD).await;
            }
        }
        Ok(())
    }

    /// One term: until the lease is lost, the store or the broker fails.
    async fn lead(&mut self, state: RelayState) -> Result<(), TermEnd> {
        let publisher = match &self.publishers {
            Some(factory) => Some(factory.open().await?),
            None => None,
        };
        if let Some(publisher) = &publisher {
            let last = publisher.last().await?;
            mismatch::compare(self.reader.as_ref(), &last).await??;
        }
        let leaf_hash = self.leaf_hash_at(state.position).await?;
        let count = publisher.as_ref().map_or(0, |publisher| publisher.partitions());
        let mut progress = Progress::resume(state, count, leaf_hash)?;
        let (mut renewed, mut sent, mut rooted) = (Instant::now(), None::<Instant>, Instant::now());
        loop {
            if renewed.elapsed() >= LEASE_PERIOD {
                match self.store.lease(self.holder, LEASE_TTL_MS).await? {
                    Some(state) if state.term == progress.state.term => renewed = Instant::now(),
                    Some(_) | None => return Err(TermEnd::Superseded),
                }
            }
            self.appended.mark_unchanged();
            let head = self.reader.head().await?;
            metrics::gauge!("praxis_relay_lag_events").set(lag(head.position, progress.state.position));
            if head.position < progress.state.position {
                return Err(LogMismatch::beyond_head(progress.state.position, head.position).into());
            }
            let events = if head.position > progress.state.position {
                self.reader
                    .read_log(progress.state.position, BATCH_EVENTS_MAX)
                    .await?
            } else {
                Vec::new()
            };
            let idle = events.is_empty();
            if !idle || sent.is_none_or(|at| at.elapsed() >= HEARTBEAT_PERIOD) {
                let life = LogLife {
                    log_id: head.log_id,
                    epoch: head.epoch,
                };
                let messages = progress.enumerate(life, events)?;
                if let Some(publisher) = &publisher {
                    publisher.publish(messages).await?;
                }
                if !idle && !self.store.save(self.holder, &progress.state).await? {
                    return Err(TermEnd::Superseded);
                }
                sent = Some(Instant::now());
            }
            if rooted.elapsed() >= ROOT_PERIOD {
                rooted = Instant::now();
                progress.write_root();
            }
            if idle {
                // Woken by this process's own appends; others' are found by looking.
                if let Ok(Err(_)) = timeout(POLL_PERIOD, self.appended.changed()).await {
                    // Nobody in this process appends any more, and a closed channel would be ready for ever.
                    sleep(POLL_PERIOD).await;
                }
            }
        }
    }
}

impl Relay {
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
}

fn lag(head: u64, position: u64) -> f64 {
    f64::from(u32::try_from(head.saturating_sub(position)).unwrap_or(u32::MAX))
}

/// How far a leader has come, and what follows from the events it reads.
struct Progress {
    state: RelayState,
    frontier: Frontier,
    /// The last position in each partition; `None` when unknown: then the position before the event is said.
    partitions: Vec<Option<u64>>,
    /// The leaf hash at the position reached.
    leaf_hash: [u8; 32],
}

impl Progress {
    fn resume(state: RelayState, partition_count: u32, leaf_hash: [u8; 32]) -> Result<Self, TermEnd> {
        let frontier = if state.frontier.is_empty() {
            Frontier::default()
        } else {
            Frontier::try_from_bytes(&state.frontier).map_err(|_| TermEnd::Frontier("it cannot be read"))?
        };
        if frontier.size() != state.position {
            return Err(TermEnd::Frontier("its size is not the relay's position"));
        }
        let count = usize::try_from(partition_count).unwrap_or(usize::MAX);
        let known = state.partitions.len() == count;
        let partitions = (0..count)
            .map(|partition| {
                if state.position == 0 {
                    Some(0)
                } else {
                    known.then(|| state.partitions.get(partition).copied()).flatten()
                }
            })
            .collect();
        Ok(Self {
            state,
            frontier,
            partitions,
            leaf_hash,
        })
    }

    /// The messages for these events, and a watermark for each partition after them.
    fn enumerate(&mut self, life: LogLife, events: Vec<StoredEvent>) -> Result<Vec<BusMessage>, TermEnd> {
        let count = NonZeroU32::new(u32::try_from(self.partitions.len()).unwrap_or(0));
        let mut messages = Vec::with_capacity(events.len() + self.partitions.len());
        for event in events {
            self.frontier
                .append(event.position, event.leaf_hash)
                .map_err(|_| TermEnd::Frontier("the log has a gap"))?;
            self.state.position = event.position;
            self.leaf_hash = event.leaf_hash;
            if let Some(count) = count {
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
        }
        for (partition, last) in (0..count.map_or(0, NonZeroU32::get)).zip(&self.partitions) {
            let position = self.state.position;
            let content = BusContent::Watermark {
                position,
                leaf_hash: self.leaf_hash,
            };
            messages.push(BusMessage {
                partition,
                life,
                prev: last.unwrap_or(position),
                content,
            });
        }
        self.state.partitions = self
            .partitions
            .iter()
            .copied()
            .collect::<Option<Vec<u64>>>()
            .unwrap_or_default();
        self.state.frontier = self.frontier.to_bytes();
        Ok(messages)
    }

    /// Out of the database's reach: whoever keeps this output can tell a log that was changed since.
    fn write_root(&self) {
        let mut root = String::new();
        for byte in self.frontier.root() {
            // Writing to a string does not fail.
            let _ = write!(root, "{byte:02x}");
        }
        tracing::info!(size = self.frontier.size(), root, "merkle root");
    }
}

#[cfg(test)]
mod tests;
