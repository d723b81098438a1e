//! How is a generation built anew beside the one that is read, and when does it take over?
//!
//! Whoever wants a rebuild registers a generation; every projector of the fingerprint fills it; whoever sees first that
//! it has come as far as the one that is read makes it ready. Nothing is lost if any of them stops on the way.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::{Checkpoint, Views, ViewsError};
use uuid::Uuid;

/// How often a rebuild that is being begun is looked for again because somebody else began one.
const ATTEMPTS_MAX: u32 = 5;

/// For how long the read models of an earlier release are its way back: a roll-back needs no build within it.
pub const WAY_BACK: Duration = Duration::from_hours(7 * 24);

/// Parked events listed at once.
const PARKED_EVENTS_MAX: u32 = 500;

/// Why a rebuild was not begun.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// There is nothing to build anew: no generation of this program has been ready yet.
    #[error("no generation of this program's folds {fingerprint} is ready yet")]
    NothingReady {
        /// The program's folds.
        fingerprint: String,
    },
    /// The registry did not answer, or not as it should.
    #[error(transparent)]
    Views(#[from] ViewsError),
}

/// A rebuild under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuild {
    /// The generation that is read.
    pub old: Generation,
    /// The one that is to take over.
    pub new: Generation,
}

/// Begins a rebuild, or finds the one that is under way. The new generation is fed by that many partitions: those of
/// the topic as it is now, which may be another one than the old generation was made for.
///
/// # Errors
/// [`RebuildError`].
pub async fn begin_rebuild(
    registry: &dyn Registry,
    partitions: NonZeroU32,
    now_micros: i64,
) -> Result<Rebuild, RebuildError> {
    let fingerprint = registry.fingerprint();
    for _ in 0..ATTEMPTS_MAX {
        let all = registry.generations().await?;
        if let Some(under_way) = Rebuild::under_way(&all, registry) {
            return Ok(under_way);
        }
        let Some(old) = Generation::newest_ready(&all, fingerprint).copied() else {
            return Err(RebuildError::NothingReady {
                fingerprint: fingerprint.to_string(),
            });
        };
        let registered = registry
            .register_after(Some(old.number), partitions, now_micros)
            .await?;
        if let Some(new) = registered {
            tracing::info!(
                generation = new.number,
                instead_of = old.number,
                "read models are built anew"
            );
            return Ok(Rebuild { old, new });
        }
    }
    Err(ViewsError::Unavailable("others keep registering generations".into()).into())
}

impl Rebuild {
    /// The rebuild that these generations show, if there is one.
    pub fn under_way(all: &[Generation], registry: &dyn Registry) -> Option<Self> {
        let old = *Generation::newest_ready(all, registry.fingerprint())?;
        let new = all
            .iter()
            .filter(|known| {
                known.fingerprint == old.fingerprint
                    && known.state == GenerationState::Building
                    && known.number > old.number
            })
            .max_by_key(|known| known.number)?;
        Some(Self { old, new: *new })
    }
}

/// Whether a generation in which streams are parked that were not before may take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewlyParked {
    /// It waits for somebody to look at them.
    Hold,
    /// Somebody has.
    Accept,
}

/// How far a generation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has not come as far as it should.
    Filling,
    /// It has, but streams are parked in it that are not in the one that is read.
    Held {
        /// How many.
        newly_parked: usize,
    },
    /// It is ready, and older generations are retired.
    Done,
}

/// A rebuild with both generations open.
pub struct Rebuilding {
    /// Where both are listed.
    pub registry: Arc<dyn Registry>,
    /// Which generations.
    pub rebuild: Rebuild,
    /// The rows that are read.
    pub old: Arc<dyn Views>,
    /// Those that are to take over.
    pub new: Arc<dyn Views>,
}

impl Rebuilding {
    /// Opens both generations.
    ///
    /// # Errors
    /// [`ViewsError`]; [`ViewsError::Unfit`] if one of them was retired meanwhile.
    pub async fn open(registry: Arc<dyn Registry>, rebuild: Rebuild) -> Result<Self, ViewsError> {
        let (old, new) = (
            registry.open_views(rebuild.old.number).await?,
            registry.open_views(rebuild.new.number).await?,
        );
        Ok(Self {
            registry,
            rebuild,
            old,
            new,
        })
    }

