//! Which generations does this program fill? Every one of its own fingerprint that is not retired, each by a loop.
//!
//! If there is none, as after a release that changed a fold, one is registered, and read once it has reached where the
//! log stood when it was first seen. A rebuild's generation is read once it has reached the one that is read now. A
//! retired one is filled for as long as readers may not have noticed, and removed later. One whose rows are gone (a file
//! or a schema that somebody removed), or are of an earlier life of the log, is retired at once, and another one registered.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{FuturesUnordered, StreamExt as _};
use praxis_event_store::decode::Decoder;
use praxis_event_store::feed::{EventFeed, FeedError};
use praxis_event_store::port::{LogReader, StoreError};
use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::{Checkpoint, Views, ViewsError};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::failure::ProjectionError;
use crate::project::{Projection, start};
use crate::rebuild::{
    NewlyParked, Progress, Rebuild, Rebuilding, has_come_to, make_ready, retire_older, retire_other_releases,
};

/// How often the registry is looked at for generations that came or were retired.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// How often while one is being built: readers wait for it, or an operator does.
const LOOK_PERIOD_BUILDING: Duration = Duration::from_millis(100);

/// How long a generation is filled after it was seen to be retired. Readers look at the registry every second, and a
/// read may wait in the old generation, for five seconds, for the events its caller wants to see.
const FILLED_AFTER_RETIREMENT: Duration = Duration::from_secs(10);

/// How long the rows of a retired generation are kept: far longer than any request, and long enough to look into what
/// a rebuild has changed.
pub const KEPT_AFTER_RETIREMENT: Duration = Duration::from_hours(1);

/// How often generations are looked for that have been kept long enough.
const SWEEP_PERIOD: Duration = Duration::from_mins(1);

