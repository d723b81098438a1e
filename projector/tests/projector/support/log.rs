//! A log in memory.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use praxis_event_store::bus::LogLife;
use praxis_event_store::port::{
    Facts, Head, LogReader, Lookup, StoreError, StoredCommand, StoredEvent, StoredKey, StreamRange,
};
use praxis_events::recorded::RecordedEvent;
use praxis_testkit::plain::stored;
use uuid::Uuid;

use super::LIFE;

/// A log that can be appended to, replaced and made unavailable.
pub struct MemoryLog {
    pub life: Mutex<LogLife>,
    pub events: Mutex<Vec<StoredEvent>>,
    /// So many of the next calls fail.
    pub failures: AtomicU32,
    /// How many slices were read.
    pub slices_read: AtomicU32,
}

impl MemoryLog {
    pub fn of(events: &[RecordedEvent]) -> Self {
        Self {
            life: Mutex::new(LIFE),
            events: Mutex::new(events.iter().map(stored).collect()),
            failures: AtomicU32::new(0),
            slices_read: AtomicU32::new(0),
        }
    }

    pub fn stored(&self) -> Vec<StoredEvent> {
        self.events.lock().expect("not poisoned").clone()
    }

    fn answer(&self) -> Result<(), StoreError> {
        let failing = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        failing.map_or(Ok(()), |_| Err(StoreError::Unavailable("told to fail".into())))
    }
}

#[async_trait]
impl LogReader for MemoryLog {
    async fn head(&self) -> Result<Head, StoreError> {
        self.answer()?;
        let life = *self.life.lock().expect("not poisoned");
        let events = self.events.lock().expect("not poisoned");
        Ok(Head {
            log_id: life.log_id,
            epoch: life.epoch,
            position: events.last().map_or(0, |last| last.position),
            recorded_at: events.last().map_or(0, |last| last.recorded_at),
            tombstone_position: 0,
        })
    }

    async fn read_log(&self, after_position: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        self.answer()?;
        self.slices_read.fetch_add(1, Ordering::SeqCst);
        let events = self.events.lock().expect("not poisoned");
        let after = events.iter().filter(|event| event.position > after_position);
        Ok(after
            .take(usize::try_from(limit).expect("small"))
            .cloned()
            .collect())
    }

    async fn read_stream(&self, range: StreamRange) -> Result<Vec<StoredEvent>, StoreError> {
        self.answer()?;
        let events = self.events.lock().expect("not poisoned");
        let wanted = events.iter().filter(|event| {
            event.stream_id == range.stream.id
                && event.stream_version > range.after_version
                && event.position <= range.up_to_position
        });
        Ok(wanted
            .take(usize::try_from(range.limit).expect("small"))
            .cloned()
            .collect())
    }

    async fn position_at(&self, _instant_micros: i64) -> Result<u64, StoreError> {
        unreachable!("a projector does not ask for instants")
    }

    async fn command(&self, _key: [u8; 32]) -> Result<Option<StoredCommand>, StoreError> {
        unreachable!("a projector does not ask for commands")
    }

    async fn keys(&self, _key_ids: &[Uuid]) -> Result<Vec<StoredKey>, StoreError> {
        unreachable!("the plain decoder needs no keys")
    }

    async fn subject_keys(&self, _subjects: &[Uuid]) -> Result<(Vec<StoredKey>, u64), StoreError> {
        unreachable!("the plain decoder needs no keys")
    }

    async fn look_up(&self, _lookup: &Lookup) -> Result<Facts, StoreError> {
        unreachable!("a projector decides nothing")
    }

    async fn claim_owners(&self, _resource: &[u8], _member: &[u8]) -> Result<Vec<Uuid>, StoreError> {
        unreachable!("a projector does not ask for claims")
    }
}
