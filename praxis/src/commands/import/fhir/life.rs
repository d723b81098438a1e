//! When did a patient live, as far as the resource says, and what is wrong with that?

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use praxis_domain::values::birth_date::BirthDate;

use super::json::{Malformed, Object, boolean, text};
use super::time::{Days, instant, latest_date};
use crate::commands::import::reasons;

/// A patient's dates.
pub struct Life {
    /// The instant to record as that of death: an exact one as it is, a partial one as late as it can be, so that only what
    /// surely happened after it counts as such; never later than now.
    pub death: Option<DateTime<Utc>>,
    /// What is wrong with birth and death. The form of the birth date is the command API's matter.
    pub reasons: BTreeSet<String>,
}

/// Reads birth and death. `deceasedBoolean` says no time, so it bars nothing.
pub fn life(record: &Object, now: DateTime<Utc>) -> Result<Life, Malformed> {
    boolean(record, "deceasedBoolean")?;
    let (birth, death) = (text(record, "birthDate")?, text(record, "deceasedDateTime")?);
    let mut reasons = BTreeSet::new();
    let born = birth.map(|text| Days::read(text.trim()));
    if matches!(born, Some(None)) {
        reasons.insert("birth_date_invalid".to_owned());
    } else if let Some(Err(fault)) = birth.map(|text| BirthDate::parse(text, latest_date(now))) {
        reasons.insert(reasons::of_fault("/birth_date", fault.code()));
    }
    let Some(death) = death else {
        return Ok(Life { death: None, reasons });
    };
    let Some((earliest, latest)) = extent(death) else {
        reasons.insert("death_invalid".to_owned());
        return Ok(Life { death: None, reasons });
    };
    if earliest > now {
        reasons.insert("death_in_future".to_owned());
    }
    let born = born.flatten().and_then(|days| days.begin());
    if born.is_some_and(|born| latest < born) {
        reasons.insert("death_before_birth".to_owned());
    }
    Ok(Life {
        death: Some(latest.min(now)),
        reasons,
    })
}

/// The first and the last instant that a `dateTime` can mean.
fn extent(text: &str) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    match Days::read(text) {
        Some(days) => days.begin().zip(days.end()),
        None => instant(text).map(|instant| (instant, instant)),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::json;

    use super::{Life, Malformed, life};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn read(birth: &str, death: &str) -> Life {
        let record = json!({ "birthDate": birth, "deceasedDateTime": death });
        life(record.as_object().unwrap(), at("2026-01-01T12:00:00Z")).unwrap()
    }

    fn reasons(birth: &str, death: &str) -> Vec<String> {
        read(birth, death).reasons.into_iter().collect()
    }

    #[test]
    fn an_exact_death_is_kept_and_a_partial_one_is_as_late_as_it_can_be() {
        assert_eq!(
            read("1931", "2020-03-01T12:00:00-05:00").death,
            Some(at("2020-03-01T17:00:00Z"))
        );
        assert_eq!(read("1931", "2019-11").death, Some(at("2019-12-01T12:00:00Z")));
        assert_eq!(read("1931", "2026").death, Some(at("2026-01-01T12:00:00Z")));
        assert_eq!(read("1931", "").death, None);
    }

    #[test]
    fn a_death_that_has_surely_not_come_is_in_the_future() {
        for death in ["2026-01-01T12:00:00Z", "2026-01-02", "2026-01", "2026"] {
            assert!(reasons("1931", death).is_empty(), "{death}");
        }
        for death in ["2026-01-01T12:00:00.000001Z", "2026-01-03", "2026-02", "2027"] {
            assert_eq!(reasons("1931", death), ["death_in_future"], "{death}");
        }
    }

    #[test]
    fn a_death_before_the_birth_in_every_zone_is_at_fault() {
        assert!(reasons("1980-05-05", "1980-05-04T10:00:00Z").is_empty());
        assert_eq!(
            reasons("1980-05-05", "1980-05-04T09:59:59.999999Z"),
            ["death_before_birth"]
        );
        assert!(reasons("1980-05", "1980").is_empty());
        assert_eq!(reasons("1980", "1979-11"), ["death_before_birth"]);
    }

    #[test]
    fn a_birth_must_not_lie_ahead_or_too_far_back() {
        assert_eq!(reasons("2026-01-03", ""), ["birth_date_in_future"]);
        assert_eq!(reasons("1899-12-31", ""), ["age_over_limit"]);
        assert!(reasons("1901", "").is_empty());
        assert_eq!(
            reasons("1980-13", "soon"),
            ["birth_date_invalid", "death_invalid"]
        );
    }

    #[test]
    fn that_somebody_is_dead_says_nothing_without_a_time() {
        let read = |record: serde_json::Value| life(record.as_object().unwrap(), at("2026-01-01T12:00:00Z"));
        assert!(read(json!({ "deceasedBoolean": true })).unwrap().death.is_none());
        assert!(matches!(
            read(json!({ "deceasedBoolean": "yes" })),
            Err(Malformed)
        ));
    }
}
