//! Do templates keep their form, and do they mean the right instants around clock changes?

use chrono::{NaiveDate, TimeDelta, Weekday};
use proptest::prelude::*;

use super::{HoursFault, LocalHours, STRETCHES_PER_DAY_MAX, WEEK, WeeklyHours};
use crate::interval::Interval;
use crate::local::{day_bounds, local_date};
use crate::samples::{any_telling_date, any_zone, date, interval, zone};

fn hours(text: &str) -> LocalHours {
    text.parse().unwrap()
}

fn every_day(stretches: &[&str]) -> WeeklyHours {
    WeeklyHours::try_new(
        WEEK.into_iter()
            .flat_map(|day| stretches.iter().map(move |text| (day, hours(text)))),
    )
    .unwrap()
}

fn open(stretches: &[&str], zone_name: &str, day: &str) -> Vec<Interval> {
    every_day(stretches).on(zone(zone_name), date(day))
}

#[test]
fn hours_on_both_sides_of_the_gap_keep_their_wall_clock_time() {
    assert_eq!(
        open(&["00:30-01:30", "09:00-17:00"], "America/New_York", "2026-03-08"),
        [
            interval("2026-03-08T05:30:00Z", "2026-03-08T06:30:00Z"),
            interval("2026-03-08T13:00:00Z", "2026-03-08T21:00:00Z"),
        ]
    );
}

#[test]
fn nine_o_clock_is_another_instant_the_day_before_the_change() {
    let (before, after) = (
        open(&["09:00-10:00"], "America/New_York", "2026-03-07"),
        open(&["09:00-10:00"], "America/New_York", "2026-03-09"),
    );
    assert_eq!(before, [interval("2026-03-07T14:00:00Z", "2026-03-07T15:00:00Z")]);
    assert_eq!(after, [interval("2026-03-09T13:00:00Z", "2026-03-09T14:00:00Z")]);
}

#[test]
fn hours_over_the_gap_are_shorter_in_real_time() {
    let night = open(&["01:00-04:00"], "America/New_York", "2026-03-08");
    assert_eq!(night, [interval("2026-03-08T06:00:00Z", "2026-03-08T08:00:00Z")]);
}

#[test]
fn the_part_of_hours_inside_the_gap_is_cut() {
    let new_york = |text| open(&[text], "America/New_York", "2026-03-08");
    assert_eq!(
        new_york("01:30-02:30"),
        [interval("2026-03-08T06:30:00Z", "2026-03-08T07:00:00Z")]
    );
    assert_eq!(
        new_york("02:30-03:30"),
        [interval("2026-03-08T07:00:00Z", "2026-03-08T07:30:00Z")]
    );
    assert_eq!(new_york("02:00-03:00"), []);
    assert_eq!(new_york("02:15-02:45"), []);
}

#[test]
fn hours_over_a_repeated_hour_are_longer_in_real_time() {
    let night = open(&["00:00-03:00"], "America/New_York", "2026-11-01");
    assert_eq!(night, [interval("2026-11-01T04:00:00Z", "2026-11-01T08:00:00Z")]);
}

#[test]
fn an_end_inside_a_repeated_hour_means_its_first_occurrence() {
    assert_eq!(
        open(
            &["00:30-01:30", "01:45-02:30", "13:00-17:00"],
            "America/New_York",
            "2026-11-01"
        ),
        [
            interval("2026-11-01T04:30:00Z", "2026-11-01T05:30:00Z"),
            interval("2026-11-01T05:45:00Z", "2026-11-01T07:30:00Z"),
            interval("2026-11-01T18:00:00Z", "2026-11-01T22:00:00Z"),
        ]
    );
}

