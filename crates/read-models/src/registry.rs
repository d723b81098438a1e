//! Which generations of read models there are, and which one is to be read.
//!
//! A generation belongs to the [`Fingerprint`] of the folds that fill it. Projectors fill every unretired generation
//! of their own fingerprint; readers take the newest ready one of theirs.

use std::num::NonZeroU32;
use std::sync::Arc;

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
    /// The generation that readers of a fingerprint use: the newest that is ready.
    pub fn newest_ready(all: &[Self], fingerprint: Fingerprint) -> Option<&Self> {
        all.iter()
            .filter(|known| known.fingerprint == fingerprint && known.state == GenerationState::Ready)
            .max_by_key(|known| known.number)
    }
}

/// The registry of a read database, and the way to its generations.
#[async_trait]
pub trait Registry: Send + Sync {
    /// The fingerprint of this program: its folds over this adapter's SQL.
    fn fingerprint(&self) -> Fingerprint;

    /// Every generation, by number. They are few: one for each rebuild and release.
    async fn generations(&self) -> Result<Vec<Generation>, ViewsError>;

    /// Registers another generation of this program's fingerprint, building, with its schema in place and empty.
    async fn register(&self, partitions: NonZeroU32, now_micros: i64) -> Result<Generation, ViewsError>;

    /// Moves a generation on; `false` if it was not in `from`.
    async fn set_state(
        &self,
        number: u32,
        from: GenerationState,
        to: GenerationState,
    ) -> Result<bool, ViewsError>;

    /// Opens a generation of this program's fingerprint for writing; any other is [`ViewsError::Unfit`].
    async fn open_views(&self, number: u32) -> Result<Arc<dyn Views>, ViewsError>;

    /// Opens a generation of this program's fingerprint for reading; any other is [`ViewsError::Unfit`].
    async fn open_reads(&self, number: u32) -> Result<Arc<dyn Reads>, ViewsError>;
}
