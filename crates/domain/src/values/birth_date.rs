//! When was a person born, as exactly as it is known?

use chrono::{Months, NaiveDate};
use praxis_events::personal::Personal;

use super::fault::ValueFault;
use super::text::personal_text;

/// The greatest age in completed years; beyond it a birth date is taken for a typing error.
pub const AGE_YEARS_MAX: u32 = 125;

personal_text! {
    /// A birth date that may be partial: FHIR `date`, written YYYY, YYYY-MM or YYYY-MM-DD. The precision is kept.
    BirthDate
}

/// How much of a date is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// The year only.
    Year,
    /// Year and month.
    Month,
    /// The day.
    Day,
}

impl BirthDate {
    /// Reads a birth date; `today` is the practice's local date.
    ///
    /// A partial date is refused only when no day it may mean would be accepted.
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::InvalidDate`], [`ValueFault::FutureDate`], and [`ValueFault::TooLongAgo`] when
    /// the person would be older than [`AGE_YEARS_MAX`].
    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, ValueFault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ValueFault::Empty);
        }
        let days = Days::read(text).ok_or(ValueFault::InvalidDate)?;
        if days.first > today {
            return Err(ValueFault::FutureDate);
        }
        let too_old_on = days
            .last
            .checked_add_months(Months::new((AGE_YEARS_MAX + 1) * 12));
        if too_old_on.is_some_and(|day| day <= today) {
            return Err(ValueFault::TooLongAgo);
        }
        Ok(Self(Personal::new(text.to_owned())))
    }

    /// The birth date an event stores, not validated again.
    pub const fn from_stored(text: Personal<String>) -> Self {
        Self(text)
    }

    /// How much of the date is known; `None` for a stored text that is no date.
    pub fn precision(&self) -> Option<Precision> {
        Days::read(self.reveal()).map(|days| days.precision)
    }

    /// The first day the date may mean; `None` for a stored text that is no date.
    pub fn earliest(&self) -> Option<NaiveDate> {
        Days::read(self.reveal()).map(|days| days.first)
    }

    /// The last day the date may mean; `None` for a stored text that is no date.
    pub fn latest(&self) -> Option<NaiveDate> {
        Days::read(self.reveal()).map(|days| days.last)
    }
}

/// The days a date may mean.
struct Days {
    precision: Precision,
    first: NaiveDate,
    last: NaiveDate,
}

impl Days {
    fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        match parts.as_slice() {
            [year] => {
                let year = digits(year, 4)?.try_into().ok()?;
                let (first, last) = (
                    NaiveDate::from_ymd_opt(year, 1, 1)?,
                    NaiveDate::from_ymd_opt(year, 12, 31)?,
                );
                Some(Self {
                    precision: Precision::Year,
                    first,
                    last,
                })
            }
            [year, month] => {
                let first = NaiveDate::from_ymd_opt(digits(year, 4)?.try_into().ok()?, digits(month, 2)?, 1)?;
                let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
                Some(Self {
                    precision: Precision::Month,
                    first,
                    last,
                })
            }
            [year, month, day] => {
                let year = digits(year, 4)?.try_into().ok()?;
                let first = NaiveDate::from_ymd_opt(year, digits(month, 2)?, digits(day, 2)?)?;
                Some(Self {
                    precision: Precision::Day,
                    first,
                    last: first,
                })
            }
            _ => None,
        }
    }
}

/// A number of exactly that many ASCII digits.
fn digits(text: &str, len: usize) -> Option<u32> {
    (text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::{BirthDate, Precision};
    use crate::values::fault::ValueFault;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn parse(text: &str) -> Result<BirthDate, ValueFault> {
        BirthDate::parse(text, day("2026-06-15"))
    }

    #[test]
    fn the_precision_is_kept() {
        for (text, precision, first, last) in [
            ("1984", Precision::Year, "1984-01-01", "1984-12-31"),
            ("1984-02", Precision::Month, "1984-02-01", "1984-02-29"),
            ("1984-12", Precision::Month, "1984-12-01", "1984-12-31"),
            ("1984-02-29", Precision::Day, "1984-02-29", "1984-02-29"),
        ] {
            let date = parse(&format!(" {text} ")).unwrap();
            assert_eq!(date.reveal(), text);
            assert_eq!(date.precision(), Some(precision));
            assert_eq!(
                (date.earliest(), date.latest()),
                (Some(day(first)), Some(day(last)))
            );
        }
    }

    #[test]
    fn what_is_no_day_of_the_calendar_is_refused() {
        for text in [
            "84",
            "19840",
            "1984-2",
            "1984-13",
            "1984-00",
            "1985-02-29",
            "1984-04-31",
            "1984-1-1",
            "15.06.1984",
            "1984/06",
            "1984-06-15T00:00",
            "-984",
            "+984",
            "١٩٨٤",
            "1984-06-15-01",
        ] {
            assert_eq!(parse(text), Err(ValueFault::InvalidDate), "{text:?}");
        }
        assert_eq!(parse(" "), Err(ValueFault::Empty));
    }

    #[test]
    fn a_date_may_be_today_but_not_later() {
        for text in ["2026-06-15", "2026-06", "2026"] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in ["2026-06-16", "2026-07", "2027"] {
            assert_eq!(parse(text), Err(ValueFault::FutureDate), "{text}");
        }
    }

    #[test]
    fn an_age_of_125_is_taken_and_126_is_not() {
        for text in ["1900-06-16", "1900-06", "1900"] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in ["1900-06-15", "1900-05", "1899", "0000", "0001-01-01"] {
            assert_eq!(parse(text), Err(ValueFault::TooLongAgo), "{text}");
        }
    }

    #[test]
    fn a_stored_text_reads_back_even_if_it_is_no_date() {
        let date: BirthDate = serde_json::from_str(r#""circa 1900""#).unwrap();
        assert_eq!(
            (date.precision(), date.earliest(), date.latest()),
            (None, None, None)
        );
        assert_eq!(format!("{date:?}"), "BirthDate((personal))");
    }
}
