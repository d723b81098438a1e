//! A log that does not grow.

use async_trait::async_trait;
use praxis_event_store::port::{
    Facts, Head, LogReader, Lookup, StoreError, StoredCommand, StoredEvent, StoredKey, StreamRange,
};
use uuid::Uuid;

use super::{EPOCH, LOG_ID};

/// Events in order of position.
pub struct MemoryLog(pub Vec<StoredEvent>);

#[async_trait]
impl LogReader for MemoryLog {
    async fn head(&self) -> Result<Head, StoreError> {
        let last = self.0.last();
        Ok(Head {
            log_id: LOG_ID,
            epoch: EPOCH,
            position: last.map_or(0, |event| event.position),
            recorded_at: last.map_or(0, |event| event.recorded_at),
            tombstone_position: 0,
        })
    }

    async fn read_log(&self, after_position: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(self.taken(limit, |event| event.position > after_position))
    }

    async fn read_stream(&self, range: StreamRange) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(self.taken(range.limit, |event| {
            event.stream_id == range.stream.id
                && event.stream_type == range.stream.kind.name()
                && event.stream_version > range.after_version
                && event.position <= range.up_to_position
        }))
    }

    async fn position_at(&self, instant_micros: i64) -> Result<u64, StoreError> {
        let before = self
            .0
            .iter()
            .take_while(|event| event.recorded_at <= instant_micros);
        Ok(before.last().map_or(0, |event| event.position))
    }

    async fn command(&self, _: [u8; 32]) -> Result<Option<StoredCommand>, StoreError> {
        Err(not_a_read())
    }

    async fn keys(&self, _: &[Uuid]) -> Result<Vec<StoredKey>, StoreError> {
        Err(not_a_read())
    }

    async fn subject_keys(&self, _: &[Uuid]) -> Result<(Vec<StoredKey>, u64), StoreError> {
        Err(not_a_read())
    }

    async fn look_up(&self, _: &Lookup) -> Result<Facts, StoreError> {
        Err(not_a_read())
    }

    async fn claim_owners(&self, _: &[u8], _: &[u8]) -> Result<Vec<Uuid>, StoreError> {
        Err(not_a_read())
    }
}

impl MemoryLog {
    fn taken(&self, limit: u32, wanted: impl Fn(&StoredEvent) -> bool) -> Vec<StoredEvent> {
        let limit = usize::try_from(limit).expect("a small limit");
        self.0
            .iter()
            .filter(|event| wanted(event))
            .take(limit)
            .cloned()
            .collect()
    }
}

fn not_a_read() -> StoreError {
    StoreError::Unfit("the query API does not ask this".to_owned())
}
