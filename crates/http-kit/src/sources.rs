//! Where do time and new ids come from? From the main; tests give fixed ones.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The clock and the source of ids of a process.
#[derive(Clone)]
pub struct Sources {
    now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    new_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
}

impl Sources {
    /// Sources made of a clock and a maker of ids whose low 62 bits are random, as UUIDv7 has them.
    pub fn new(
        now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
        new_id: impl Fn() -> Uuid + Send + Sync + 'static,
    ) -> Self {
        Self {
            now: Arc::new(now),
            new_id: Arc::new(new_id),
        }
    }

    /// The present instant.
    pub fn now(&self) -> DateTime<Utc> {
        (self.now)()
    }

    /// A new id.
    pub fn new_id(&self) -> Uuid {
        (self.new_id)()
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources")
    }
}

#[cfg(test)]
pub(crate) mod fixed {
    //! A clock that stands still and ids that count.

    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// 2027-01-15 08:00:00 UTC, and ids 1, 2, 3 … as UUIDs.
    pub(crate) fn sources() -> Sources {
        let count = AtomicU64::new(0);
        let next = move || Uuid::from_u128(u128::from(count.fetch_add(1, Ordering::Relaxed)) + 1);
        Sources::new(|| DateTime::from_timestamp(1_800_000_000, 0).unwrap(), next)
    }
}
