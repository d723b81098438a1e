//! Under which number does another register know a person?

use praxis_events::patient::Identifier as StoredIdentifier;
use praxis_events::personal::Personal;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::fault::{Part, PartFault, ValueFault};
use super::text::bounded;

/// The most characters of a numbering system's URI.
pub const SYSTEM_CHARS_MAX: usize = 255;

/// The most characters of a value.
pub const VALUE_CHARS_MAX: usize = 128;

/// An identifier given by others (FHIR `Identifier`): whose numbering, and the number.
///
/// Both are case-sensitive and compared as they are; normal form: trimmed, the value in NFC.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identifier {
    system: Personal<String>,
    value: Personal<String>,
}

impl Identifier {
    /// Reads an identifier.
    ///
    /// # Errors
    /// Every fault, by part: [`ValueFault::Empty`], [`ValueFault::TooLong`]; of the system [`ValueFault::InvalidUri`], of the
    /// value [`ValueFault::ControlCharacter`].
    pub fn parse(system: &str, value: &str) -> Result<Self, Vec<PartFault>> {
        match (parse_system(system), parse_value(value)) {
            (Ok(system), Ok(value)) => Ok(Self {
                system: Personal::new(system),
                value: Personal::new(value),
            }),
            (system, value) => {
                let of_system = system.err().map(|fault| PartFault {
                    part: Part::System,
                    fault,
                });
                let of_value = value.err().map(|fault| PartFault {
                    part: Part::Value,
                    fault,
                });
                Err(of_system.into_iter().chain(of_value).collect())
            }
        }
    }

    /// Whose numbering: an absolute URI.
    pub const fn system(&self) -> &Personal<String> {
        &self.system
    }

    /// The number or name.
    pub const fn value(&self) -> &Personal<String> {
        &self.value
    }
}

impl From<Identifier> for StoredIdentifier {
    fn from(identifier: Identifier) -> Self {
        Self {
            system: identifier.system,
            value: identifier.value,
        }
    }
}

/// An absolute URI: a scheme, a colon, and characters RFC 3986 allows.
fn parse_system(text: &str) -> Result<String, ValueFault> {
    let uri = bounded(text.trim().to_owned(), SYSTEM_CHARS_MAX)?;
    let (scheme, rest) = uri.split_once(':').ok_or(ValueFault::InvalidUri)?;
    let scheme_is_valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let rest_is_valid = !rest.is_empty()
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    if scheme_is_valid && rest_is_valid {
        Ok(uri)
    } else {
        Err(ValueFault::InvalidUri)
    }
}

/// Blanks inside stay as they are: whether they belong to the number is its giver's matter.
fn parse_value(text: &str) -> Result<String, ValueFault> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err(ValueFault::ControlCharacter);
    }
    bounded(text.nfc().collect(), VALUE_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use praxis_events::patient::Identifier as StoredIdentifier;

    use super::{Identifier, SYSTEM_CHARS_MAX, VALUE_CHARS_MAX};
    use crate::values::fault::{Part, PartFault, ValueFault};

    const SYSTEM: &str = "http://hospital.example/mrn";

    fn refused(part: Part, fault: ValueFault) -> Result<Identifier, Vec<PartFault>> {
        Err(vec![PartFault { part, fault }])
    }

    #[test]
    fn both_parts_are_trimmed_and_keep_their_case_and_inner_blanks() {
        let identifier = Identifier::parse(&format!(" {SYSTEM} "), " Ab  12 ").unwrap();
        assert_eq!(identifier.system().reveal(), SYSTEM);
        assert_eq!(identifier.value().reveal(), "Ab  12");
        assert_ne!(identifier, Identifier::parse(SYSTEM, "AB  12").unwrap());
        let stored = StoredIdentifier::from(identifier.clone());
        assert_eq!(
            serde_json::to_string(&stored).unwrap(),
            serde_json::to_string(&identifier).unwrap()
        );
    }

    #[test]
    fn the_system_is_an_absolute_uri() {
        for system in [
            "urn:oid:2.16.840.1.113883.4.1",
            "https://a.example/x?y=z#q",
            "urn:uuid:a%20b",
        ] {
            assert!(Identifier::parse(system, "1").is_ok(), "{system}");
        }
        for system in [
            "mrn",
            ":mrn",
            "1a:mrn",
            "http:",
            "http://a b",
            "http://ä.example",
            "ht_tp:x",
            "urn:<x>",
            "urn:a\nb",
        ] {
            assert_eq!(
                Identifier::parse(system, "1"),
                refused(Part::System, ValueFault::InvalidUri),
                "{system:?}"
            );
        }
    }

    #[test]
    fn both_parts_have_limits_on_both_sides() {
        let system = format!("urn:{}", "s".repeat(SYSTEM_CHARS_MAX - 4));
        let value = "u\u{308}".repeat(VALUE_CHARS_MAX);
        assert!(Identifier::parse(&system, &value).is_ok());
        assert_eq!(
            Identifier::parse(&format!("{system}s"), &value),
            refused(Part::System, ValueFault::TooLong)
        );
        assert_eq!(
            Identifier::parse(&system, &format!("{value}v")),
            refused(Part::Value, ValueFault::TooLong)
        );
        assert_eq!(
            Identifier::parse(&system, " "),
            refused(Part::Value, ValueFault::Empty)
        );
        assert_eq!(
            Identifier::parse(&system, "1\u{7}2"),
            refused(Part::Value, ValueFault::ControlCharacter)
        );
    }

    #[test]
    fn faults_of_both_parts_are_answered_at_once() {
        let faults = Identifier::parse("", "").unwrap_err();
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["/system must not be empty", "/value must not be empty"]);
    }

    #[test]
    fn a_stored_identifier_reads_back_unchecked_and_prints_nothing() {
        let stored: Identifier = serde_json::from_str(r#"{"system":"","value":"12\t3"}"#).unwrap();
        assert_eq!(stored.value().reveal(), "12\t3");
        assert!(!format!("{stored:?}").contains("12"));
    }
}
