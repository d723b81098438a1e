//! Which calendar time does a record take, and from whom?

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::refusal::Refusal;

/// Whose calendar time a span takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CalendarKind {
    /// A practitioner's.
    Practitioner,
    /// A patient's.
    Patient,
    /// A room's.
    Room,
}

/// A calendar that time is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Calendar {
    /// Whose kind.
    pub kind: CalendarKind,
    /// Whose.
    pub id: Uuid,
}

/// How a span shares its calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// May overlap nothing that is already there.
    Normal,
    /// An overbooking, of a practitioner only: is not checked against anything.
    Over,
}

/// Time taken from a calendar: half-open, microseconds UTC since 1970, `starts < ends`. Its owner is the stream whose state
/// says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// From which calendar.
    pub calendar: Calendar,
    /// Normal or over.
    pub layer: Layer,
    /// First microsecond.
    pub starts: i64,
    /// The microsecond after the last.
    pub ends: i64,
}

/// The microseconds an interval covers, in full or in part, as a half-open pair; never empty for a non-empty interval.
pub fn microseconds(starts: DateTime<Utc>, ends: DateTime<Utc>) -> (i64, i64) {
    let first = starts.timestamp_micros();
    let just_before = ends.checked_sub_signed(TimeDelta::nanoseconds(1)).unwrap_or(ends);
    // A start within a leap second counts as one within the second after it, which may be where the end is.
    let last = just_before.timestamp_micros().max(first);
    (first, last.saturating_add(1))
}

/// What a caller is told when the log finds that time taken.
pub const fn refusal_for_span(kind: CalendarKind) -> Refusal {
    match kind {
        CalendarKind::Practitioner => Refusal::PractitionerBusy,
        CalendarKind::Patient => Refusal::PatientBusy,
        CalendarKind::Room => Refusal::RoomBusy,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::microseconds;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn whole_microseconds_are_covered_exactly() {
        let (starts, ends) = microseconds(at("1970-01-01T00:00:01Z"), at("1970-01-01T00:00:02.000001Z"));
        assert_eq!((starts, ends), (1_000_000, 2_000_001));
    }

    #[test]
    fn part_of_a_microsecond_is_covered_as_a_whole() {
        let (starts, ends) = microseconds(
            at("1969-12-31T23:59:59.9999985Z"),
            at("1969-12-31T23:59:59.9999986Z"),
        );
        assert_eq!((starts, ends), (-2, -1));
    }
    #[test]
    fn a_leap_second_takes_time_too() {
        let (starts, ends) = microseconds(at("2016-12-31T23:59:60.5Z"), at("2017-01-01T00:00:00.2Z"));
        assert!(starts < ends);
    }
}
