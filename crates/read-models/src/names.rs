//! What a person is called, wherever a list shows it.

use praxis_events::patient::Demographics;
use praxis_events::personal::Personal;
use praxis_events::practitioner::Profile;

/// A person's name, joined to other rows when they are read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PersonName {
    /// Family name; the only name of those who have one.
    pub family_name: Personal<String>,
    /// Given names in order.
    pub given_names: Vec<Personal<String>>,
}

impl From<Demographics> for PersonName {
    fn from(known: Demographics) -> Self {
        Self {
            family_name: known.family_name,
            given_names: known.given_names,
        }
    }
}

impl From<Profile> for PersonName {
    fn from(known: Profile) -> Self {
        Self {
            family_name: known.family_name,
            given_names: known.given_names,
        }
    }
}
