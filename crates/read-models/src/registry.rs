//! Which generations of read models there are, and which one is to be read.
//!
//! A generation belongs to the [`Fingerprint`] of the folds that fill it. Projectors fill every unretired generation
//! of their own fingerprint; readers take the newest ready one of theirs.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::fingerprint::Fingerprint;
use crate::reads::Reads;
use crate::views::{Views, ViewsError};

/// How far a generation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenerationState {
    /// Being filled; not read.
    Building,
    /// Complete; kept up to date and read.
    Ready,
    /// Given up: neither filled nor read, and may be removed.
    Retired,
}

impl GenerationState {
    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Ready => "ready",
            Self::Retired => "retired",
        }
    }

    /// The state of that stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Building, Self::Ready, Self::Retired]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// A generation as registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number, from 1; never given twice.
    pub number: u32,
    /// Of which folds.
    pub fingerprint: Fingerprint,
    /// How many partitions feed it; it can be fed by no other number.
    pub partitions: NonZeroU32,
    /// How far it is.
    pub state: GenerationState,
    /// When it was registered, microseconds UTC.
    pub created_at: i64,
}

impl Generation {
    /// The generation that the columns of the registry's table say.
    ///
    /// # Errors
    /// [`ViewsError::Corrupt`] if they say what is never stored.
    pub fn try_from_columns(
        number: u32,
        fingerprint: &[u8],
        partitions: u32,
        state: &str,
        created_at: i64,
    ) -> Result<Self, ViewsError> {
        let fingerprint = fingerprint
            .try_into()
            .map_err(|_| ViewsError::Corrupt("a fingerprint of another length"))?;
        Ok(Self {
            number,
            fingerprint: Fingerprint(fingerprint),
            partitions: NonZeroU32::new(partitions)
                .ok_or(ViewsError::Corrupt("a generation without partitions"))?,
            state: GenerationState::from_name(state)
                .ok_or(ViewsError::Corrupt("a generation in no known state"))?,
            created_at,
        })
    }

    /// The generation that readers of a fingerprint use: the newest that is ready.
    pub fn newest_ready(all: &[Self], fingerprint: Fingerprint) -> Option<&Self> {
        all.iter()
            .filter(|known| known.fingerprint == fingerprint && known.state == GenerationState::Ready)
            .max_by_key(|known| known.number)
    }

    /// The number of a fingerprint's newest generation that is not given up: what another one is registered after.
    pub fn newest_kept(all: &[Self], fingerprint: Fingerprint) -> Option<u32> {
        all.iter()
            .filter(|known| known.fingerprint == fingerprint && known.state != GenerationState::Retired)
            .map(|known| known.number)
            .max()
    }
}

/// How often an unconditional registration begins again because another one came between.
const REGISTER_ATTEMPTS_MAX: u32 = 10;

/// The registry of a read database, and the way to its generations.
#[async_trait]
pub trait Registry: Send + Sync {
    /// The fingerprint of this program: its folds over this adapter's SQL.
    fn fingerprint(&self) -> Fingerprint;

    /// Every generation, by number. They are few: one for each rebuild and release.
    async fn generations(&self) -> Result<Vec<Generation>, ViewsError>;

    /// Registers another generation of this program's fingerprint, building, with its schema in place and empty; but
    /// only if the newest of that fingerprint that is not retired is `newest`. Otherwise nothing is registered, and
    /// the answer is `None`: of callers at once with the same `newest`, in whatever processes, one is given a
    /// generation.
    async fn register_after(
        &self,
        newest: Option<u32>,
        partitions: NonZeroU32,
        now_micros: i64,
    ) -> Result<Option<Generation>, ViewsError>;

    /// The same, whatever there is.
    async fn register(&self, partitions: NonZeroU32, now_micros: i64) -> Result<Generation, ViewsError> {
        for _ in 0..REGISTER_ATTEMPTS_MAX {
            let newest = Generation::newest_kept(&self.generations().await?, self.fingerprint());
            if let Some(generation) = self.register_after(newest, partitions, now_micros).await? {
                return Ok(generation);
            }
        }
        Err(ViewsError::Unavailable(
            "others keep registering generations".into(),
        ))
    }

    /// Moves a generation on; `false` if it was not in `from`.
    async fn set_state(
        &self,
        number: u32,
        from: GenerationState,
        to: GenerationState,
    ) -> Result<bool, ViewsError>;

    /// Whether the rows of a generation are where they belong: its file, or its schema with its tables. Who removes them
    /// by hand leaves an entry that says otherwise.
    async fn is_in_place(&self, number: u32) -> Result<bool, ViewsError>;

    /// A generation that this program can open; any other is [`ViewsError::Unfit`].
    async fn usable(&self, number: u32) -> Result<Generation, ViewsError> {
        let known = self
            .generations()
            .await?
            .into_iter()
            .find(|known| known.number == number);
        match known {
            None => Err(ViewsError::Unfit(format!("there is no generation {number}"))),
            Some(known) if known.fingerprint != self.fingerprint() => Err(ViewsError::Unfit(format!(
                "generation {number} is of the folds {}, this program's are {}",
                known.fingerprint,
                self.fingerprint()
            ))),
            Some(known) if known.state == GenerationState::Retired => {
                Err(ViewsError::Unfit(format!("generation {number} is retired")))
            }
            Some(known) => Ok(known),
        }
    }

    /// Opens a generation that is [usable](Self::usable) for writing.
    async fn open_views(&self, number: u32) -> Result<Arc<dyn Views>, ViewsError>;

    /// The same for reading.
    async fn open_reads(&self, number: u32) -> Result<Arc<dyn Reads>, ViewsError>;

    /// Removes the rows and the entries of generations, of whatever fingerprint, that were retired for at least so
    /// long by the database's clock, and answers their numbers. Whoever has one of them open must have closed it by
    /// then. A repetition finishes what was begun.
    async fn remove_retired(&self, retired_for: Duration) -> Result<Vec<u32>, ViewsError>;

    /// Closes what the end of the process alone would not leave tidy. Nothing is asked of this registry and its
    /// generations afterwards.
    async fn close(&self);
}
