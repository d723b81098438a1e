//! What does a folder of FHIR R4 resources say, in the practice's own terms?
//!
//! Everything here is pure: lines become documents of the command API, or reasons why they cannot.

pub mod encounter;
pub mod json;
pub mod life;
pub mod location;
pub mod person;
pub mod phone;
pub mod read;
pub mod references;
pub mod role;
pub mod time;

/// A resource type that is imported, in the order of the import: each may refer to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Sites.
    Location,
    /// Practitioners.
    Practitioner,
    /// What practitioners do, and where; becomes no record of its own.
    PractitionerRole,
    /// Patients.
    Patient,
    /// Visits, which become appointments.
    Encounter,
}

impl Kind {
    /// Every type, in order.
    pub const ALL: [Self; 5] = [
        Self::Location,
        Self::Practitioner,
        Self::PractitionerRole,
        Self::Patient,
        Self::Encounter,
    ];

    /// The type's name in FHIR.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Location => "Location",
            Self::Practitioner => "Practitioner",
            Self::PractitionerRole => "PractitionerRole",
            Self::Patient => "Patient",
            Self::Encounter => "Encounter",
        }
    }

    /// The file of the folder that holds it.
    pub fn file(self) -> String {
        format!("{}.ndjson", self.name())
    }

    /// The source id that the log claims for a resource, so that it is imported once. Ids are unique per FHIR server, so
    /// two servers' exports do not belong into one practice.
    pub fn source(self, id: &str) -> serde_json::Value {
        serde_json::json!({ "system": format!("http://hl7.org/fhir/{}", self.name()), "value": id })
    }
}