/// Loops that were found and not begun.
const FOUND_MAX: usize = 4;

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
pub enum LookError {
    /// The registry or a generation did not answer.
    #[error(transparent)]
    Views(#[from] ViewsError),
    /// The log did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The feed cannot be opened.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

/// A loop to begin.
struct Found {
    projection: Projection,
    feed: Box<dyn EventFeed>,
    stop: CancellationToken,
    ended: CancellationToken,
}

/// A loop that was begun.
struct Running {
    views: Arc<dyn Views>,
    stop: CancellationToken,
    ended: CancellationToken,
    retired_seen_at: Option<Instant>,
}

/// What one look leaves for the next.
#[derive(Default)]
struct Seen {
    running: BTreeMap<u32, Running>,
    /// Up to where a first generation is filled before it is read.
    until: BTreeMap<u32, u64>,
    /// Where the generation that is read was, for the one that is to take over.
    wanted: BTreeMap<u32, Vec<Checkpoint>>,
    /// Those that do not take over although they could, as was said already.
    held: BTreeSet<u32>,
    swept_at: Option<Instant>,
}

impl Generations {
    /// Sees to it that there is a generation. Over an empty log it is ready at once.
    ///
    /// # Errors
    /// [`LookError`].
    pub async fn prepare(&self) -> Result<(), LookError> {
        self.own(&Seen::default()).await.map(drop)
    }

    /// Runs a loop for each until `stop` is cancelled.
    ///
    /// # Errors
    /// [`ProjectionError`] when a loop cannot go on without someone's help.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ProjectionError> {
        let (sender, mut found) = mpsc::channel(FOUND_MAX);
        let looking = self.look_again_and_again(sender, &stop);
        let filling = async {
            let mut loops = FuturesUnordered::new();
            loop {
                tokio::select! {
                    Some(found) = found.recv() => loops.push(fill(found)),
                    Some(ended) = loops.next() => ended?,
                    else => return Ok(()),
                }
            }
        };
        tokio::pin!(looking, filling);
        tokio::select! {
            () = &mut looking => {}
            failed = &mut filling => return failed,
        }
        // Nothing more is found, so this ends with the last loop.
        filling.await
    }

    async fn look_again_and_again(&self, found: mpsc::Sender<Found>, stop: &CancellationToken) {
        let mut seen = Seen::default();
        while !stop.is_cancelled() {
            let looked = tokio::select! {
                () = stop.cancelled() => break,
                looked = self.look(&mut seen, &found, stop) => looked,
            };
            let period = match looked {
                Ok(period) => period,
                Err(error) => {
                    let source = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(error = %error, source, "generations of read models cannot be looked at");
                    LOOK_PERIOD
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(period) => {}
            }
        }
    }

    /// Brings what runs in line with what is registered; answers when to look again.
    async fn look(
        &self,
        seen: &mut Seen,
        found: &mpsc::Sender<Found>,
        stop: &CancellationToken,
    ) -> Result<Duration, LookError> {
        self.sweep(seen).await;
        let own = self.own(seen).await?;
        seen.let_go(&own);
        self.finish_builds(&own, seen).await?;
        let first = Generation::newest_ready(&own, self.registry.fingerprint()).is_none();
        for generation in &own {
            if seen.running.contains_key(&generation.number) {
                continue;
            }
            if first {
                let until = self.reader.head().await?.position;
                seen.until.entry(generation.number).or_insert(until);
            }
            let (begun, to_begin) = self.open(generation, stop).await?;
            seen.running.insert(generation.number, begun);
            // Nobody receives only when everything ends.
            let _ = found.send(to_begin).await;
        }
        let is_building = own.iter().any(|known| known.state == GenerationState::Building);
        Ok(if is_building {
            LOOK_PERIOD_BUILDING
        } else {
            LOOK_PERIOD
        })
    }

    /// This program's generations that are not retired, of which there is one at least.
    async fn own(&self, seen: &Seen) -> Result<Vec<Generation>, LookError> {
        let fingerprint = self.registry.fingerprint();
        let mut all = self.registry.generations().await?;
        all.retain(|known| known.fingerprint == fingerprint && known.state != GenerationState::Retired);
        let mut own = Vec::with_capacity(all.len());
        for known in all {
            let useless = if seen.running.contains_key(&known.number) {
                None
            } else {
                self.why_useless(&known).await?
            };
            let Some(why) = useless else {
                own.push(known);
                continue;
            };
            tracing::error!(
                generation = known.number,
                why,
                "a generation of read models is given up"
            );
            let retired = GenerationState::Retired;
            self.registry
                .set_state(known.number, known.state, retired)
                .await?;
        }
        if !own.is_empty() {
            return Ok(own);
        }
        let now = (self.now_micros)();
        let Some(first) = self.registry.register_after(None, self.partitions, now).await? else {
            // Another projector was first, and whoever looks next finds what it has registered.
            return Ok(own);
        };
        let head = self.reader.head().await?;
        if head.position > 0 {
            return Ok(vec![first]);
        }
        let views = self.registry.open_views(first.number).await?;
        start(views.as_ref(), &head, first.partitions).await?;
        make_ready(self.registry.as_ref(), first.number).await?;
        let state = GenerationState::Ready;
        Ok(vec![Generation { state, ..first }])
    }

    /// Why a generation can never be filled again, if so. An epoch rises only when somebody has restored the log and has
    /// begun its new life (`praxis restore`): then rows of an earlier one are of no use to anybody, and nothing is left to
    /// decide. Rows that the log does not match otherwise are not touched: whoever follows them ends and says so.
    async fn why_useless(&self, known: &Generation) -> Result<Option<&'static str>, LookError> {
        if !self.registry.is_in_place(known.number).await? {
            return Ok(Some("its rows are gone"));
        }
        let views = self.registry.open_views(known.number).await?;
        let checkpoints = views.checkpoints().await?;
        let head = self.reader.head().await?;
        let is_earlier = |at: &Checkpoint| at.log_id == head.log_id && at.epoch < head.epoch;
        Ok(checkpoints
            .iter()
            .any(is_earlier)
            .then_some("it is of an earlier life of the log, which was restored since"))
    }

    /// Has generations read that have come far enough.
    async fn finish_builds(&self, own: &[Generation], seen: &mut Seen) -> Result<(), LookError> {
        if Generation::newest_ready(own, self.registry.fingerprint()).is_none() {
            for building in own {
                let Some(running) = seen.running.get(&building.number) else {
                    continue;
                };
                let until = seen.until.get(&building.number).copied().unwrap_or(u64::MAX);
                if has_come_to(&running.views.checkpoints().await?, building.partitions, until) {
                    make_ready(self.registry.as_ref(), building.number).await?;
                }
            }
            return Ok(());
        }
        let Some(rebuild) = Rebuild::under_way(own, self.registry.as_ref()) else {
            if own.len() > 1 {
                retire_older(self.registry.as_ref()).await?;
            }
            return Ok(());
        };
        let (old, new) = (rebuild.old.number, rebuild.new.number);
        let (Some(old), Some(running)) = (seen.running.get(&old), seen.running.get(&new)) else {
            return Ok(());
        };
        let rebuilding = Rebuilding {
            registry: Arc::clone(&self.registry),
            rebuild,
            old: Arc::clone(&old.views),
            new: Arc::clone(&running.views),
        };
        let read_now = old.views.checkpoints().await?;
        let wanted = seen.wanted.insert(new, read_now.clone()).unwrap_or(read_now);
        if let Progress::Held { newly_parked } = rebuilding.take_over(&wanted, NewlyParked::Hold).await?
            && seen.held.insert(new)
        {
            tracing::warn!(
                generation = new,
                newly_parked,
                "read models built anew wait for somebody to look at streams that are parked in them"
            );
        }
        Ok(())
    }

    async fn open(
        &self,
        generation: &Generation,
        stop: &CancellationToken,
    ) -> Result<(Running, Found), LookError> {
        let views = self.registry.open_views(generation.number).await?;
        let checkpoints = views.checkpoints().await?;
        let after = checkpoints.iter().map(|known| known.position).min().unwrap_or(0);
        let feed = self.feeds.open(generation, after).await?;
        let (stop, ended) = (stop.child_token(), CancellationToken::new());
        let running = Running {
            views: Arc::clone(&views),
            stop: stop.clone(),
            ended: ended.clone(),
            retired_seen_at: None,
        };
        let projection = Projection {
            generation: generation.number,
            views,
            reader: Arc::clone(&self.reader),
            decoder: Arc::clone(&self.decoder),
            partitions: generation.partitions,
            now_micros: self.now_micros,
            moved: self.moved.clone(),
        };
        Ok((
            running,
            Found {
                projection,
                feed,
                stop,
                ended,
            },
        ))
    }

    /// Retires what earlier releases have left, and removes what was retired long ago. That it cannot be done now keeps
    /// nobody from work.
    async fn sweep(&self, seen: &mut Seen) {
        if seen
            .swept_at
            .is_some_and(|swept_at| swept_at.elapsed() < SWEEP_PERIOD)
        {
            return;
        }
        seen.swept_at = Some(Instant::now());
        let registry = self.registry.as_ref();
        let swept = async {
            retire_other_releases(registry, (self.now_micros)()).await?;
            registry.remove_retired(KEPT_AFTER_RETIREMENT).await
        };
        match swept.await {
            Ok(removed) => {
                for generation in removed {
                    tracing::info!(generation, "retired read models are removed");
                }
            }
            Err(error) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(error = %error, source, "old read models cannot be removed");
            }
        }
    }
}

impl Seen {
    /// Forgets loops that have ended, and ends those of generations that were retired a while ago.
    fn let_go(&mut self, own: &[Generation]) {
        self.running.retain(|_, running| !running.ended.is_cancelled());
        for (number, running) in &mut self.running {
            if own.iter().any(|known| known.number == *number) {
                running.retired_seen_at = None;
                continue;
            }
            let seen_at = *running.retired_seen_at.get_or_insert_with(Instant::now);
            if seen_at.elapsed() >= FILLED_AFTER_RETIREMENT {
                running.stop.cancel();
            }
        }
    }
}

/// Runs one loop to its end.
async fn fill(found: Found) -> Result<(), ProjectionError> {
    let Found {
        projection,
        mut feed,
        stop,
        ended,
    } = found;
    tracing::info!(generation = projection.generation, "filling read models");
    let result = projection.run(feed.as_mut(), &stop).await;
    feed.close().await;
    ended.cancel();
    tracing::info!(
        generation = projection.generation,
        "read models are filled no longer"
    );
    result
}
