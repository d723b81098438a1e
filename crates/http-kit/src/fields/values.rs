//! How is one JSON value read as a string, number, id, date or instant?

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::fault::FaultCode;

/// Length of a UUID in its hyphenated form; other forms are refused, so that one id has one spelling.
const UUID_TEXT_LEN: usize = 36;

/// A string, as it stands.
pub fn string(value: &Value) -> Result<String, FaultCode> {
    text(value).map(str::to_owned)
}

/// A string, borrowed.
pub fn text(value: &Value) -> Result<&str, FaultCode> {
    value.as_str().ok_or(FaultCode::NOT_A_STRING)
}

/// A string that `parse` makes a value of, as the domain's own types do.
pub fn parsed<T>(parse: impl Fn(&str) -> Result<T, FaultCode>) -> impl Fn(&Value) -> Result<T, FaultCode> {
    move |value| parse(text(value)?)
}

/// A whole number that fits `T`; `5.0` is none.
pub fn integer<T: TryFrom<i64>>(value: &Value) -> Result<T, FaultCode> {
    let number = value.as_i64().ok_or(FaultCode::NOT_AN_INTEGER)?;
    T::try_from(number).map_err(|_| FaultCode::NOT_AN_INTEGER)
}

/// `true` or `false`.
pub fn boolean(value: &Value) -> Result<bool, FaultCode> {
    value.as_bool().ok_or(FaultCode::NOT_A_BOOLEAN)
}

/// An id: a UUID in its hyphenated form.
pub fn id<T: FromStr>(value: &Value) -> Result<T, FaultCode> {
    id_of_text(text(value)?)
}

/// An id written in a string, as in a path or query.
pub fn id_of_text<T: FromStr>(text: &str) -> Result<T, FaultCode> {
    if text.len() != UUID_TEXT_LEN || Uuid::try_parse(text).is_err() {
        return Err(FaultCode::NOT_A_UUID);
    }
    text.parse().map_err(|_| FaultCode::NOT_A_UUID)
}

/// An instant: RFC 3339 with an offset; the offset is folded in.
pub fn instant(value: &Value) -> Result<DateTime<Utc>, FaultCode> {
    instant_of_text(text(value)?)
}

/// An instant written in a string.
pub fn instant_of_text(text: &str) -> Result<DateTime<Utc>, FaultCode> {
    let instant = DateTime::parse_from_rfc3339(text).map_err(|_| FaultCode::NOT_AN_INSTANT)?;
    Ok(instant.with_timezone(&Utc))
}

/// A calendar date, `YYYY-MM-DD`.
pub fn date(value: &Value) -> Result<NaiveDate, FaultCode> {
    date_of_text(text(value)?)
}

/// A calendar date written in a string.
pub fn date_of_text(text: &str) -> Result<NaiveDate, FaultCode> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    // chrono alone would also take `2026-3-8` and `+2026-03-08`; one date has one spelling.
    let date = date.filter(|date| date.to_string() == text);
    date.ok_or(FaultCode::NOT_A_DATE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn integers_are_whole_and_in_range() {
        assert_eq!(integer::<u8>(&json!(255)), Ok(255));
        for value in [
            json!(256),
            json!(-1),
            json!(5.0),
            json!("5"),
            json!(null),
            json!(1e300),
        ] {
            assert_eq!(integer::<u8>(&value), Err(FaultCode::NOT_AN_INTEGER), "{value}");
        }
    }

    #[test]
    fn ids_have_one_spelling() {
        let uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001);
        assert_eq!(id::<Uuid>(&json!(uuid.to_string())), Ok(uuid));
        for text in [
            uuid.simple().to_string(),
            uuid.braced().to_string(),
            "x".repeat(36),
            String::new(),
        ] {
            assert_eq!(id::<Uuid>(&json!(text)), Err(FaultCode::NOT_A_UUID), "{text}");
        }
    }

    #[test]
    fn instants_need_an_offset() {
        let utc = instant(&json!("2026-03-08T07:30:00Z")).unwrap();
        assert_eq!(instant(&json!("2026-03-08T02:30:00-05:00")), Ok(utc));
        for text in ["2026-03-08T02:30:00", "2026-03-08", "2026-02-30T00:00:00Z", "now"] {
            assert_eq!(instant(&json!(text)), Err(FaultCode::NOT_AN_INSTANT), "{text}");
        }
    }

    #[test]
    fn dates_exist_and_have_ten_characters() {
        assert_eq!(
            date(&json!("2028-02-29")),
            Ok(NaiveDate::from_ymd_opt(2028, 2, 29).unwrap())
        );
        for text in ["2026-02-29", "2026-3-8", "+2026-03-8", "2026-03-08T00:00:00Z", ""] {
            assert_eq!(date(&json!(text)), Err(FaultCode::NOT_A_DATE), "{text}");
        }
    }

    #[test]
    fn a_parser_of_text_gets_the_text_or_says_the_type_is_wrong() {
        let code = FaultCode::new("too-short", "is too short");
        let three = parsed(|text| if text.len() < 3 { Err(code) } else { Ok(text.len()) });
        assert_eq!(three(&json!("abc")), Ok(3));
        assert_eq!(three(&json!("ab")), Err(code));
        assert_eq!(three(&json!(12)), Err(FaultCode::NOT_A_STRING));
    }
}
