//! What is a person's given name?

use praxis_events::personal::Personal;

use super::fault::ValueFault;
use super::text::{one_line, personal_text};

/// The most characters of a given name (Unicode scalar values after normalisation).
pub const CHARS_MAX: usize = 100;

personal_text! {
    /// One given name, or several written as one.
    ///
    /// Any script; digits are allowed, because real registers hold them. Normal form: NFC, blanks reduced. Case is kept.
    GivenName
}

impl GivenName {
    /// Reads a given name of 1 to [`CHARS_MAX`] characters.
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::TooLong`], [`ValueFault::ControlCharacter`].
    pub fn parse(text: &str) -> Result<Self, ValueFault> {
        one_line(text, CHARS_MAX).map(Personal::new).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::{CHARS_MAX, GivenName};
    use crate::values::fault::ValueFault;

    #[test]
    fn names_of_any_script_and_with_digits_are_taken() {
        for name in ["Mary Ann", "Abe604", "José", "ひろ子", "יעל", "محمد"] {
            assert_eq!(GivenName::parse(name).unwrap().reveal(), name);
        }
    }

    #[test]
    fn length_is_counted_in_composed_characters() {
        let longest = "e\u{301}".repeat(CHARS_MAX);
        assert_eq!(
            GivenName::parse(&longest).unwrap().reveal(),
            "é".repeat(CHARS_MAX)
        );
        assert_eq!(GivenName::parse(&format!("{longest}e")), Err(ValueFault::TooLong));
        assert_eq!(GivenName::parse(" "), Err(ValueFault::Empty));
    }

    #[test]
    fn a_printed_name_shows_nothing_and_a_stored_one_reads_back_unchecked() {
        let name = GivenName::parse("Marker").unwrap();
        assert_eq!(format!("{name:?}"), "GivenName((personal))");
        assert_eq!(serde_json::to_string(&name).unwrap(), r#""Marker""#);
        assert_eq!(
            serde_json::from_str::<GivenName>(r#""a\tb""#).unwrap().reveal(),
            "a\tb"
        );
    }
}
