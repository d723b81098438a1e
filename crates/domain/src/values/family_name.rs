//! What is a person's family name?

use praxis_events::personal::Personal;

use super::fault::ValueFault;
use super::text::{one_line, personal_text};

/// The most characters of a family name (Unicode scalar values after normalisation).
pub const CHARS_MAX: usize = 100;

personal_text! {
    /// A family name, or the only name of those who have one.
    ///
    /// Any script; digits are allowed, because real registers hold them. Normal form: NFC, blanks reduced. Case is kept.
    FamilyName
}

impl FamilyName {
    /// Reads a family name of 1 to [`CHARS_MAX`] characters.
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::TooLong`], [`ValueFault::ControlCharacter`].
    pub fn parse(text: &str) -> Result<Self, ValueFault> {
        one_line(text, CHARS_MAX).map(Personal::new).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::{CHARS_MAX, FamilyName};
    use crate::values::fault::ValueFault;

    #[test]
    fn names_of_any_script_and_with_digits_are_taken() {
        for name in ["O'Brien-Smith", "Kuhn96", "Nguyễn", "李", "שרה", "بن علي"] {
            assert_eq!(FamilyName::parse(name).unwrap().reveal(), name);
        }
    }

    #[test]
    fn length_is_counted_in_composed_characters() {
        let longest = "e\u{301}".repeat(CHARS_MAX);
        assert_eq!(
            FamilyName::parse(&longest).unwrap().reveal(),
            "é".repeat(CHARS_MAX)
        );
        assert_eq!(
            FamilyName::parse(&format!("{longest}e")),
            Err(ValueFault::TooLong)
        );
        assert_eq!(FamilyName::parse(" "), Err(ValueFault::Empty));
    }

    #[test]
    fn a_printed_name_shows_nothing_and_a_stored_one_reads_back_unchecked() {
        let name = FamilyName::parse("Marker").unwrap();
        assert_eq!(format!("{name:?}"), "FamilyName((personal))");
        assert_eq!(serde_json::to_string(&name).unwrap(), r#""Marker""#);
        assert_eq!(
            serde_json::from_str::<FamilyName>(r#""a\tb""#).unwrap().reveal(),
            "a\tb"
        );
    }
}
