//! How the log in memory is read.

use async_trait::async_trait;
use praxis_event_store::port::{
    Facts, Head, LogReader, Lookup, StoreError, StoredCommand, StoredEvent, StoredKey, StreamRange,
};
use uuid::Uuid;

use super::MemoryLog;

#[async_trait]
impl LogReader for MemoryLog {
    async fn head(&self) -> Result<Head, StoreError> {
        let mut tables = self.tables.lock().unwrap();
        tables.head_reads += 1;
        Ok(tables.head())
    }

    async fn read_log(&self, after_position: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let tables = self.tables.lock().unwrap();
        let events = tables
            .events
            .iter()
            .filter(|event| event.position > after_position);
        Ok(events.take(usize::try_from(limit).unwrap()).cloned().collect())
    }

    async fn read_stream(&self, range: StreamRange) -> Result<Vec<StoredEvent>, StoreError> {
        let tables = self.tables.lock().unwrap();
        let events = tables.events.iter().filter(|event| {
            event.stream_id == range.stream.id
                && event.stream_version > range.after_version
                && event.position <= range.up_to_position
        });
        Ok(events
            .take(usize::try_from(range.limit).unwrap())
            .cloned()
            .collect())
    }

    async fn position_at(&self, instant_micros: i64) -> Result<u64, StoreError> {
        let tables = self.tables.lock().unwrap();
        let mut before = tables
            .events
            .iter()
            .filter(|event| event.recorded_at <= instant_micros);
        Ok(before.next_back().map_or(0, |event| event.position))
    }

    async fn command(&self, key: [u8; 32]) -> Result<Option<StoredCommand>, StoreError> {
        Ok(self.tables.lock().unwrap().commands.get(&key).copied())
    }

    async fn keys(&self, key_ids: &[Uuid]) -> Result<Vec<StoredKey>, StoreError> {
        let mut tables = self.tables.lock().unwrap();
        tables.answer_about_keys()?;
        let keys = tables.keys.iter();
        Ok(keys
            .filter(|key| key_ids.contains(&key.key_id))
            .cloned()
            .collect())
    }

    async fn subject_keys(&self, subjects: &[Uuid]) -> Result<(Vec<StoredKey>, u64), StoreError> {
        let mut tables = self.tables.lock().unwrap();
        tables.answer_about_keys()?;
        let newest = subjects.iter().filter_map(|subject| {
            let theirs = tables.keys.iter().filter(|key| key.subject_id == *subject);
            theirs
                .max_by_key(|key| (key.destroyed_position.is_some(), key.created_position))
                .cloned()
        });
        Ok((newest.collect(), tables.head().tombstone_position))
    }

    async fn look_up(&self, lookup: &Lookup) -> Result<Facts, StoreError> {
        Ok(self.tables.lock().unwrap().look_up(lookup))
    }

    async fn claim_owners(&self, resource: &[u8], member: &[u8]) -> Result<Vec<Uuid>, StoreError> {
        let tables = self.tables.lock().unwrap();
        let owned = tables
            .claims
            .iter()
            .filter(|claim| claim.resource == resource && claim.member == member);
        Ok(owned.map(|claim| claim.owner).collect())
    }
}
