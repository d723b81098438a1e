//! Which generations does this program fill? Every one of its own fingerprint that is not retired, each by a loop.
//!
//! If there is none, as after a release that changed a fold, one is registered, and read once it has reached where the
//! log stood when it was first seen. A rebuild's generation is made ready by who asked for it, who looks at it first.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{FuturesUnordered, StreamExt as _};
use praxis_event_store::decode::Decoder;
use praxis_event_store::feed::{EventFeed, FeedError};
use praxis_event_store::port::{LogReader, StoreError};
use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::{Views, ViewsError};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::failure::ProjectionError;
use crate::project::Projection;

/// How often the registry is looked at for generations that came or were retired.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// Opens the feed of a generation's loop.
#[async_trait]
pub trait Feeds: Send + Sync {
    /// A feed for that generation, whose rows are at `after` in their slowest partition.
    ///
    /// # Errors
    /// [`FeedError`] while it cannot be reached, or is not the one the generation was made for.
    async fn open(&self, generation: &Generation, after: u64) -> Result<Box<dyn EventFeed>, FeedError>;
}

/// What the loops of all generations are made of.
pub struct Generations {
    /// Where they are listed.
    pub registry: Arc<dyn Registry>,
    /// The log.
    pub reader: Arc<dyn LogReader>,
    /// What opens events.
    pub decoder: Arc<dyn Decoder>,
    /// Where events come from.
    pub feeds: Arc<dyn Feeds>,
    /// How many partitions a new generation is fed by.
    pub partitions: NonZeroU32,
    /// The clock, microseconds UTC.
    pub now_micros: fn() -> i64,
    /// Told after each batch of any generation.
    pub moved: watch::Sender<u64>,
}

/// Why a look at the registry led to nothing; the next one may.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Views(#[from] ViewsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Feed(#[from] FeedError),
}

/// A generation that is read as soon as it has come so far.
struct Filling {
    number: u32,
    until: u64,
    views: Arc<dyn Views>,
}

impl Generations {
    /// Runs a loop for each until `stop` is cancelled.
    ///
    /// # Errors
    /// [`ProjectionError`] when a loop cannot go on without someone's help.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ProjectionError> {
        let mut loops = FuturesUnordered::new();
        let mut running: BTreeSet<u32> = BTreeSet::new();
        let mut filling: Vec<Filling> = Vec::new();
        while !stop.is_cancelled() {
            match self.look(&running, &mut filling).await {
                Ok(found) => {
                    for (number, projection, mut feed) in found {
                        running.insert(number);
                        tracing::info!(generation = number, "filling read models");
                        let stop = stop.child_token();
                        loops.push(async move {
                            let ended = projection.run(feed.as_mut(), &stop).await;
                            feed.close().await;
                            (number, ended)
                        });
                    }
                }
                Err(error) => {
                    let source = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(error = %error, source, "generations of read models cannot be looked at");
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(LOOK_PERIOD) => {}
                Some((number, ended)) = loops.next() => {
                    running.remove(&number);
                    ended?;
                }
            }
        }
        while let Some((_, ended)) = loops.next().await {
            ended?;
        }
        Ok(())
    }

    /// The loops to start: of generations that none runs for yet.
    async fn look(
        &self,
        running: &BTreeSet<u32>,
        filling: &mut Vec<Filling>,
    ) -> Result<Vec<(u32, Projection, Box<dyn EventFeed>)>, LookError> {
        let fingerprint = self.registry.fingerprint();
        let mut own: Vec<Generation> = self.registry.generations().await?;
        own.retain(|known| known.fingerprint == fingerprint && known.state != GenerationState::Retired);
        if own.is_empty() {
            own.push(
                self.registry
                    .register(self.partitions, (self.now_micros)())
                    .await?,
            );
        }
        self.make_ready(&own, filling).await?;
        let first = Generation::newest_ready(&own, fingerprint).is_none();
        let mut found = Vec::new();
        for generation in own.iter().filter(|known| !running.contains(&known.number)) {
            let views = self.registry.open_views(generation.number).await?;
            let after = views
                .checkpoints()
                .await?
                .iter()
                .map(|known| known.position)
                .min()
                .unwrap_or(0);
            let feed = self.feeds.open(generation, after).await?;
            if first {
                let until = self.reader.head().await?.position;
                filling.push(Filling {
                    number: generation.number,
                    until,
                    views: Arc::clone(&views),
                });
            }
            let projection = Projection {
                generation: generation.number,
                views,
                reader: Arc::clone(&self.reader),
                decoder: Arc::clone(&self.decoder),
                partitions: generation.partitions,
                now_micros: self.now_micros,
                moved: self.moved.clone(),
            };
            found.push((generation.number, projection, feed));
        }
        Ok(found)
    }

    /// Has generations read that have come far enough.
    async fn make_ready(&self, own: &[Generation], filling: &mut Vec<Filling>) -> Result<(), LookError> {
        let mut index = 0;
        while let Some(candidate) = filling.get(index) {
            let checkpoints = candidate.views.checkpoints().await?;
            let wanted = own
                .iter()
                .find(|known| known.number == candidate.number)
                .map(|known| known.partitions);
            let complete = u32::try_from(checkpoints.len()).ok() == wanted.map(NonZeroU32::get);
            let reached = checkpoints.iter().map(|known| known.position).min().unwrap_or(0);
            if complete && reached >= candidate.until {
                let (from, to) = (GenerationState::Building, GenerationState::Ready);
                self.registry.set_state(candidate.number, from, to).await?;
                tracing::info!(
                    generation = candidate.number,
                    position = reached,
                    "read models are ready"
                );
                filling.remove(index);
            } else {
                index += 1;
            }
        }
        Ok(())
    }
}
