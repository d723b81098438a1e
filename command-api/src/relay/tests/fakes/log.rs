//! What does a relay read from a log in memory, and what becomes of its lease?

use async_trait::async_trait;
use praxis_event_store::port::{Facts, Head, Lookup, StoredCommand, StoredEvent, StoredKey, StreamRange};
use praxis_events::ids::LogId;
use tokio::time::sleep_until;

use super::*;

/// A relay that never waits would stop the clock, and the test with it.
const HEADS_ASKED_MAX: u64 = 1_000_000;
const NOT_ASKED: StoreError = StoreError::Corrupt("a relay does not ask this");

#[async_trait]
impl LogReader for Cluster {
    async fn head(&self) -> Result<Head, StoreError> {
        let mut state = self.state();
        state.heads_asked += 1;
        assert!(state.heads_asked < HEADS_ASKED_MAX, "a relay spins");
        if state.log_is_unfit {
            return Err(StoreError::Unfit("it was restored since".to_owned()));
        }
        Ok(Head {
            log_id: LogId(Uuid::from_u128(7)),
            epoch: 1,
            position: head(&state.events),
            recorded_at: 0,
            tombstone_position: 0,
        })
    }

    async fn read_log(&self, after_position: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let limit = usize::try_from(limit).expect("fits");
        let state = self.state();
        Ok(state
            .events
            .iter()
            .filter(|event| event.position > after_position)
            .take(limit)
            .cloned()
            .collect())
    }

    async fn read_stream(&self, _range: StreamRange) -> Result<Vec<StoredEvent>, StoreError> {
        Err(NOT_ASKED)
    }

    async fn position_at(&self, _instant_micros: i64) -> Result<u64, StoreError> {
        Err(NOT_ASKED)
    }

    async fn command(&self, _key: [u8; 32]) -> Result<Option<StoredCommand>, StoreError> {
        Err(NOT_ASKED)
    }

    async fn keys(&self, _key_ids: &[Uuid]) -> Result<Vec<StoredKey>, StoreError> {
        Err(NOT_ASKED)
    }

    async fn subject_keys(&self, _subjects: &[Uuid]) -> Result<(Vec<StoredKey>, u64), StoreError> {
        Err(NOT_ASKED)
    }

    async fn look_up(&self, _lookup: &Lookup) -> Result<Facts, StoreError> {
        Err(NOT_ASKED)
    }

    async fn claim_owners(&self, _resource: &[u8], _member: &[u8]) -> Result<Vec<Uuid>, StoreError> {
        Err(NOT_ASKED)
    }
}

#[async_trait]
impl RelayStore for Cluster {
    async fn lease(&self, holder: Uuid, ttl_ms: u32) -> Result<Option<RelayState>, StoreError> {
        let asleep_until = self.state().asleep.get(&holder).copied();
        if let Some(until) = asleep_until {
            sleep_until(until).await;
        }
        let mut state = self.state();
        let now = Instant::now();
        let held = state.until.is_some_and(|until| until > now);
        if held && state.leader != holder {
            return Ok(None);
        }
        if !held {
            state.row.term += 1;
            state.leader = holder;
        }
        state.until = Some(now + Duration::from_millis(u64::from(ttl_ms)));
        Ok(Some(state.row.clone()))
    }

    async fn save(&self, _holder: Uuid, progress: &RelayState) -> Result<bool, StoreError> {
        let mut state = self.state();
        let leads = state.row.term == progress.term;
        if leads {
            state.row = progress.clone();
        }
        Ok(leads)
    }

    async fn release(&self, holder: Uuid) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.leader == holder {
            state.until = None;
        }
        Ok(())
    }
}
