//! How far into the log has a write come, and how far must a read have seen?

use std::fmt;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use thiserror::Error;

use crate::code::Code;
use crate::fault::{Fault, FaultCode, Place, pointer_to};
use crate::problem::Problem;

/// The header of a response: the position its state is of.
pub const PRAXIS_POSITION: HeaderName = HeaderName::from_static("praxis-position");
/// The header of a request: the position its answer must have reached.
pub const PRAXIS_MIN_POSITION: HeaderName = HeaderName::from_static("praxis-min-position");

/// A position of the log and the epoch it belongs to, written `<epoch>-<position>`; opaque to callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EpochPosition {
    /// The log's epoch; it rises when the log is restored to an earlier state.
    pub epoch: u64,
    /// The position, counted from 1; 0 is before the first event.
    pub position: u64,
}

impl EpochPosition {
    /// Sets the `Praxis-Position` of a response.
    pub fn set(self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::try_from(self.to_string()) {
            headers.insert(PRAXIS_POSITION, value);
        }
    }
}

impl fmt::Display for EpochPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.position)
    }
}

/// A text is no position.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not a position of the form <epoch>-<position>")]
pub struct NotAPosition;

impl FromStr for EpochPosition {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let (epoch, position) = text.split_once('-').ok_or(NotAPosition)?;
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| NotAPosition);
        let parsed = Self {
            epoch: number(epoch)?,
            position: number(position)?,
        };
        // One position has one spelling: no signs, no leading zeros.
        if parsed.to_string() == text {
            Ok(parsed)
        } else {
            Err(NotAPosition)
        }
    }
}

/// The position the caller's read must have reached, if the caller names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinPosition(pub Option<EpochPosition>);

impl MinPosition {
    /// The position these headers ask for.
    pub fn parse(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all(PRAXIS_MIN_POSITION).iter();
        let parsed = match (values.next(), values.next()) {
            (None, _) => return Ok(Self(None)),
            (Some(value), None) => value.to_str().ok().and_then(|text| text.parse().ok()),
            (Some(_), Some(_)) => None,
        };
        parsed.map(|position| Self(Some(position))).ok_or_else(|| {
            let pointer = pointer_to("", PRAXIS_MIN_POSITION.as_str());
            let fault = Fault::new(Place::Header, pointer, FaultCode::NOT_A_POSITION);
            Problem::with_faults(Code::InvalidParameter, vec![fault])
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MinPosition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::parse(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_is_written() {
        let position = EpochPosition {
            epoch: 2,
            position: u64::MAX,
        };
        let mut headers = HeaderMap::new();
        position.set(&mut headers);
        let text = headers[PRAXIS_POSITION].clone();
        headers.insert(PRAXIS_MIN_POSITION, text);
        assert_eq!(MinPosition::parse(&headers), Ok(MinPosition(Some(position))));
    }

    #[test]
    fn no_header_asks_for_nothing() {
        assert_eq!(MinPosition::parse(&HeaderMap::new()), Ok(MinPosition(None)));
    }

    #[test]
    fn what_is_no_position_is_a_fault_of_the_header() {
        for text in [
            "",
            "5",
            "1-",
            "-5",
            "1-5-6",
            "1-05",
            "+1-5",
            "1--5",
            "a-b",
            "1-18446744073709551616",
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(PRAXIS_MIN_POSITION, HeaderValue::from_str(text).unwrap());
            let problem = MinPosition::parse(&headers).unwrap_err();
            assert_eq!(problem.code(), Code::InvalidParameter, "{text}");
            assert_eq!(problem.faults()[0].pointer, "/praxis-min-position");
        }
    }
}
