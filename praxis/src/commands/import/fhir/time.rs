//! Which instant, or which days, does a FHIR `dateTime` mean?

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeDelta, Utc};
use praxis_domain::values::birth_date::BirthDate;
use praxis_events::personal::Personal;

/// The most digits of a fraction of a second that the record keeps: microseconds.
const FRACTION_DIGITS_MAX: usize = 6;

/// The offset from UTC, hours, where a day begins first.
const FIRST_OFFSET_HOURS: i64 = 14;

/// The offset from UTC, hours, where a day ends last, counted westward.
const LAST_OFFSET_HOURS: i64 = 12;

/// An instant with an offset, of a year from 1 to 9999 and exact to the microsecond. Anything finer would be rounded, and
/// rounding can make two visits overlap.
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    // `YYYY-MM-DDThh:mm:ss`, a fraction, then `Z` or an offset; chrono alone takes leap seconds and other separators too.
    let (clock, rest) = text.split_at_checked(19)?;
    let offset_from = rest.find(['Z', '+', '-'])?;
    let (fraction, offset) = rest.split_at(offset_from);
    let digits = match fraction.strip_prefix('.') {
        None if fraction.is_empty() => "",
        None | Some("") => return None,
        Some(digits) => digits.trim_end_matches('0'),
    };
    let well_formed = clock.as_bytes().get(10) == Some(&b'T')
        && clock.get(17..).is_some_and(|second| second < "60")
        && digits.len() <= FRACTION_DIGITS_MAX
        && is_offset(offset);
    let instant = DateTime::parse_from_rfc3339(text).ok().filter(|_| well_formed)?;
    let in_years = |year: i32| (1..=9_999).contains(&year);
    let utc = instant.with_timezone(&Utc);
    (in_years(instant.year()) && in_years(utc.year())).then_some(utc)
}

/// `Z`, or up to fourteen hours either way.
fn is_offset(text: &str) -> bool {
    let Some(shift) = text.strip_prefix(['+', '-']) else {
        return text == "Z";
    };
    let minutes_ok = shift.get(3..).is_some_and(|minutes| minutes < "60");
    shift.len() == 5 && minutes_ok && shift <= "14:00"
}

/// The days that a full or partial date can mean.
pub struct Days {
    first: NaiveDate,
    last: NaiveDate,
}

impl Days {
    /// The days of `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub fn read(text: &str) -> Option<Self> {
        let date = BirthDate::from_stored(Personal::new(text.to_owned()));
        let (first, last) = (date.earliest()?, date.latest()?);
        (first.year() >= 1).then_some(Self { first, last })
    }

    /// The first instant they can mean, anywhere.
    pub fn begin(&self) -> Option<DateTime<Utc>> {
        self.first
            .and_time(NaiveTime::MIN)
            .and_utc()
            .checked_sub_signed(TimeDelta::hours(FIRST_OFFSET_HOURS))
    }

    /// The instant at which they are over everywhere.
    pub fn end(&self) -> Option<DateTime<Utc>> {
        let next = self.last.succ_opt()?.and_time(NaiveTime::MIN).and_utc();
        next.checked_add_signed(TimeDelta::hours(LAST_OFFSET_HOURS))
    }
}

/// The date where the day is furthest on: what "today" is for the birth of a person of an unknown place.
pub fn latest_date(now: DateTime<Utc>) -> NaiveDate {
    now.checked_add_signed(TimeDelta::hours(FIRST_OFFSET_HOURS))
        .unwrap_or(now)
        .date_naive()
}

#[cfg(test)]
mod tests {
    use super::{Days, instant, latest_date};

    fn utc(text: &str) -> chrono::DateTime<chrono::Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn instants_of_one_moment_are_equal_whatever_their_offset() {
        for text in [
            "2021-03-01T09:00:00-05:00",
            "2021-03-01T15:00:00.000000000+01:00",
            "2021-03-01T14:00:00Z",
        ] {
            assert_eq!(instant(text), Some(utc("2021-03-01T14:00:00Z")), "{text}");
        }
        assert_eq!(
            instant("2021-03-01T14:00:00.0000010Z"),
            Some(utc("2021-03-01T14:00:00.000001Z"))
        );
        assert!(instant("2021-03-02T04:00:00+14:00").is_some());
    }

    #[test]
    fn what_is_no_exact_instant_is_none() {
        for text in [
            "",
            "2021",
            "2021-03-01",
            "2021-03-01T09:00:00",
            "2021-03-01T09:00Z",
            "2021-02-29T09:00:00Z",
            "2021-03-01T24:00:00Z",
            "2021-03-01T09:00:60Z",
            "2021-03-01t09:00:00Z",
            "2021-03-01 09:00:00Z",
            "2021-03-01T09:00:00z",
            "2021-03-01T09:00:00.Z",
            "2021-03-01T09:00:00,1Z",
            "2021-03-01T09:00:00.1234567Z",
            "2021-03-01T09:00:00+14:01",
            "2021-03-01T09:00:00+15:00",
            "2021-03-01T09:00:00+01:60",
            "2021-03-01T09:00:00+0100",
            "0000-03-01T09:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "2021-03-01T09:00:0é",
            "2021-03-01T09:00:00Zx",
            "12021-03-01T09:00:00Z",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn a_partial_date_lasts_from_its_first_beginning_to_its_last_end() {
        let days = Days::read("2019-11").unwrap();
        assert_eq!(days.begin(), Some(utc("2019-10-31T10:00:00Z")));
        assert_eq!(days.end(), Some(utc("2019-12-01T12:00:00Z")));
        let day = Days::read("2020-02-29").unwrap();
        assert_eq!(
            (day.begin(), day.end()),
            (
                Some(utc("2020-02-28T10:00:00Z")),
                Some(utc("2020-03-01T12:00:00Z"))
            )
        );
        for text in ["", "20", "2020-13", "2021-02-29", "0000", "2020-1"] {
            assert!(Days::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn today_is_the_date_furthest_on() {
        assert_eq!(latest_date(utc("2026-01-01T09:59:59Z")).to_string(), "2026-01-01");
        assert_eq!(latest_date(utc("2026-01-01T10:00:00Z")).to_string(), "2026-01-02");
    }
}
