//! In what is a practitioner trained?

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::values::fault::ValueFault;

/// The most characters of a code.
pub const CHARS_MAX: usize = 64;

/// A speciality as a code of the practice's own list or of a register, such as `207Q00000X` (NUCC).
///
/// Open, not personal: what a practitioner offers is on the door.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpecialityCode(String);

impl SpecialityCode {
    /// Reads a code of 1 to [`CHARS_MAX`] visible ASCII characters; nothing is trimmed.
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::TooLong`], [`ValueFault::UnknownCode`].
    pub fn parse(text: &str) -> Result<Self, ValueFault> {
        if text.is_empty() {
            return Err(ValueFault::Empty);
        }
        if text.chars().count() > CHARS_MAX {
            return Err(ValueFault::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ValueFault::UnknownCode);
        }
        Ok(Self(text.to_owned()))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SpecialityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{CHARS_MAX, SpecialityCode};
    use crate::values::fault::ValueFault;

    #[test]
    fn codes_of_registers_are_taken_and_words_are_not() {
        for code in ["207Q00000X", "394814009", "family-medicine", "A"] {
            assert_eq!(SpecialityCode::parse(code).unwrap().as_str(), code);
        }
        for words in ["general practice", "Ärztin", "a\n", " a"] {
            assert_eq!(
                SpecialityCode::parse(words),
                Err(ValueFault::UnknownCode),
                "{words:?}"
            );
        }
    }

    #[test]
    fn a_code_has_1_to_64_characters() {
        assert_eq!(SpecialityCode::parse(""), Err(ValueFault::Empty));
        assert!(SpecialityCode::parse(&"a".repeat(CHARS_MAX)).is_ok());
        assert_eq!(
            SpecialityCode::parse(&"a".repeat(CHARS_MAX + 1)),
            Err(ValueFault::TooLong)
        );
    }
}
