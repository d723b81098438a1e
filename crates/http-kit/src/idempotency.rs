//! Under which key may this command be sent again (`Idempotency-Key`)?

use std::fmt;

use http::{HeaderMap, HeaderName};

use crate::code::Code;
use crate::problem::Problem;

/// The header that carries the key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Longest key taken, characters.
pub const KEY_LEN_MAX: usize = 255;

/// A key the caller chose: 1 to 255 visible ASCII characters. A caller may put anything into it, so `Debug` does not
/// show it and it is stored as a hash only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key of these headers, if there is one; given twice, or of other characters, it is a fault.
    pub fn parse(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        let value = match (values.next(), values.next()) {
            (None, _) => return Ok(None),
            (Some(value), None) => value,
            (Some(_), Some(_)) => return Err(Problem::new(Code::InvalidIdempotencyKey)),
        };
        let text = value.to_str().ok().filter(|text| {
            (1..=KEY_LEN_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        });
        text.map(|text| Some(Self(text.to_owned())))
            .ok_or_else(|| Problem::new(Code::InvalidIdempotencyKey))
    }

    /// The key as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn parse(value: &[u8]) -> Result<Option<String>, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value).unwrap());
        let key = IdempotencyKey::parse(&headers).map_err(|problem| problem.code())?;
        Ok(key.map(|key| key.as_str().to_owned()))
    }

    #[test]
    fn a_key_has_1_to_255_visible_characters() {
        assert_eq!(IdempotencyKey::parse(&HeaderMap::new()), Ok(None));
        assert_eq!(parse(b"a"), Ok(Some("a".into())));
        assert_eq!(parse(&[b'~'; KEY_LEN_MAX]), Ok(Some("~".repeat(KEY_LEN_MAX))));
        for value in [
            &b""[..],
            &[b'a'; KEY_LEN_MAX + 1],
            b"a b",
            b"a\tb",
            "é".as_bytes(),
        ] {
            assert_eq!(parse(value), Err(Code::InvalidIdempotencyKey), "{value:?}");
        }
    }

    #[test]
    fn two_keys_are_refused() {
        let mut headers = HeaderMap::new();
        headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        assert_eq!(
            IdempotencyKey::parse(&headers).unwrap_err().code(),
            Code::InvalidIdempotencyKey
        );
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let mut headers = HeaderMap::new();
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("Marker"));
        let key = IdempotencyKey::parse(&headers).unwrap();
        assert!(!format!("{key:?}").contains("Marker"));
    }
}
