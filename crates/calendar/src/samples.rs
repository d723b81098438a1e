//! Which instants, dates and zones do the tests of this crate speak of?

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use proptest::prelude::*;

use crate::interval::Interval;
use crate::zone::Zone;

pub(crate) fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn wall(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

pub(crate) fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

pub(crate) fn interval(start: &str, end: &str) -> Interval {
    Interval::try_new(utc(start), utc(end)).unwrap()
}

/// Zones with whole-hour, half-hour, midnight, reversed and no clock changes.
pub(crate) fn any_zone() -> impl Strategy<Value = Zone> {
    prop::sample::select(vec![
        "UTC",
        "America/New_York",
        "Europe/London",
        "Europe/Dublin",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "America/Havana",
        "America/Nuuk",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Asia/Beirut",
        "Pacific/Apia",
        "Pacific/Chatham",
        "Pacific/Kiritimati",
    ])
    .prop_map(zone)
}

/// Any date from 2024 to 2031.
pub(crate) fn any_date() -> impl Strategy<Value = NaiveDate> {
    (0i64..8 * 365).prop_map(|days| date("2024-01-01") + chrono::TimeDelta::days(days))
}

/// Any date, with those of a clock change in [`any_zone`] and their neighbours much more often.
pub(crate) fn any_telling_date() -> impl Strategy<Value = NaiveDate> {
    let changes = [
        "2026-03-08",
        "2026-11-01",
        "2026-03-29",
        "2026-10-25",
        "2026-04-05",
        "2026-10-04",
        "2026-09-27",
        "2026-04-24",
        "2026-10-30",
        "2026-02-15",
        "2026-03-22",
    ];
    prop_oneof![
        any_date(),
        (prop::sample::select(changes.map(date).to_vec()), -1i64..=1)
            .prop_map(|(day, shift)| day + chrono::TimeDelta::days(shift))
    ]
}
