//! Which record number a new patient gets: counter-issued, never reused, reserved a few at a time.
//!
//! A reservation is durable before a number of it is used; what a process did not use when it ended is a gap.

use std::ops::Range;
use std::sync::Arc;

use praxis_event_store::port::{LogWriter, StoreError};
use tokio::sync::Mutex;

/// The counter's stored name.
const COUNTER: &str = "patient-record-number";

/// Numbers reserved at a time: what a restart may lose.
const RESERVED_AT_ONCE: u32 = 32;

/// Gives out record numbers.
pub struct RecordNumbers {
    writer: Arc<dyn LogWriter>,
    reserved: Mutex<Range<u64>>,
}

impl RecordNumbers {
    /// Numbers of that log's counter.
    pub fn new(writer: Arc<dyn LogWriter>) -> Self {
        Self {
            writer,
            reserved: Mutex::new(0..0),
        }
    }

    /// A number nobody was given before.
    ///
    /// # Errors
    /// [`StoreError`] when none is left here and none can be reserved.
    pub async fn next(&self) -> Result<u64, StoreError> {
        // Held across the reservation on purpose: others need its outcome, and one reservation is enough.
        let mut reserved = self.reserved.lock().await;
        if let Some(number) = reserved.next() {
            return Ok(number);
        }
        let first = self.writer.reserve_numbers(COUNTER, RESERVED_AT_ONCE).await?;
        *reserved = first + 1..first + u64::from(RESERVED_AT_ONCE);
        Ok(first)
    }
}
