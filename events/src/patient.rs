//! What happens to a patient's record.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::catalogue::event_types;
use crate::personal::Personal;
use crate::sealed::Sealed;

event_types! {
    /// An event of a patient's stream.
    PatientEvent {
        /// The record was opened.
        Registered(PatientRegistered) = "patient.registered" v 1 sealed ["demographics", "contact", "identifiers", "source"];
        /// Demographics were corrected.
        DetailsCorrected(PatientDetailsCorrected) = "patient.details-corrected" v 1 sealed ["demographics", "reason"];
        /// Contact details changed.
        ContactChanged(PatientContactChanged) = "patient.contact-changed" v 1 sealed ["contact"];
        /// A death was recorded.
        DeathRecorded(PatientDeathRecorded) = "patient.death-recorded" v 1 sealed ["death"];
        /// The record was set inactive: nothing can be booked any more.
        Deactivated(PatientDeactivated) = "patient.deactivated" v 1 sealed [];
    }
}

/// A patient's record was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientRegistered {
    /// The record number's counter value, without its check digit; never reused.
    pub record_number: u64,
    /// Names, birth date, gender, language.
    pub demographics: Sealed<Demographics>,
    /// Telephones, e-mail, address.
    pub contact: Sealed<Contact>,
    /// Identifiers given by others (insurance, social security).
    pub identifiers: Sealed<Vec<Identifier>>,
    /// The id in the system the record was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Sealed<Identifier>>,
}

/// Demographics were corrected; the whole group as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientDetailsCorrected {
    /// The whole group as it is now.
    pub demographics: Sealed<Demographics>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed<Personal<String>>>,
}

/// Contact details changed; the whole group as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientContactChanged {
    /// The whole group as it is now.
    pub contact: Sealed<Contact>,
}

/// A death was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientDeathRecorded {
    /// When; sealed, because a date of death identifies.
    pub death: Sealed<Death>,
}

/// The record was set inactive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientDeactivated {}

/// Names, birth date, gender, language of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demographics {
    /// Family name; the only name of those who have one.
    pub family_name: Personal<String>,
    /// Given names in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given_names: Vec<Personal<String>>,
    /// FHIR `date`: YYYY, YYYY-MM or YYYY-MM-DD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<Personal<String>>,
    /// FHIR administrative gender: male, female, other, unknown.
    pub gender: Personal<String>,
    /// BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Personal<String>>,
}

/// How a person is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// E.164.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<Personal<String>>,
    /// E-mail addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Personal<String>>,
    /// Postal address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// A postal address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street lines.
    pub lines: Vec<Personal<String>>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<Personal<String>>,
    /// Postcode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<Personal<String>>,
    /// ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Personal<String>>,
}

/// An identifier given by others (FHIR `Identifier`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identifier {
    /// Whose numbering, a URI.
    pub system: Personal<String>,
    /// The number or name.
    pub value: Personal<String>,
}

/// When a person died.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Death {
    /// The instant.
    pub at: Personal<DateTime<Utc>>,
}
