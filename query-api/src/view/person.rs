//! How names and identifiers look.

use praxis_events::patient::Identifier;
use praxis_events::personal::Personal;
use praxis_read_models::names::PersonName;
use serde::Serialize;
use utoipa::ToSchema;

/// A person's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NameView {
    /// Family name; the only name of those who have one.
    #[schema(value_type = String, example = "Okafor")]
    pub family_name: Personal<String>,
    /// Given names in order.
    #[schema(value_type = Vec<String>, example = json!(["Amara"]))]
    pub given_names: Vec<Personal<String>>,
}

impl From<PersonName> for NameView {
    fn from(name: PersonName) -> Self {
        Self {
            family_name: name.family_name,
            given_names: name.given_names,
        }
    }
}

/// An identifier given by others (FHIR `Identifier`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct IdentifierView {
    /// Whose numbering, a URI.
    #[schema(value_type = String, example = "https://insurer.example/members")]
    pub system: Personal<String>,
    /// The number or name.
    #[schema(value_type = String, example = "AB-12345")]
    pub value: Personal<String>,
}

impl From<Identifier> for IdentifierView {
    fn from(identifier: Identifier) -> Self {
        Self {
            system: identifier.system,
            value: identifier.value,
        }
    }
}
