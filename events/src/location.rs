//! What happens to a site of the practice.

use serde::{Deserialize, Serialize};

use crate::catalogue::event_types;

event_types! {
    /// An event of a location's stream.
    LocationEvent {
        /// The site was registered.
        Registered(LocationRegistered) = "location.registered" v 1 sealed [];
    }
}

/// A site was registered. Nothing of it is personal: it is the practice's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationRegistered {
    /// What it is called.
    pub name: String,
    /// IANA zone its clock shows.
    pub zone: String,
    /// The id in the system the record was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// An id in the system a record was imported from, of a thing that is no person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Whose numbering.
    pub system: String,
    /// The id.
    pub value: String,
}
