//! Which generation of read models answers: the newest ready one of this program's fingerprint, found again and again.
//!
//! A rebuild or a release makes another one ready while requests are served; whoever asks next gets it, and requests
//! under way end with the one they began with.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use praxis_event_store::port::LogReader;
use praxis_http_kit::meta::Check;
use praxis_http_kit::position::EpochPosition;
use praxis_read_models::reads::Reads;
use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::ViewsError;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::ReadError;

mod belonging;

/// How long a look at the registry is good for: as long as a retired generation may still be read.
const LOOK_UP_PERIOD: Duration = Duration::from_secs(1);

/// How long a standing that was read is good for. Checkpoints only rise, so older ones are a true lower bound.
const STANDING_AGE_MAX: Duration = Duration::from_millis(50);

/// How long it is good for while a newer one is being read.
const STANDING_AGE_MAX_MEANWHILE: Duration = Duration::from_secs(1);

/// The read models of this program, whichever generation holds them.
pub struct ReadSide {
    registry: Arc<dyn Registry>,
    log: Arc<dyn LogReader>,
    known: RwLock<Option<Known>>,
    looking: Mutex<()>,
    /// Why the rows are not those of the log, if they are not.
    foreign: RwLock<Option<String>>,
}

/// A generation opened for reading.
pub struct OpenGeneration {
    number: u32,
    /// Its rows.
    pub reads: Arc<dyn Reads>,
    standing: RwLock<Option<(Instant, Standing)>>,
    reading_standing: Mutex<()>,
}

/// How far a generation is, as it was a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Every partition has reached it: the lowest checkpoint.
    pub place: EpochPosition,
    /// Whether a stream is parked at or before the place. One that was parked then may have been folded since.
    pub parked: Parked,
}

/// Whether any stream of a generation is parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    /// None is.
    Nothing,
    /// Some are.
    Something,
}

impl Parked {
    /// Whether that many streams are some.
    pub const fn of(stream_count: u64) -> Self {
        match stream_count {
            0 => Self::Nothing,
            _ => Self::Something,
        }
    }
}

#[derive(Clone)]
struct Known {
    looked_up_at: Instant,
    found: Found,
}

#[derive(Clone)]
enum Found {
    Ready(Arc<OpenGeneration>),
    Building {
        opened: Option<Arc<OpenGeneration>>,
        progress_permille: Option<u32>,
    },
}

impl ReadSide {
    /// The read side over a registry. The log's head tells how far a build is.
    pub fn new(registry: Arc<dyn Registry>, log: Arc<dyn LogReader>) -> Self {
        Self {
            registry,
            log,
            known: RwLock::new(None),
            looking: Mutex::new(()),
            foreign: RwLock::new(None),
        }
    }

    /// The generation to read.
    ///
    /// # Errors
    /// [`ReadError::Building`] while none is ready; [`ReadError::Views`] when the registry never answered, or the rows
    /// are not those of the log.
    pub async fn current(&self) -> Result<Arc<OpenGeneration>, ReadError> {
        if let Some(why) = self.why_refused() {
            return Err(ViewsError::Unfit(why).into());
        }
        self.newest().await
    }

    /// What readiness says of the read models: whether there is a generation to read that tells how far it is.
    pub async fn readiness(&self) -> Check {
        match self.answering().await {
            Ok(number) => Check::new("views", true).saying(format!("generation {number}")),
            Err(error) => Check::failed("views", &error),
        }
    }

    async fn answering(&self) -> Result<u32, ReadError> {
        let generation = self.current().await?;
        match generation.standing().await? {
            Some(_) => Ok(generation.number),
            None => Err(ViewsError::Unfit("the generation to read has no checkpoints".to_owned()).into()),
        }
    }

