//! What is a person's administrative gender?

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fault::ValueFault;

/// FHIR R4 `administrative-gender`.
///
/// `Debug` is redacted: of a person it is personal. A stored code that is none of these reads as [`Gender::Unknown`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "&'static str")]
pub enum Gender {
    /// `male`
    Male,
    /// `female`
    Female,
    /// `other`
    Other,
    /// `unknown`
    #[default]
    Unknown,
}

impl Gender {
    const ALL: [Self; 4] = [Self::Male, Self::Female, Self::Other, Self::Unknown];

    /// Reads the code, lower-case as FHIR writes it.
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::UnknownCode`].
    pub fn parse(text: &str) -> Result<Self, ValueFault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ValueFault::Empty);
        }
        Self::ALL
            .into_iter()
            .find(|gender| gender.reveal() == text)
            .ok_or(ValueFault::UnknownCode)
    }

    /// The code; each call is a place to review.
    pub const fn reveal(self) -> &'static str {
        match self {
            Self::Male => "male",
            Self::Female => "female",
            Self::Other => "other",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Debug for Gender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gender((personal))")
    }
}

impl From<String> for Gender {
    fn from(stored: String) -> Self {
        Self::parse(&stored).unwrap_or_default()
    }
}

impl From<Gender> for &'static str {
    fn from(gender: Gender) -> Self {
        gender.reveal()
    }
}

#[cfg(test)]
mod tests {
    use super::Gender;
    use crate::values::fault::ValueFault;

    #[test]
    fn the_four_codes_read_back_from_json() {
        for code in ["male", "female", "other", "unknown"] {
            let gender = Gender::parse(code).unwrap();
            let json = serde_json::to_string(&gender).unwrap();
            assert_eq!(json, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<Gender>(&json).unwrap(), gender);
        }
    }

    #[test]
    fn other_codes_are_refused_but_read_as_unknown_once_stored() {
        for code in ["Male", "m", "diverse", "männlich"] {
            assert_eq!(Gender::parse(code), Err(ValueFault::UnknownCode), "{code}");
        }
        assert_eq!(Gender::parse(""), Err(ValueFault::Empty));
        assert_eq!(
            serde_json::from_str::<Gender>(r#""diverse""#).unwrap(),
            Gender::Unknown
        );
    }

    #[test]
    fn a_printed_gender_shows_nothing() {
        assert_eq!(format!("{:?}", Gender::Female), "Gender((personal))");
    }
}