#[test]
fn london_hours_follow_summer_time() {
    let nine = |day| open(&["09:00-10:00"], "Europe/London", day);
    assert_eq!(
        nine("2026-03-28"),
        [interval("2026-03-28T09:00:00Z", "2026-03-28T10:00:00Z")]
    );
    assert_eq!(
        nine("2026-03-29"),
        [interval("2026-03-29T08:00:00Z", "2026-03-29T09:00:00Z")]
    );
    assert_eq!(
        nine("2026-10-24"),
        [interval("2026-10-24T08:00:00Z", "2026-10-24T09:00:00Z")]
    );
    assert_eq!(
        nine("2026-10-25"),
        [interval("2026-10-25T09:00:00Z", "2026-10-25T10:00:00Z")]
    );
}

#[test]
fn lord_howe_cuts_half_an_hour() {
    assert_eq!(
        open(&["01:30-03:00"], "Australia/Lord_Howe", "2026-10-04"),
        [interval("2026-10-03T15:00:00Z", "2026-10-03T16:00:00Z")]
    );
    assert_eq!(
        open(&["01:30-03:00"], "Australia/Lord_Howe", "2026-04-05"),
        [interval("2026-04-04T14:30:00Z", "2026-04-04T16:30:00Z")]
    );
}

#[test]
fn the_whole_day_is_the_day_and_kolkata_never_changes() {
    assert_eq!(
        open(&["00:00-24:00"], "Asia/Kolkata", "2026-03-08"),
        [interval("2026-03-07T18:30:00Z", "2026-03-08T18:30:00Z")]
    );
    for (name, day) in [
        ("Africa/Cairo", "2026-04-24"),
        ("America/New_York", "2026-11-01"),
        ("UTC", "2026-01-01"),
    ] {
        assert_eq!(
            open(&["00:00-24:00"], name, day),
            [day_bounds(zone(name), date(day)).unwrap()]
        );
    }
}

#[test]
fn a_weekday_that_is_not_named_is_closed() {
    let mondays = WeeklyHours::try_new([(Weekday::Mon, hours("09:00-10:00"))]).unwrap();
    assert_eq!(mondays.on(zone("UTC"), date("2026-03-09")).len(), 1);
    assert_eq!(mondays.on(zone("UTC"), date("2026-03-10")), []);
    assert_eq!(WeeklyHours::default().on(zone("UTC"), date("2026-03-09")), []);
}

#[test]
fn a_date_that_does_not_exist_and_the_last_date_are_closed() {
    assert_eq!(open(&["00:00-24:00"], "Pacific/Apia", "2011-12-30"), []);
    assert_eq!(every_day(&["00:00-24:00"]).on(zone("UTC"), NaiveDate::MAX), []);
}

#[test]
fn touching_stretches_are_joined_and_order_does_not_matter() {
    let one = every_day(&["13:00-17:00", "09:00-12:00", "12:00-13:00"]);
    assert_eq!(one.on_weekday(Weekday::Sun), [hours("09:00-17:00")]);
    assert_eq!(one, every_day(&["09:00-17:00"]));
}

#[test]
fn overlapping_stretches_are_refused_on_one_day_only() {
    let (early, late) = (hours("09:00-12:01"), hours("12:00-13:00"));
    assert_eq!(
        WeeklyHours::try_new([(Weekday::Mon, late), (Weekday::Mon, early)]),
        Err(HoursFault::Overlapping)
    );
    assert!(WeeklyHours::try_new([(Weekday::Mon, late), (Weekday::Tue, early)]).is_ok());
}

#[test]
fn a_weekday_has_at_most_the_stated_number_of_stretches() {
    let stretches = |count: usize| {
        (0u16..)
            .take(count)
            .map(|at| (Weekday::Fri, LocalHours::try_new(at * 30, at * 30 + 15).unwrap()))
    };
    assert!(WeeklyHours::try_new(stretches(STRETCHES_PER_DAY_MAX)).is_ok());
    assert_eq!(
        WeeklyHours::try_new(stretches(STRETCHES_PER_DAY_MAX + 1)),
        Err(HoursFault::TooMany)
    );
}

