//! How is a birth date read, when whether it can be one depends on today?

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use praxis_domain::values::birth_date::BirthDate;
use praxis_domain::values::fault::ValueFault;
use praxis_events::personal::Personal;
use praxis_http_kit::code::Code;
use praxis_http_kit::fault::{Fault, Place};
use praxis_http_kit::problem::Problem;

use crate::routes::reading::fault_code;

/// A date of the right form; whether somebody living can be born then is judged once today is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenBirthDate(Personal<String>);

impl WrittenBirthDate {
    /// Reads YYYY, YYYY-MM or YYYY-MM-DD.
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::InvalidDate`].
    pub fn parse(text: &str) -> Result<Self, ValueFault> {
        match BirthDate::parse(text, NaiveDate::MAX) {
            Err(fault @ (ValueFault::Empty | ValueFault::InvalidDate)) => Err(fault),
            // By the last of all days everyone is too old; that is no fault of the form.
            Ok(_) | Err(_) => Ok(Self(Personal::new(text.to_owned()))),
        }
    }

    /// The birth date, if it is neither in the future nor too long ago.
    ///
    /// # Errors
    /// The problem that a fault of the field `birth_date` is.
    pub fn as_of(&self, now: DateTime<Utc>) -> Result<BirthDate, Problem> {
        BirthDate::parse(self.0.reveal(), latest_date(now)).map_err(|fault| {
            let fault = Fault::new(Place::Body, "/birth_date", fault_code(fault));
            Problem::with_faults(Code::InvalidInput, vec![fault])
        })
    }
}

/// The date where the day is furthest on (UTC+14:00): a record does not say where a person was born, and nobody born
/// today is to be refused.
fn latest_date(now: DateTime<Utc>) -> NaiveDate {
    let ahead = now.checked_add_signed(TimeDelta::hours(14));
    ahead.unwrap_or(now).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2027-01-15T09:59:00Z".parse().unwrap()
    }

    fn fault(text: &str) -> String {
        let problem = WrittenBirthDate::parse(text).unwrap().as_of(now()).unwrap_err();
        assert_eq!(problem.code(), Code::InvalidInput);
        assert_eq!(problem.faults()[0].pointer, "/birth_date");
        problem.faults()[0].code.to_string()
    }

    #[test]
    fn form_is_judged_without_knowing_the_day() {
        assert_eq!(WrittenBirthDate::parse("1984-13"), Err(ValueFault::InvalidDate));
        assert_eq!(WrittenBirthDate::parse(" "), Err(ValueFault::Empty));
        for text in ["0001", "1984-02-29", "9999-12"] {
            assert!(WrittenBirthDate::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_birth_date_is_today_somewhere_at_the_latest() {
        let born = |text| WrittenBirthDate::parse(text).unwrap().as_of(now());
        assert!(born("2027-01-15").is_ok());
        assert_eq!(fault("2027-01-16"), "future-date");
        let two_minutes_later = now() + TimeDelta::minutes(2);
        let tomorrow = WrittenBirthDate::parse("2027-01-16").unwrap();
        assert!(tomorrow.as_of(two_minutes_later).is_ok());
    }

    #[test]
    fn a_birth_date_before_anyone_living_is_refused() {
        assert_eq!(fault("1850"), "too-long-ago");
    }
}