    /// Makes the new generation ready and retires what is older, if it has come far enough: in each partition to
    /// where the old one was, as read a moment ago. While commands arrive, neither is ahead of the other for long.
    ///
    /// # Errors
    /// [`ViewsError`].
    pub async fn take_over(
        &self,
        wanted: &[Checkpoint],
        parked: NewlyParked,
    ) -> Result<Progress, ViewsError> {
        let new = self.rebuild.new;
        if !has_reached(&self.new.checkpoints().await?, new.partitions, wanted) {
            return Ok(Progress::Filling);
        }
        let newly_parked = self.newly_parked().await?;
        if newly_parked > 0 && parked == NewlyParked::Hold {
            return Ok(Progress::Held { newly_parked });
        }
        make_ready(self.registry.as_ref(), new.number).await?;
        retire_older(self.registry.as_ref()).await?;
        Ok(Progress::Done)
    }

    /// How many streams are parked in the new generation and not in the old one.
    ///
    /// # Errors
    /// [`ViewsError`].
    pub async fn newly_parked(&self) -> Result<usize, ViewsError> {
        let streams = parked_streams(self.new.as_ref()).await?;
        if streams.is_empty() {
            return Ok(0);
        }
        let before = parked_streams(self.old.as_ref()).await?;
        Ok(streams.difference(&before).count())
    }
}

/// Has readers use a generation from their next look on.
pub(crate) async fn make_ready(registry: &dyn Registry, number: u32) -> Result<(), ViewsError> {
    let (from, to) = (GenerationState::Building, GenerationState::Ready);
    if registry.set_state(number, from, to).await? {
        tracing::info!(generation = number, "read models are ready");
    }
    Ok(())
}

/// Retires every generation of this program's fingerprint that is older than the one that is read.
///
/// # Errors
/// [`ViewsError`].
pub async fn retire_older(registry: &dyn Registry) -> Result<(), ViewsError> {
    let all = registry.generations().await?;
    let Some(read) = Generation::newest_ready(&all, registry.fingerprint()) else {
        return Ok(());
    };
    retire_before(registry, &all, read.number, |known| {
        known.fingerprint == read.fingerprint
    })
    .await
}

/// Retires what earlier releases have left, once this one's generation is so old that nobody goes back to them.
pub(crate) async fn retire_other_releases(
    registry: &dyn Registry,
    now_micros: i64,
) -> Result<(), ViewsError> {
    let all = registry.generations().await?;
    let way_back = i64::try_from(WAY_BACK.as_micros()).unwrap_or(i64::MAX);
    match Generation::newest_ready(&all, registry.fingerprint()) {
        Some(read) if now_micros.saturating_sub(read.created_at) >= way_back => {
            retire_before(registry, &all, read.number, |known| {
                known.fingerprint != read.fingerprint
            })
            .await
        }
        Some(_) | None => Ok(()),
    }
}

/// Retires those of the generations before one that are meant.
async fn retire_before(
    registry: &dyn Registry,
    all: &[Generation],
    number: u32,
    is_meant: impl Fn(&&Generation) -> bool + Send,
) -> Result<(), ViewsError> {
    let is_older = |known: &&Generation| known.number < number && known.state != GenerationState::Retired;
    let older: Vec<Generation> = all.iter().filter(is_older).filter(is_meant).copied().collect();
    for known in older {
        if registry
            .set_state(known.number, known.state, GenerationState::Retired)
            .await?
        {
            tracing::info!(
                generation = known.number,
                instead = number,
                "read models are retired"
            );
        }
    }
    Ok(())
}

/// Whether every partition has reached where it should be. Rows that are fed by another number of partitions have to
/// have reached the farthest.
pub(crate) fn has_reached(at: &[Checkpoint], partitions: NonZeroU32, wanted: &[Checkpoint]) -> bool {
    let complete = u32::try_from(at.len()).is_ok_and(|len| len == partitions.get());
    let farthest = wanted.iter().map(|known| known.position).max().unwrap_or(0);
    let wanted_of = |partition| {
        let same = wanted.iter().filter(|_| wanted.len() == at.len());
        let position = same
            .filter(|known| known.partition == partition)
            .map(|known| known.position);
        position.max().unwrap_or(farthest)
    };
    complete
        && at
            .iter()
            .all(|known| known.position >= wanted_of(known.partition))
}

/// Whether every partition has reached a position.
pub(crate) fn has_come_to(at: &[Checkpoint], partitions: NonZeroU32, position: u64) -> bool {
    let complete = u32::try_from(at.len()).is_ok_and(|len| len == partitions.get());
    complete && at.iter().all(|known| known.position >= position)
}

async fn parked_streams(views: &dyn Views) -> Result<BTreeSet<Uuid>, ViewsError> {
    let (mut streams, mut after) = (BTreeSet::new(), 0);
    loop {
        let listed = views.parked(after, PARKED_EVENTS_MAX).await?;
        let Some(last) = listed.last() else {
            return Ok(streams);
        };
        after = last.position;
        streams.extend(listed.iter().map(|event| event.stream_id));
    }
}
