//! What happens to a practitioner's record.

use serde::{Deserialize, Serialize};

use crate::catalogue::event_types;
use crate::patient::Identifier;
use crate::personal::Personal;
use crate::sealed::Sealed;

event_types! {
    /// An event of a practitioner's stream.
    PractitionerEvent {
        /// The practitioner was registered.
        Registered(PractitionerRegistered) = "practitioner.registered" v 2 sealed ["profile", "source"];
    }
}

/// A practitioner was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PractitionerRegistered {
    /// Codes of specialities, in order; version 1 had one at most, as `speciality`.
    pub specialities: Vec<String>,
    /// Names and identifiers.
    pub profile: Sealed<Profile>,
    /// The id in the system the record was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Sealed<Identifier>>,
}

/// Who a practitioner is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Family name; the only name of those who have one.
    pub family_name: Personal<String>,
    /// Given names in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given_names: Vec<Personal<String>>,
    /// Identifiers given by others (a national provider number).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
}
