//! How the log reaches the broker: one replica leads by a lease, tails the log by position, publishes, and keeps the
//! Merkle frontier.
//!
//! The log is the truth and the broker catches up: nothing here is waited for by a command. A late leader cannot be
//! fenced off the broker, so every message names the position before it and consumers are indifferent to duplicates.
//! Lease, frontier and lag do not wait for the broker either: an outage is when they are wanted.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use praxis_event_store::bus::{PublishError, PublisherFactory};
use praxis_event_store::port::{Head, LogReader, RelayState, RelayStore, StoreError};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use uuid::Uuid;

mod mismatch;
mod publish;
mod tree;

pub use mismatch::LogMismatch;

use publish::{Published, Publishing};
use tree::Tree;

/// How long a lease lasts without renewal.
const LEASE_TTL_MS: u32 = 5_000;
/// How often it is renewed, and how often a standby asks for it. As often a leader looks at how far the broker lags.
const LEASE_PERIOD: Duration = Duration::from_secs(1);
/// The pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// How often the size and root of the tree are written to the log output.
const ROOT_PERIOD: Duration = Duration::from_mins(1);
/// Batches that are published and not saved yet.
const UNSAVED_BATCHES_MAX: usize = 16;

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
    #[error("the log cannot be followed: {0}")]
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
        let mut rooted_at = None;
        let ended = loop {
            tokio::select! {
                biased;
                () = &mut stop => break Ok(()),
                stood = self.stand_or_lead(&mut rooted_at) => if let Err(mismatch) = stood {
                    break Err(mismatch);
                }
            }
        };
        if let Err(error) = self.store.release(self.holder).await {
            tracing::debug!(error = %error, "relay lease not released; it lapses by itself");
        }
        ended
    }

    async fn stand_or_lead(&mut self, rooted_at: &mut Option<Instant>) -> Result<(), LogMismatch> {
        // A process that may not use the log any more, as it knows a former life of it, could lead to nothing, and would
        // keep the lease from one that can.
        if let Err(error @ StoreError::Unfit(_)) = self.reader.head().await {
            tracing::warn!(error = %error, "relay does not ask for the lease");
            lag(0);
            sleep(LEASE_PERIOD).await;
            return Ok(());
        }
        match self.store.lease(self.holder, LEASE_TTL_MS).await {
            Ok(Some(state)) => {
                let (term, position) = (state.term, state.position);
                tracing::info!(term, position, "relay leads");
                metrics::gauge!("praxis_relay_leader").set(1.0);
                let Err(end) = self.lead(state, rooted_at).await;
                metrics::gauge!("praxis_relay_leader").set(0.0);
                if let TermEnd::Mismatch(mismatch) = end {
                    return Err(mismatch);
                }
                tracing::warn!(term, end = %end, source = ?std::error::Error::source(&end), "relay's term ended");
                sleep(RETRY_PAUSE).await;
            }
            Ok(None) => {
                // Whoever leads tells of it.
                lag(0);
                sleep(LEASE_PERIOD).await;
            }
            Err(error) => {
                tracing::warn!(error = %error, source = ?std::error::Error::source(&error), "relay cannot ask for the lease");
                sleep(LEASE_PERIOD).await;
            }
        }
        Ok(())
    }

    /// One term: until the lease is lost or the store fails. The broker may fail meanwhile, and come back.
    async fn lead(
        &mut self,
        state: RelayState,
        rooted_at: &mut Option<Instant>,
    ) -> Result<Infallible, TermEnd> {
        let tree = Tree::try_from_bytes(&state.frontier)?;
        let (sender, published) = mpsc::channel(UNSAVED_BATCHES_MAX);
        let publishing = Publishing {
            reader: self.reader.as_ref(),
            publishers: self.publishers.as_deref(),
            appended: &mut self.appended,
            published: sender,
        };
        let keeping = Keeping {
            reader: self.reader.as_ref(),
            store: self.store.as_ref(),
            holder: self.holder,
            tells_lag: self.publishers.is_some(),
            rooted_at,
        };
        let (position, partitions) = (state.position, state.partitions.clone());
        tokio::select! {
            end = publishing.run(position, partitions) => end,
            end = keeping.run(state, tree, published) => end,
        }
    }
}

/// What a leader does whether the broker is there or not.
struct Keeping<'a> {
    reader: &'a dyn LogReader,
    store: &'a dyn RelayStore,
    holder: Uuid,
    tells_lag: bool,
    rooted_at: &'a mut Option<Instant>,
}

impl Keeping<'_> {
    /// Renews the lease, saves what was published, tells the lag, and has the tree follow the log. What is published
    /// brings its leaf hashes along; what it does not bring within a period is read.
    async fn run(
        self,
        mut state: RelayState,
        mut tree: Tree,
        mut published: mpsc::Receiver<Published>,
    ) -> Result<Infallible, TermEnd> {
        let mut period = interval(LEASE_PERIOD);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut head_before, mut expected_size) = (0, 0);
        loop {
            tokio::select! {
                biased;
                _ = period.tick() => {
                    match self.store.lease(self.holder, LEASE_TTL_MS).await? {
                        Some(row) if row.term == state.term => {}
                        Some(_) | None => return Err(TermEnd::Superseded),
                    }
                    let Head { position: head, epoch, .. } = self.reader.head().await?;
                    let known = state.position.max(tree.size());
                    if head < known {
                        return Err(LogMismatch::beyond_head(known, head).into());
                    }
                    if self.tells_lag {
                        lag(head - state.position);
                    }
                    expected_size = std::mem::replace(&mut head_before, head);
                    if tree.moved() {
                        self.save(&mut state, &mut tree).await?;
                    }
                    if self.rooted_at.is_none_or(|at| at.elapsed() >= ROOT_PERIOD) {
                        *self.rooted_at = Some(Instant::now());
                        tree.write_root(epoch);
                    }
                }
                Some(Published { position, partitions, leaves }) = published.recv() => {
                    tree.take(leaves);
                    state.position = position;
                    state.partitions = partitions;
                    self.save(&mut state, &mut tree).await?;
                }
                () = std::future::ready(()), if tree.size() < expected_size => tree.read_on(self.reader).await?,
            }
        }
    }

    async fn save(&self, state: &mut RelayState, tree: &mut Tree) -> Result<(), TermEnd> {
        state.frontier = tree.bytes_to_save();
        if self.store.save(self.holder, state).await? {
            Ok(())
        } else {
            Err(TermEnd::Superseded)
        }
    }
}

/// How many events wait to be published.
fn lag(events: u64) {
    let events = u32::try_from(events).unwrap_or(u32::MAX);
    metrics::gauge!("praxis_relay_lag_events").set(f64::from(events));
}

#[cfg(test)]
mod tests;
