//! Which instant does a wall clock show, and which date and time does an instant show there?

use chrono::{DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::GapInfo;

use crate::interval::Interval;
use crate::zone::Zone;

/// The instant at which the zone's wall clock shows that date and time.
///
/// `None` where clocks jump over it; the first of the two where clocks are turned back over it.
pub fn local_to_utc(zone: Zone, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.tz().from_local_datetime(&wall) {
        MappedLocalTime::None => None,
        MappedLocalTime::Single(at) => Some(at.to_utc()),
        MappedLocalTime::Ambiguous(one, other) => Some(one.to_utc().min(other.to_utc())),
    }
}

/// The date and time the zone's wall clock shows at that instant.
///
/// Total: within a day of the ends of chrono's range (the years ±262,000), where the local time would not fit, it is the
/// UTC one.
pub fn local(zone: Zone, instant: DateTime<Utc>) -> NaiveDateTime {
    let utc = instant.naive_utc();
    let offset = zone.tz().offset_from_utc_datetime(&utc).fix();
    utc.checked_add_offset(offset).unwrap_or(utc)
}

/// The date in the zone at that instant.
pub fn local_date(zone: Zone, instant: DateTime<Utc>) -> NaiveDate {
    local(zone, instant).date()
}

/// The instants of a local date, from its first to the first of the next date: 23, 24 or 25 hours, and other lengths where
/// clocks change otherwise.
///
/// Where 00:00 does not exist the day starts when the gap ends. `None` for a date the zone left out altogether
/// (Pacific/Apia had no 2011-12-30) and at the ends of chrono's range.
pub fn day_bounds(zone: Zone, date: NaiveDate) -> Option<Interval> {
    let start = first_instant_from(zone, date.and_time(NaiveTime::MIN))?;
    let end = first_instant_from(zone, date.succ_opt()?.and_time(NaiveTime::MIN))?;
    Interval::try_new(start, end).ok()
}

/// The first instant at which the wall clock shows that time, or, where clocks jump over it, the instant of the jump.
///
/// This is what cuts opening hours to the part that exists: both ends inside one gap become the same instant.
pub(crate) fn first_instant_from(zone: Zone, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    local_to_utc(zone, wall).or_else(|| {
        GapInfo::new(&wall, &zone.tz())
            .and_then(|gap| gap.end)
            .map(|after| after.to_utc())
    })
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Utc};
    use proptest::prelude::*;

    use super::{day_bounds, local, local_date, local_to_utc};
    use crate::samples::{any_telling_date, any_zone, date, interval, utc, wall, zone};

    fn shown_at(zone_name: &str, wall_text: &str) -> Option<chrono::DateTime<Utc>> {
        local_to_utc(zone(zone_name), wall(wall_text))
    }

    #[test]
    fn new_york_in_march_has_no_time_from_two_to_three() {
        let new_york = "America/New_York";
        assert_eq!(
            shown_at(new_york, "2026-03-08T01:59:59"),
            Some(utc("2026-03-08T06:59:59Z"))
        );
        assert_eq!(shown_at(new_york, "2026-03-08T02:00:00"), None);
        assert_eq!(shown_at(new_york, "2026-03-08T02:59:59"), None);
        assert_eq!(
            shown_at(new_york, "2026-03-08T03:00:00"),
            Some(utc("2026-03-08T07:00:00Z"))
        );
    }

    #[test]
    fn new_york_in_november_means_the_first_of_two() {
        let new_york = "America/New_York";
        assert_eq!(
            shown_at(new_york, "2026-11-01T00:59:59"),
            Some(utc("2026-11-01T04:59:59Z"))
        );
        assert_eq!(
            shown_at(new_york, "2026-11-01T01:00:00"),
            Some(utc("2026-11-01T05:00:00Z"))
        );
        assert_eq!(
            shown_at(new_york, "2026-11-01T01:59:59"),
            Some(utc("2026-11-01T05:59:59Z"))
        );
        assert_eq!(
            shown_at(new_york, "2026-11-01T02:00:00"),
            Some(utc("2026-11-01T07:00:00Z"))
        );
    }

    #[test]
    fn london_skips_and_repeats_the_hour_from_one() {
        let london = "Europe/London";
        assert_eq!(shown_at(london, "2026-03-29T01:30:00"), None);
        assert_eq!(
            shown_at(london, "2026-03-29T02:00:00"),
            Some(utc("2026-03-29T01:00:00Z"))
        );
        assert_eq!(
            shown_at(london, "2026-10-25T01:30:00"),
            Some(utc("2026-10-25T00:30:00Z"))
        );
        assert_eq!(
            shown_at(london, "2026-10-25T02:00:00"),
            Some(utc("2026-10-25T02:00:00Z"))
        );
    }

    #[test]
    fn lord_howe_skips_and_repeats_half_an_hour() {
        let lord_howe = "Australia/Lord_Howe";
        assert_eq!(shown_at(lord_howe, "2026-10-04T02:00:00"), None);
        assert_eq!(shown_at(lord_howe, "2026-10-04T02:29:59"), None);
        assert_eq!(
            shown_at(lord_howe, "2026-10-04T02:30:00"),
            Some(utc("2026-10-03T15:30:00Z"))
        );
        assert_eq!(
            shown_at(lord_howe, "2026-04-05T01:45:00"),
            Some(utc("2026-04-04T14:45:00Z"))
        );
        assert_eq!(
            shown_at(lord_howe, "2026-04-05T02:00:00"),
            Some(utc("2026-04-04T15:30:00Z"))
        );
    }

    #[test]
    fn kolkata_is_five_and_a_half_hours_ahead_all_year() {
        assert_eq!(
            shown_at("Asia/Kolkata", "2026-01-15T00:00:00"),
            Some(utc("2026-01-14T18:30:00Z"))
        );
        assert_eq!(
            shown_at("Asia/Kolkata", "2026-07-15T00:00:00"),
            Some(utc("2026-07-14T18:30:00Z"))
        );
    }

    #[test]
    fn the_local_date_changes_at_local_midnight() {
        let kolkata = zone("Asia/Kolkata");
        assert_eq!(
            local_date(kolkata, utc("2026-03-08T18:29:59Z")),
            date("2026-03-08")
        );
        assert_eq!(
            local_date(kolkata, utc("2026-03-08T18:30:00Z")),
            date("2026-03-09")
        );
        assert_eq!(
            local(kolkata, utc("2026-03-08T18:30:00Z")),
            wall("2026-03-09T00:00:00")
        );
    }

    #[test]
    fn a_day_with_a_clock_change_is_longer_or_shorter() {
        let hours = |name, day| day_bounds(zone(name), date(day)).unwrap().duration();
        assert_eq!(hours("America/New_York", "2026-03-08"), TimeDelta::hours(23));
        assert_eq!(hours("America/New_York", "2026-11-01"), TimeDelta::hours(25));
        assert_eq!(
            hours("Australia/Lord_Howe", "2026-10-04"),
            TimeDelta::minutes(23 * 60 + 30)
        );
        assert_eq!(
            hours("Australia/Lord_Howe", "2026-04-05"),
            TimeDelta::minutes(24 * 60 + 30)
        );
        assert_eq!(hours("Asia/Kolkata", "2026-03-08"), TimeDelta::hours(24));
    }

    #[test]
    fn a_day_without_midnight_starts_when_the_gap_ends() {
        assert_eq!(shown_at("Africa/Cairo", "2026-04-24T00:00:00"), None);
        assert_eq!(
            day_bounds(zone("Africa/Cairo"), date("2026-04-24")),
            Some(interval("2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"))
        );
    }

    #[test]
    fn a_day_that_starts_twice_starts_the_first_time() {
        assert_eq!(
            day_bounds(zone("America/Havana"), date("2026-11-01")),
            Some(interval("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"))
        );
    }

    #[test]
    fn a_date_the_zone_left_out_has_no_bounds() {
        let apia = zone("Pacific/Apia");
        assert_eq!(day_bounds(apia, date("2011-12-30")), None);
        let before = day_bounds(apia, date("2011-12-29")).unwrap();
        let after = day_bounds(apia, date("2011-12-31")).unwrap();
        assert_eq!(before.end(), after.start());
    }

    #[test]
    fn the_ends_of_the_range_of_dates_are_answered_without_a_panic() {
        let (east, west) = (zone("Asia/Kolkata"), zone("America/New_York"));
        assert_eq!(local(east, chrono::DateTime::<Utc>::MAX_UTC), NaiveDateTime::MAX);
        assert_eq!(local(west, chrono::DateTime::<Utc>::MIN_UTC), NaiveDateTime::MIN);
        assert_eq!(local_to_utc(west, NaiveDateTime::MAX), None);
        assert_eq!(local_to_utc(east, NaiveDateTime::MIN), None);
        assert_eq!(day_bounds(east, NaiveDate::MAX), None);
        assert_eq!(day_bounds(east, NaiveDate::MIN), None);
    }

    proptest! {
        #[test]
        fn an_instant_comes_back_from_its_wall_time_or_as_the_first_of_two(
            zone in any_zone(), day in any_telling_date(), minute in 0i64..1_440,
        ) {
            let instant = day.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::minutes(minute);
            let shown = local(zone, instant);
            let back = local_to_utc(zone, shown).unwrap();
            prop_assert!(back <= instant);
            prop_assert_eq!(local(zone, back), shown);
            prop_assert!(instant - back <= TimeDelta::hours(1));
        }

        #[test]
        fn a_wall_time_that_exists_comes_back_from_its_instant(
            zone in any_zone(), day in any_telling_date(), minute in 0i64..1_440,
        ) {
            let meant = day.and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(minute);
            if let Some(instant) = local_to_utc(zone, meant) {
                prop_assert_eq!(local(zone, instant), meant);
            }
        }

        #[test]
        fn days_follow_each_other_without_gap_and_hold_their_own_instants(zone in any_zone(), day in any_telling_date()) {
            let today = day_bounds(zone, day).unwrap();
            let tomorrow = day_bounds(zone, day + TimeDelta::days(1)).unwrap();
            prop_assert_eq!(today.end(), tomorrow.start());
            let tick = TimeDelta::microseconds(1);
            prop_assert_eq!(local_date(zone, today.start()), day);
            prop_assert_eq!(local_date(zone, today.end() - tick), day);
            prop_assert_eq!(local_date(zone, today.start() - tick), day - TimeDelta::days(1));
        }
    }
}
