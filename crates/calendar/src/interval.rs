//! Which stretch of time does a booking or an opening cover?

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// A stretch of time that includes its start and excludes its end, in UTC; never empty.
///
/// Half-open, so that two bookings may touch without overlapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Ends")]
pub struct Interval {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

/// Why two instants are no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntervalFault {
    /// The end is at or before the start.
    #[error("the end is not after the start")]
    EndNotAfterStart,
}

impl Interval {
    /// The interval from `start` up to, not including, `end`.
    ///
    /// # Errors
    /// [`IntervalFault::EndNotAfterStart`] when it would be empty or run backwards.
    pub fn try_new(start: DateTime<Utc>, end: DateTime<Utc>) -> Result<Self, IntervalFault> {
        if end <= start {
            return Err(IntervalFault::EndNotAfterStart);
        }
        Ok(Self { start, end })
    }

    /// The first instant inside.
    pub const fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The first instant after it.
    pub const fn end(&self) -> DateTime<Utc> {
        self.end
    }

    /// How long it lasts in real time; always positive. A clock change inside makes this differ from the wall clock's
    /// difference.
    pub fn duration(&self) -> TimeDelta {
        self.end - self.start
    }

    /// Whether some instant lies in both; intervals that touch do not overlap.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether the instant lies inside: at the start yes, at the end no.
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.start <= instant && instant < self.end
    }

    /// Whether every instant of the other lies inside this one.
    pub fn encloses(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// The stored form, checked when it becomes an [`Interval`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ends {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl TryFrom<Ends> for Interval {
    type Error = IntervalFault;

    fn try_from(ends: Ends) -> Result<Self, IntervalFault> {
        Self::try_new(ends.start, ends.end)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::{Interval, IntervalFault};
    use crate::samples::{interval, utc};

    #[test]
    fn an_interval_needs_an_end_after_its_start() {
        let noon = utc("2026-03-08T12:00:00Z");
        let tick = TimeDelta::microseconds(1);
        assert_eq!(
            Interval::try_new(noon, noon),
            Err(IntervalFault::EndNotAfterStart)
        );
        assert_eq!(
            Interval::try_new(noon, noon - tick),
            Err(IntervalFault::EndNotAfterStart)
        );
        assert_eq!(Interval::try_new(noon, noon + tick).unwrap().duration(), tick);
    }

    #[test]
    fn touching_intervals_do_not_overlap() {
        let morning = interval("2026-03-08T09:00:00Z", "2026-03-08T10:00:00Z");
        let next = interval("2026-03-08T10:00:00Z", "2026-03-08T11:00:00Z");
        assert!(!morning.overlaps(&next));
        assert!(!next.overlaps(&morning));
    }

    #[test]
    fn an_interval_overlaps_what_it_encloses_and_itself() {
        let outer = interval("2026-03-08T09:00:00Z", "2026-03-08T12:00:00Z");
        let inner = interval("2026-03-08T10:00:00Z", "2026-03-08T11:00:00Z");
        assert!(outer.overlaps(&inner) && inner.overlaps(&outer) && outer.overlaps(&outer));
        assert!(outer.encloses(&inner) && outer.encloses(&outer) && !inner.encloses(&outer));
    }

    #[test]
    fn the_start_is_inside_and_the_end_is_not() {
        let hour = interval("2026-03-08T09:00:00Z", "2026-03-08T10:00:00Z");
        let tick = TimeDelta::microseconds(1);
        assert!(hour.contains(hour.start()) && hour.contains(hour.end() - tick));
        assert!(!hour.contains(hour.end()) && !hour.contains(hour.start() - tick));
    }

    #[test]
    fn json_is_two_instants_and_an_empty_interval_does_not_read_back() {
        let hour = interval("2026-03-08T09:00:00Z", "2026-03-08T10:00:00Z");
        let json = r#"{"start":"2026-03-08T09:00:00Z","end":"2026-03-08T10:00:00Z"}"#;
        assert_eq!(serde_json::to_string(&hour).unwrap(), json);
        assert_eq!(serde_json::from_str::<Interval>(json).unwrap(), hour);
        let empty = r#"{"start":"2026-03-08T09:00:00Z","end":"2026-03-08T09:00:00Z"}"#;
        assert!(serde_json::from_str::<Interval>(empty).is_err());
    }

    proptest! {
        #[test]
        fn overlap_means_that_an_instant_is_shared(a in 0i64..40, b in 1i64..20, c in 0i64..40, d in 1i64..20) {
            let epoch = utc("2026-01-01T00:00:00Z");
            let at = |hours: i64| epoch + TimeDelta::hours(hours);
            let one = Interval::try_new(at(a), at(a + b)).unwrap();
            let two = Interval::try_new(at(c), at(c + d)).unwrap();
            let shared = (0..60).any(|hour| one.contains(at(hour)) && two.contains(at(hour)));
            prop_assert_eq!(one.overlaps(&two), shared);
        }
    }
}
