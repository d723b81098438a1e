//! How is a birth date read, when whether it can be one depends on today?

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use praxis_domain::values::birth_date::BirthDate;
use praxis_http_kit::fields::Fields;

use crate::routes::reading::value;

/// Reads the field `birth_date`: YYYY, YYYY-MM or YYYY-MM-DD, neither in the future nor too long ago.
pub fn birth_date(fields: &mut Fields<'_>) -> Option<BirthDate> {
    let today = latest_date(fields.received_at());
    fields.optional("birth_date", value(|text| BirthDate::parse(text, today)))
}

/// The date where the day is furthest on (UTC+14:00): a record does not say where a person was born, and nobody born
/// today is to be refused.
fn latest_date(now: DateTime<Utc>) -> NaiveDate {
    let ahead = now.checked_add_signed(TimeDelta::hours(14));
    ahead.unwrap_or(now).date_naive()
}

#[cfg(test)]
mod tests {
    use praxis_http_kit::fields::{self, ReadFault};
    use serde_json::json;

    use super::*;

    /// The code of the field's fault in a request received then; `None` if it has none.
    fn fault_at(text: &str, received_at: &str) -> Option<String> {
        let document = json!({ "birth_date": text });
        let read = fields::read(&document, received_at.parse().unwrap(), Vec::new(), birth_date);
        match read {
            Ok(_) => None,
            Err(ReadFault::Faults(faults)) => {
                assert_eq!((faults.len(), faults[0].pointer.as_str()), (1, "/birth_date"));
                Some(faults[0].code.to_string())
            }
            Err(ReadFault::Defect) => panic!("neither value nor fault"),
        }
    }

    fn fault(text: &str) -> Option<String> {
        fault_at(text, "2027-01-15T09:59:00Z")
    }

    #[test]
    fn what_is_no_date_is_told_from_what_is_no_birth_date() {
        assert_eq!(fault("1984-13").as_deref(), Some("invalid-date"));
        assert_eq!(fault(" ").as_deref(), Some("empty"));
        assert_eq!(fault("1984-02-29"), None);
        assert_eq!(fault("9999-12").as_deref(), Some("future-date"));
        assert_eq!(fault("1850").as_deref(), Some("too-long-ago"));
    }

    #[test]
    fn a_birth_date_is_today_somewhere_at_the_latest() {
        assert_eq!(fault("2027-01-15"), None);
        assert_eq!(fault("2027-01-16").as_deref(), Some("future-date"));
        assert_eq!(fault_at("2027-01-16", "2027-01-15T10:00:00Z"), None);
    }
}
