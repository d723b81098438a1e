//! A registry of generations in memory, with views in memory.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use praxis_read_models::fingerprint::Fingerprint;
use praxis_read_models::reads::Reads;
use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::{Views, ViewsError};

use super::views::MemoryViews;

/// The folds of these tests.
pub const FINGERPRINT: Fingerprint = Fingerprint([7; 8]);

type Known = Vec<(Generation, Arc<MemoryViews>)>;

/// Generations by number.
#[derive(Default)]
pub struct MemoryRegistry {
    known: Mutex<Known>,
    /// For how long generations had to be retired to be removed, call by call.
    pub removals: Mutex<Vec<Duration>>,
    /// Generations whose rows somebody has removed.
    pub lost: Mutex<Vec<u32>>,
}

impl MemoryRegistry {
    /// Adds a generation in that state.
    pub fn add(&self, state: GenerationState) -> Arc<MemoryViews> {
        let mut known = self.known();
        let number = u32::try_from(known.len()).expect("few") + 1;
        let views = Arc::new(MemoryViews::default());
        known.push((generation(number, NonZeroU32::MIN, state), Arc::clone(&views)));
        views
    }

    /// Adds a generation of another release.
    pub fn add_foreign(&self, state: GenerationState) {
        self.add(state);
        if let Some((last, _)) = self.known().last_mut() {
            last.fingerprint = Fingerprint([8; 8]);
        }
    }

    /// The states of all, by number.
    pub fn states(&self) -> Vec<GenerationState> {
        self.known().iter().map(|(known, _)| known.state).collect()
    }

    /// The rows of a generation, whatever its state.
    pub fn views(&self, number: u32) -> Arc<MemoryViews> {
        let known = self.known();
        let (_, views) = known
            .iter()
            .find(|(known, _)| known.number == number)
            .expect("it is there");
        Arc::clone(views)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("not poisoned")
    }
}

const fn generation(number: u32, partitions: NonZeroU32, state: GenerationState) -> Generation {
    Generation {
        number,
        fingerprint: FINGERPRINT,
        partitions,
        state,
        created_at: 0,
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    fn fingerprint(&self) -> Fingerprint {
        FINGERPRINT
    }

    async fn generations(&self) -> Result<Vec<Generation>, ViewsError> {
        Ok(self.known().iter().map(|(known, _)| *known).collect())
    }

    async fn register_after(
        &self,
        newest: Option<u32>,
        partitions: NonZeroU32,
        created_at: i64,
    ) -> Result<Option<Generation>, ViewsError> {
        let mut known = self.known();
        let all: Vec<_> = known.iter().map(|(known, _)| *known).collect();
        if Generation::newest_kept(&all, FINGERPRINT) != newest {
            return Ok(None);
        }
        let number = u32::try_from(known.len()).expect("few") + 1;
        let registered = Generation {
            created_at,
            ..generation(number, partitions, GenerationState::Building)
        };
        known.push((registered, Arc::new(MemoryViews::default())));
        Ok(Some(registered))
    }

    async fn set_state(
        &self,
        number: u32,
        from: GenerationState,
        to: GenerationState,
    ) -> Result<bool, ViewsError> {
        let mut known = self.known();
        let found = known
            .iter_mut()
            .find(|(known, _)| known.number == number && known.state == from);
        Ok(found.map(|(known, _)| known.state = to).is_some())
    }

    async fn is_in_place(&self, number: u32) -> Result<bool, ViewsError> {
        Ok(!self.lost.lock().expect("not poisoned").contains(&number))
    }

    async fn open_views(&self, number: u32) -> Result<Arc<dyn Views>, ViewsError> {
        let known = self.known();
        let usable = known
            .iter()
            .find(|(known, _)| known.number == number && known.state != GenerationState::Retired);
        match usable {
            Some((_, views)) => Ok(Arc::<MemoryViews>::clone(views)),
            None => Err(ViewsError::Unfit("no such generation".to_owned())),
        }
    }

    async fn open_reads(&self, _: u32) -> Result<Arc<dyn Reads>, ViewsError> {
        unreachable!("a projector reads no lists")
    }

    async fn remove_retired(&self, retired_for: Duration) -> Result<Vec<u32>, ViewsError> {
        self.removals.lock().expect("not poisoned").push(retired_for);
        Ok(Vec::new())
    }

    async fn close(&self) {}
}
