//! What time is it? The only place that asks the system.

use std::time::SystemTime;

use chrono::{DateTime, Utc};

/// The system's present instant, UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one home of the system's clock"
)]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The system's present instant in microseconds since 1970 UTC, as the record keeps times.
pub fn now_micros() -> i64 {
    now().timestamp_micros()
}

/// The system's present instant in the form span exporters want.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one home of the system's clock"
)]
pub(crate) fn system_now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_tell_one_time() {
        let before = now();
        let micros = now_micros();
        let system = DateTime::<Utc>::from(system_now());
        let after = now();
        assert!((before.timestamp_micros()..=after.timestamp_micros()).contains(&micros));
        assert!((before..=after).contains(&system));
        assert!(before.timestamp() > 1_700_000_000, "the clock is set");
    }
}
