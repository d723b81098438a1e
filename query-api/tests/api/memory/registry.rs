//! A registry of generations in memory.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use praxis_read_models::fingerprint::Fingerprint;
use praxis_read_models::reads::Reads;
use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::{Views, ViewsError};

use super::FINGERPRINT;
use super::views::MemoryViews;

type Known = Vec<(Generation, Arc<MemoryViews>)>;

/// Generations by number.
#[derive(Default)]
pub struct MemoryRegistry {
    known: Mutex<Known>,
    down: AtomicBool,
}

impl MemoryRegistry {
    pub fn add(&self, state: GenerationState, fingerprint: Fingerprint, views: &Arc<MemoryViews>) {
        let mut known = self.known.lock().expect("no test panics with it");
        let generation = Generation {
            number: u32::try_from(known.len()).expect("few generations") + 1,
            fingerprint,
            partitions: NonZeroU32::MIN,
            state,
            created_at: 0,
        };
        known.push((generation, Arc::clone(views)));
    }

    /// From now on nothing, or everything, is answered.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    fn reads(views: &Arc<MemoryViews>) -> Arc<dyn Reads> {
        Arc::<MemoryViews>::clone(views)
    }

    fn answer(&self) -> Result<MutexGuard<'_, Known>, ViewsError> {
        if self.down.load(Ordering::Relaxed) {
            return Err(ViewsError::Unavailable("told to be down".into()));
        }
        Ok(self.known.lock().expect("no test panics with it"))
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    fn fingerprint(&self) -> Fingerprint {
        FINGERPRINT
    }

    async fn generations(&self) -> Result<Vec<Generation>, ViewsError> {
        Ok(self.answer()?.iter().map(|(generation, _)| *generation).collect())
    }

    async fn register_after(
        &self,
        _: Option<u32>,
        _: NonZeroU32,
        _: i64,
    ) -> Result<Option<Generation>, ViewsError> {
        Err(ViewsError::Unfit("the query API registers nothing".to_owned()))
    }

    async fn set_state(
        &self,
        number: u32,
        from: GenerationState,
        to: GenerationState,
    ) -> Result<bool, ViewsError> {
        let mut known = self.answer()?;
        let moved = known
            .iter_mut()
            .find(|(generation, _)| generation.number == number && generation.state == from);
        Ok(moved.map(|(generation, _)| generation.state = to).is_some())
    }

    async fn is_in_place(&self, _: u32) -> Result<bool, ViewsError> {
        Err(ViewsError::Unfit("the query API registers nothing".to_owned()))
    }

    async fn open_views(&self, _: u32) -> Result<Arc<dyn Views>, ViewsError> {
        Err(ViewsError::Unfit("the query API writes nothing".to_owned()))
    }

    async fn open_reads(&self, number: u32) -> Result<Arc<dyn Reads>, ViewsError> {
        let known = self.answer()?;
        let found = known
            .iter()
            .find(|(generation, _)| generation.number == number && generation.fingerprint == FINGERPRINT);
        match found {
            Some((_, views)) => Ok(Self::reads(views)),
            None => Err(ViewsError::Unfit("no such generation".to_owned())),
        }
    }

    async fn remove_retired(&self, _: Duration) -> Result<Vec<u32>, ViewsError> {
        Err(ViewsError::Unfit("the query API removes nothing".to_owned()))
    }

    async fn close(&self) {}
}
