//! What is a site called?

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::values::fault::ValueFault;
use crate::values::text::one_line;

/// The most characters of a name (Unicode scalar values after normalisation).
pub const CHARS_MAX: usize = 100;

/// The name of a site. Open, not personal: it is on the door.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LocationName(String);

impl LocationName {
    /// Reads a name of 1 to [`CHARS_MAX`] characters; normal form: NFC, blanks reduced.
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::TooLong`], [`ValueFault::ControlCharacter`].
    pub fn parse(text: &str) -> Result<Self, ValueFault> {
        one_line(text, CHARS_MAX).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LocationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{CHARS_MAX, LocationName};
    use crate::values::fault::ValueFault;

    #[test]
    fn a_name_has_1_to_100_characters() {
        assert_eq!(
            LocationName::parse("  High  Street ").unwrap().as_str(),
            "High Street"
        );
        assert!(LocationName::parse(&"a".repeat(CHARS_MAX)).is_ok());
        assert_eq!(
            LocationName::parse(&"a".repeat(CHARS_MAX + 1)),
            Err(ValueFault::TooLong)
        );
        assert_eq!(LocationName::parse(" "), Err(ValueFault::Empty));
    }
}
