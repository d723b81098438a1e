//! What can be asked of read models, and told to them, whoever asks: a terminal or a request.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use praxis_event_store::decode::Decoder;
use praxis_event_store::port::LogReader;
use praxis_projector::apply::ApplyError;
use praxis_projector::parked::{Retry, RetryError, retry_parked};
use praxis_projector::rebuild::{NewlyParked, Progress, Rebuild, RebuildError, Rebuilding, begin_rebuild};
use praxis_query_api::error::ReadError;
use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::{Views, ViewsError};
use praxis_runtime::clock;

use super::documents::{GenerationStatus, Parked, ParkedEntry, RebuildStatus, Retried, Standing, Status};

/// Parked events listed at a time.
const PARKED_PAGE_MAX: u32 = 1_000;

/// Read models, and the log they are made of. Cheap to clone.
#[derive(Clone)]
pub struct Tools {
    /// The registry.
    pub registry: Arc<dyn Registry>,
    /// The log.
    pub reader: Arc<dyn LogReader>,
    /// What opens events.
    pub decoder: Arc<dyn Decoder>,
    /// How many partitions a new generation is fed by.
    partitions: NonZeroU32,
    /// Generations in use, so that who looks again and again need not connect each time.
    opened: Arc<Mutex<BTreeMap<u32, Arc<dyn Views>>>>,
}

/// A generation and its rows.
type Open = (Generation, Arc<dyn Views>);

impl Tools {
    /// Nothing is opened yet.
    pub fn new(
        registry: Arc<dyn Registry>,
        reader: Arc<dyn LogReader>,
        decoder: Arc<dyn Decoder>,
        partitions: NonZeroU32,
    ) -> Self {
        Self {
            registry,
            reader,
            decoder,
            partitions,
            opened: Arc::default(),
        }
    }

