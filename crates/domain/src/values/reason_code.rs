//! For which coded reason was something done?

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fault::ValueFault;

/// The most characters of a code.
pub const CHARS_MAX: usize = 32;

/// A reason as a code of the practice's own list or of FHIR, such as `pat` or `meds-inc`.
///
/// Open, not personal: it is kept in metadata, printed and counted, which is why only code characters are taken. Not
/// validated when deserialised, because stored events must always be readable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReasonCode(String);

impl ReasonCode {
    /// Reads a code of 1 to [`CHARS_MAX`] lower-case ASCII letters, digits and hyphens; nothing is trimmed.
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::TooLong`], [`ValueFault::InvalidCode`].
    pub fn parse(text: &str) -> Result<Self, ValueFault> {
        if text.is_empty() {
            return Err(ValueFault::Empty);
        }
        if text.chars().count() > CHARS_MAX {
            return Err(ValueFault::TooLong);
        }
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            return Err(ValueFault::InvalidCode);
        }
        Ok(Self(text.to_owned()))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ReasonCode> for String {
    fn from(code: ReasonCode) -> Self {
        code.0
    }
}

#[cfg(test)]
mod tests {
    use super::{CHARS_MAX, ReasonCode};
    use crate::values::fault::ValueFault;

    #[test]
    fn codes_of_the_domain_are_taken() {
        for code in ["pat", "prov", "maint", "meds-inc", "other", "local-7"] {
            assert_eq!(ReasonCode::parse(code).unwrap().to_string(), code);
        }
    }

    #[test]
    fn a_code_has_one_to_32_characters() {
        let longest = "a".repeat(CHARS_MAX);
        assert!(ReasonCode::parse(&longest).is_ok());
        assert_eq!(
            ReasonCode::parse(&format!("{longest}a")),
            Err(ValueFault::TooLong)
        );
        assert_eq!(ReasonCode::parse(""), Err(ValueFault::Empty));
    }

    #[test]
    fn words_are_no_codes() {
        for text in ["Pat", "meds inc", " pat", "pat\n", "prov_1", "münch", "a.b"] {
            assert_eq!(ReasonCode::parse(text), Err(ValueFault::InvalidCode), "{text:?}");
        }
    }

    #[test]
    fn a_stored_code_reads_back_unchecked() {
        assert_eq!(
            serde_json::from_str::<ReasonCode>(r#""OLD CODE""#)
                .unwrap()
                .as_str(),
            "OLD CODE"
        );
        assert_eq!(
            serde_json::to_string(&ReasonCode::parse("pat").unwrap()).unwrap(),
            r#""pat""#
        );
    }
}