    async fn newest(&self) -> Result<Arc<OpenGeneration>, ReadError> {
        if let Some(recent) = self.recent() {
            return recent.answer();
        }
        let _looking = match self.looking.try_lock() {
            Ok(guard) => guard,
            // Another request looks; what is ready goes on being read meanwhile.
            Err(_) => match self.known() {
                Some(Known {
                    found: Found::Ready(open),
                    ..
                }) => return Ok(open),
                Some(Known {
                    found: Found::Building { .. },
                    ..
                })
                | None => {
                    let guard = self.looking.lock().await;
                    if let Some(recent) = self.recent() {
                        return recent.answer();
                    }
                    guard
                }
            },
        };
        let before = self.known().map(|known| known.found);
        let found = match (self.look_up(before.as_ref()).await, before) {
            (Ok(found), _) => found,
            (Err(error), Some(Found::Ready(open))) => {
                tracing::warn!(%error, generation = open.number, "registry does not answer; the generation stays");
                Found::Ready(open)
            }
            (Err(error), Some(Found::Building { .. }) | None) => return Err(error.into()),
        };
        let known = Known {
            looked_up_at: Instant::now(),
            found,
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
        known.answer()
    }

    fn known(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn recent(&self) -> Option<Known> {
        self.known()
            .filter(|known| known.looked_up_at.elapsed() < LOOK_UP_PERIOD)
    }

    async fn look_up(&self, before: Option<&Found>) -> Result<Found, ViewsError> {
        let all = self.registry.generations().await?;
        let fingerprint = self.registry.fingerprint();
        if let Some(ready) = Generation::newest_ready(&all, fingerprint) {
            return Ok(Found::Ready(self.open(ready.number, before).await?));
        }
        let building = all
            .iter()
            .filter(|known| known.fingerprint == fingerprint && known.state == GenerationState::Building)
            .max_by_key(|known| known.number);
        let opened = match building {
            Some(building) => Some(self.open(building.number, before).await?),
            None => None,
        };
        let progress_permille = match &opened {
            Some(opened) => self.progress_permille(opened).await,
            None => None,
        };
        Ok(Found::Building {
            opened,
            progress_permille,
        })
    }

    /// The generation of that number, opened once.
    async fn open(&self, number: u32, before: Option<&Found>) -> Result<Arc<OpenGeneration>, ViewsError> {
        let opened = match before {
            Some(
                Found::Ready(opened)
                | Found::Building {
                    opened: Some(opened), ..
                },
            ) => Some(opened),
            Some(Found::Building { opened: None, .. }) | None => None,
        };
        if let Some(opened) = opened.filter(|opened| opened.number == number) {
            return Ok(Arc::clone(opened));
        }
        let reads = self.registry.open_reads(number).await?;
        tracing::info!(generation = number, "generation of read models is opened");
        Ok(Arc::new(OpenGeneration {
            number,
            reads,
            standing: RwLock::new(None),
            reading_standing: Mutex::new(()),
        }))
    }

    /// How much of the log is in a generation. It is only told, so a fault says nothing.
    async fn progress_permille(&self, generation: &OpenGeneration) -> Option<u32> {
        let head = self.log.head().await.ok()?.position;
        let checkpoints = generation.reads.checkpoints().await.ok()?;
        let reached = checkpoints.iter().map(|known| known.position).min().unwrap_or(0);
        let permille = reached.saturating_mul(1000).checked_div(head).unwrap_or(1000);
        u32::try_from(permille.min(1000)).ok()
    }
}

impl Known {
    fn answer(self) -> Result<Arc<OpenGeneration>, ReadError> {
        match self.found {
            Found::Ready(open) => Ok(open),
            Found::Building {
                progress_permille, ..
            } => Err(ReadError::Building { progress_permille }),
        }
    }
}

impl OpenGeneration {
    /// How far it is, as it was a moment ago. `None` while no partition was begun.
    ///
    /// # Errors
    /// [`ViewsError`] when the database does not answer.
    pub async fn standing(&self) -> Result<Option<Standing>, ViewsError> {
        if let Some(standing) = self.known_standing(STANDING_AGE_MAX) {
            return Ok(Some(standing));
        }
        let _reading = match self.reading_standing.try_lock() {
            Ok(guard) => guard,
            // Another request reads it: as many as there are would all ask the same at once.
            Err(_) => match self.known_standing(STANDING_AGE_MAX_MEANWHILE) {
                Some(standing) => return Ok(Some(standing)),
                None => self.reading_standing.lock().await,
            },
        };
        if let Some(standing) = self.known_standing(STANDING_AGE_MAX) {
            return Ok(Some(standing));
        }
        let read_at = Instant::now();
        // In this order: what is parked at or before the place was parked when the place was reached.
        let checkpoints = self.reads.checkpoints().await?;
        let parked = Parked::of(self.reads.parked_stream_count().await?);
        let places = checkpoints.iter().map(|known| EpochPosition {
            epoch: u64::from(known.epoch),
            position: known.position,
        });
        let standing = places.min().map(|place| Standing { place, parked });
        if let Some(standing) = standing {
            *self.standing.write().unwrap_or_else(PoisonError::into_inner) = Some((read_at, standing));
        }
        Ok(standing)
    }

    fn known_standing(&self, age_max: Duration) -> Option<Standing> {
        let known = *self.standing.read().unwrap_or_else(PoisonError::into_inner);
        known
            .filter(|(read_at, _)| read_at.elapsed() < age_max)
            .map(|(_, standing)| standing)
    }
}
