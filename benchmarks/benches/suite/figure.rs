//! What is measured of a load: how many a second, and how long each waited.

use std::time::Duration;

/// A load's outcome.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Ended within the measured time, per second of it.
    pub per_second: f64,
    /// Half of them waited no longer.
    pub p50: Duration,
    /// Ninety-nine of a hundred waited no longer.
    pub p99: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Figure {
    /// Of the waits of everything that ended within that time.
    pub fn of(mut waited: Vec<Duration>, within: Duration) -> Self {
        waited.sort_unstable();
        let at = |share: f64| {
            let place = ((waited.len() as f64) * share) as usize;
            waited.get(place).copied().unwrap_or_default()
        };
        Self {
            per_second: waited.len() as f64 / within.as_secs_f64(),
            p50: at(0.50),
            p99: at(0.99),
            longest: waited.last().copied().unwrap_or_default(),
        }
    }

    /// Rate, then p50 and p99, for a table.
    pub fn cell(&self) -> String {
        let (p50, p99) = (millis(self.p50), millis(self.p99));
        format!("{:.0} ({p50:.1} / {p99:.1} ms)", self.per_second)
    }
}

/// Milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