    /// How far everything is.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn status(&self) -> Result<Status, ReadError> {
        let head = self.reader.head().await?.position;
        let fingerprint = self.registry.fingerprint();
        let all = self.registry.generations().await?;
        let own = self.own().await?;
        let mut generations = Vec::with_capacity(all.len());
        for known in &all {
            let standing = match own.iter().find(|(usable, _)| usable.number == known.number) {
                Some((_, views)) => Some(standing(views.as_ref(), head).await?),
                None => None,
            };
            generations.push(GenerationStatus {
                generation: known.number,
                state: known.state.name().to_owned(),
                fingerprint: known.fingerprint.to_string(),
                of_this_program: known.fingerprint == fingerprint,
                standing,
            });
        }
        let rebuild = match self.under_way(&own) {
            Some(open) => Some(rebuild_status(open.rebuild, open.newly_parked().await?)),
            None => None,
        };
        Ok(Status {
            head,
            fingerprint: fingerprint.to_string(),
            generations,
            rebuild,
        })
    }

    /// Begins a rebuild, or finds the one under way.
    ///
    /// # Errors
    /// [`ReadError::Building`] while there is nothing to build anew.
    pub async fn rebuild(&self) -> Result<RebuildStatus, ReadError> {
        match begin_rebuild(self.registry.as_ref(), self.partitions, clock::now_micros()).await {
            Ok(rebuild) => Ok(rebuild_status(rebuild, 0)),
            Err(RebuildError::NothingReady { .. }) => Err(ReadError::Building {
                progress_permille: None,
            }),
            Err(RebuildError::Views(error)) => Err(error.into()),
        }
    }

    /// Has the generation of a rebuild take over, if it has come far enough and nothing holds it.
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if no such rebuild is under way.
    pub async fn take_over(
        &self,
        generation: u32,
        parked: NewlyParked,
    ) -> Result<(RebuildStatus, Progress), ReadError> {
        let own = self.own().await?;
        let open = self
            .under_way(&own)
            .filter(|open| open.rebuild.new.number == generation)
            .ok_or(ReadError::NotFound)?;
        let wanted = open.old.checkpoints().await?;
        let newly_parked = open.newly_parked().await?;
        let progress = open.take_over(&wanted, parked).await?;
        Ok((rebuild_status(open.rebuild, newly_parked), progress))
    }

    /// Parked events of a generation after a position.
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if this program has no such generation.
    pub async fn parked(&self, generation: u32, after: u64) -> Result<Parked, ReadError> {
        let own = self.own().await?;
        let found = own.iter().find(|(known, _)| known.number == generation);
        let (_, views) = found.ok_or(ReadError::NotFound)?;
        let events = views.parked(after, PARKED_PAGE_MAX).await?;
        let is_full = u32::try_from(events.len()).is_ok_and(|len| len == PARKED_PAGE_MAX);
        let next_after = events.last().filter(|_| is_full).map(|last| last.position);
        let parked = events.into_iter().map(|event| ParkedEntry {
            generation,
            position: event.position,
            stream_type: event.stream_type,
            stream_id: event.stream_id.to_string(),
            stream_version: event.stream_version,
            event_type: event.event_type,
            code: event.code,
        });
        Ok(Parked {
            parked: parked.collect(),
            next_after,
        })
    }

    /// Reads what is parked in any generation again.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn retry(&self) -> Result<Retried, ReadError> {
        let mut all = Retried::default();
        for (generation, views) in self.own().await? {
            let retried = retry_parked(Retry {
                views: views.as_ref(),
                reader: self.reader.as_ref(),
                decoder: self.decoder.as_ref(),
                partitions: generation.partitions,
            })
            .await
            .map_err(read_error)?;
            all.streams += retried.streams;
            all.events += retried.events;
        }
        Ok(all)
    }

    /// This program's generations that are not retired, open.
    async fn own(&self) -> Result<Vec<Open>, ReadError> {
        let fingerprint = self.registry.fingerprint();
        let mut all = self.registry.generations().await?;
        all.retain(|known| known.fingerprint == fingerprint && known.state != GenerationState::Retired);
        let before = self.lock().clone();
        let mut own = Vec::with_capacity(all.len());
        for generation in all {
            let views = match before.get(&generation.number) {
                Some(views) => Arc::clone(views),
                None => match self.registry.open_views(generation.number).await {
                    Ok(views) => views,
                    // Retired since it was listed.
                    Err(ViewsError::Unfit(_)) => continue,
                    Err(error) => return Err(error.into()),
                },
            };
            own.push((generation, views));
        }
        let open = own.iter().map(|(known, views)| (known.number, Arc::clone(views)));
        *self.lock() = open.collect();
        Ok(own)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<dyn Views>>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rebuild under way, if there is one.
    fn under_way(&self, own: &[Open]) -> Option<Rebuilding> {
        let all: Vec<Generation> = own.iter().map(|(known, _)| *known).collect();
        let rebuild = Rebuild::under_way(&all, self.registry.as_ref())?;
        let views = |wanted: Generation| {
            let found = own.iter().find(|(known, _)| known.number == wanted.number);
            found.map(|(_, views)| Arc::clone(views))
        };
        Some(Rebuilding {
            registry: Arc::clone(&self.registry),
            rebuild,
            old: views(rebuild.old)?,
            new: views(rebuild.new)?,
        })
    }
}

const fn rebuild_status(rebuild: Rebuild, newly_parked: usize) -> RebuildStatus {
    RebuildStatus {
        generation: rebuild.new.number,
        instead_of: rebuild.old.number,
        newly_parked,
    }
}

async fn standing(views: &dyn Views, head: u64) -> Result<Standing, ReadError> {
    let checkpoints = views.checkpoints().await?;
    let position = checkpoints.iter().map(|known| known.position).min().unwrap_or(0);
    Ok(Standing {
        position,
        lag: head.saturating_sub(position),
        partitions: checkpoints.len(),
        parked_streams: views.parked_stream_count().await?,
    })
}

fn read_error(error: RetryError) -> ReadError {
    match error {
        RetryError::Store(error) => error.into(),
        RetryError::Apply(ApplyError::Views(error)) => error.into(),
        RetryError::Apply(ApplyError::Vault(error)) => error.into(),
    }
}
