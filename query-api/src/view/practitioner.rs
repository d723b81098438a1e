//! How a practitioner looks.

use praxis_events::personal::Personal;
use praxis_events::practitioner::Profile;
use praxis_read_models::models::practitioners::PractitionerRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Shown;
use super::person::IdentifierView;

/// A practitioner's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PractitionerView {
    /// Which practitioner.
    pub id: Uuid,
    /// The record's version, as in `ETag`.
    #[schema(example = 1)]
    pub version: u64,
    /// Codes of specialities, in order.
    #[schema(example = json!(["394802001"]))]
    pub specialities: Vec<String>,
    /// Names and identifiers.
    pub profile: Shown<ProfileView>,
}

/// Who a practitioner is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProfileView {
    /// Family name; the only name of those who have one.
    #[schema(value_type = String, example = "Lindqvist")]
    pub family_name: Personal<String>,
    /// Given names in order.
    #[schema(value_type = Vec<String>, example = json!(["Ebba"]))]
    pub given_names: Vec<Personal<String>>,
    /// Identifiers given by others.
    pub identifiers: Vec<IdentifierView>,
}

impl From<PractitionerRow> for PractitionerView {
    fn from(row: PractitionerRow) -> Self {
        Self {
            id: row.id.0,
            version: row.place.version,
            specialities: row.specialities,
            profile: row.profile.into(),
        }
    }
}

impl From<Profile> for ProfileView {
    fn from(known: Profile) -> Self {
        Self {
            family_name: known.family_name,
            given_names: known.given_names,
            identifiers: known.identifiers.into_iter().map(Into::into).collect(),
        }
    }
}
