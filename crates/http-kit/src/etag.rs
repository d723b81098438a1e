//! Which version of a record does the caller hold (`ETag`, `If-Match`; RFC 9110 sections 8.8.3 and 13.1.1)?

use axum::extract::FromRequestParts;
use http::header::{ETAG, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use crate::code::Code;
use crate::problem::Problem;

/// The version of a record, as `ETag` shows it: the version of its stream, quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub u64);

impl Version {
    /// Sets the `ETag` of a response.
    pub fn set(self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::try_from(format!("\"{}\"", self.0)) {
            headers.insert(ETAG, value);
        }
    }
}

/// What the caller asks the record to be before the command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// No `If-Match`: whatever it is.
    Absent,
    /// `*`: that it exists.
    Any,
    /// That it is at this version.
    Version(u64),
}

impl IfMatch {
    /// What the headers ask. Lists and weak tags are refused: a record has one version, and only exact ones compare.
    pub fn parse(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all(IF_MATCH).iter();
        let value = match (values.next(), values.next()) {
            (None, _) => return Ok(Self::Absent),
            (Some(value), None) => value.as_bytes(),
            (Some(_), Some(_)) => return Err(Problem::new(Code::InvalidIfMatch)),
        };
        if value == b"*" {
            return Ok(Self::Any);
        }
        let digits = value
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""));
        let version = digits
            .filter(|digits| digits.iter().all(u8::is_ascii_digit))
            .and_then(|digits| {
                let text = std::str::from_utf8(digits).ok()?;
                // `"007"` is not a tag we ever gave.
                let number = text.parse::<u64>().ok()?;
                (number.to_string() == text).then_some(number)
            });
        version
            .map(Self::Version)
            .ok_or_else(|| Problem::new(Code::InvalidIfMatch))
    }

    /// Whether a record that exists at that version satisfies it.
    pub fn admits(self, version: u64) -> bool {
        match self {
            Self::Absent | Self::Any => true,
            Self::Version(wanted) => wanted == version,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::parse(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Result<IfMatch, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, HeaderValue::from_str(value).unwrap());
        IfMatch::parse(&headers).map_err(|problem| problem.code())
    }

    #[test]
    fn the_tag_we_give_is_the_tag_we_take() {
        let mut headers = HeaderMap::new();
        Version(42).set(&mut headers);
        let tag = headers[ETAG].to_str().unwrap();
        assert_eq!(tag, "\"42\"");
        assert_eq!(parse(tag), Ok(IfMatch::Version(42)));
    }

    #[test]
    fn a_star_asks_for_any_version_and_no_header_for_nothing() {
        assert_eq!(parse("*"), Ok(IfMatch::Any));
        assert_eq!(IfMatch::parse(&HeaderMap::new()), Ok(IfMatch::Absent));
    }

    #[test]
    fn what_is_no_single_strong_version_is_refused() {
        let huge = "\"18446744073709551616\"";
        for value in [
            "42",
            "\"\"",
            "\"-1\"",
            "\"+1\"",
            "\"007\"",
            "W/\"4\"",
            "\"1\", \"2\"",
            "\"a\"",
            "\"",
            huge,
        ] {
            assert_eq!(parse(value), Err(Code::InvalidIfMatch), "{value}");
        }
        let mut twice = HeaderMap::new();
        twice.append(IF_MATCH, HeaderValue::from_static("\"1\""));
        twice.append(IF_MATCH, HeaderValue::from_static("\"1\""));
        assert_eq!(IfMatch::parse(&twice).unwrap_err().code(), Code::InvalidIfMatch);
    }

    #[test]
    fn only_the_version_asked_for_is_admitted() {
        assert!(IfMatch::Version(3).admits(3) && !IfMatch::Version(3).admits(4));
        assert!(IfMatch::Any.admits(9) && IfMatch::Absent.admits(9));
    }
}