#[test]
fn hours_are_read_from_their_text_and_nothing_else() {
    assert_eq!(hours("00:00-24:00"), LocalHours::try_new(0, 1_440).unwrap());
    assert_eq!(hours("09:05-12:30").to_string(), "09:05-12:30");
    for text in [
        "",
        "09:00",
        "9:00-10:00",
        "09:00-10",
        "09:00-24:01",
        "25:00-26:00",
        "09:60-10:00",
        "+9:00-10:00",
        "09:00 -10:00",
    ] {
        assert_eq!(text.parse::<LocalHours>(), Err(HoursFault::Malformed), "{text:?}");
    }
    for text in ["10:00-10:00", "10:00-09:00", "22:00-06:00", "24:00-24:00"] {
        assert_eq!(
            text.parse::<LocalHours>(),
            Err(HoursFault::ClosesNotAfterOpening),
            "{text:?}"
        );
    }
}

#[test]
fn json_names_the_open_weekdays_and_reads_back() {
    let week = WeeklyHours::try_new([
        (Weekday::Mon, hours("09:00-12:00")),
        (Weekday::Sun, hours("10:00-24:00")),
    ])
    .unwrap();
    let json = r#"{"mon":["09:00-12:00"],"sun":["10:00-24:00"]}"#;
    assert_eq!(serde_json::to_string(&week).unwrap(), json);
    assert_eq!(serde_json::from_str::<WeeklyHours>(json).unwrap(), week);
    assert!(serde_json::from_str::<WeeklyHours>(r#"{"mon":["09:00-12:00","11:00-13:00"]}"#).is_err());
    assert!(serde_json::from_str::<WeeklyHours>(r#"{"monday":[]}"#).is_err());
}

/// Ordered cuts of a day, taken in pairs: disjoint stretches to any minute.
fn any_template() -> impl Strategy<Value = WeeklyHours> {
    prop::collection::btree_set(0u16..=1_440, 2..12).prop_map(|cuts| {
        let cuts: Vec<u16> = cuts.into_iter().collect();
        let stretches: Vec<LocalHours> = cuts
            .chunks_exact(2)
            .map(|pair| LocalHours::try_new(pair[0], pair[1]).unwrap())
            .collect();
        WeeklyHours::try_new(
            WEEK.into_iter()
                .flat_map(|day| stretches.iter().map(move |hours| (day, *hours))),
        )
        .unwrap()
    })
}

proptest! {
    #[test]
    fn expanded_hours_are_ordered_disjoint_and_inside_their_date(
        template in any_template(), zone in any_zone(), day in any_telling_date(),
    ) {
        let open = template.on(zone, day);
        let bounds = day_bounds(zone, day).unwrap();
        for pair in open.windows(2) {
            prop_assert!(pair[0].end() <= pair[1].start());
        }
        for hours in &open {
            prop_assert!(bounds.encloses(hours));
            prop_assert_eq!(local_date(zone, hours.start()), day);
            prop_assert_eq!(local_date(zone, hours.end() - TimeDelta::microseconds(1)), day);
        }
    }

    #[test]
    fn a_wall_clock_minute_is_open_exactly_when_the_template_says_so(
        template in any_template(), zone in any_zone(), day in any_telling_date(), minute in 0u16..1_440,
    ) {
        let wall = day.and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute));
        if let Some(instant) = crate::local::local_to_utc(zone, wall) {
            let meant = template
                .on_weekday(chrono::Datelike::weekday(&day))
                .iter()
                .any(|hours| hours.opens_minute() <= minute && minute < hours.closes_minute());
            let open = template.on(zone, day).iter().any(|hours| hours.contains(instant));
            prop_assert_eq!(open, meant);
        }
    }

    #[test]
    fn a_template_reads_back_from_its_json(template in any_template()) {
        let json = serde_json::to_string(&template).unwrap();
        prop_assert_eq!(serde_json::from_str::<WeeklyHours>(&json).unwrap(), template);
    }
}
