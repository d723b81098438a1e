//! What is known of a practitioner?

use praxis_events::patient::Identifier;
use praxis_events::practitioner::{PractitionerEvent, Profile};
use praxis_events::sealed::Sealed;
use serde::{Deserialize, Serialize};

use crate::claim::{Claim, ClaimResource};

/// The state of a practitioner's record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Practitioner {
    /// What the record says; `None` before its first event.
    pub record: Option<PractitionerRecord>,
}

/// What a practitioner's record says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PractitionerRecord {
    /// Codes of specialities, in order.
    pub specialities: Vec<String>,
    /// Names and identifiers.
    pub profile: Sealed<Profile>,
    /// The id the record was imported from.
    pub source: Option<Sealed<Identifier>>,
}

impl Practitioner {
    /// Takes in one event.
    pub fn fold(&mut self, event: &PractitionerEvent) {
        match event {
            PractitionerEvent::Registered(registered) => {
                self.record = Some(PractitionerRecord {
                    specialities: registered.specialities.clone(),
                    profile: registered.profile.clone(),
                    source: registered.source.clone(),
                });
            }
        }
    }

    /// Identifiers and the source id.
    pub fn claims(&self) -> Vec<Claim> {
        let Some(record) = &self.record else {
            return Vec::new();
        };
        let identifiers = record
            .profile
            .value()
            .into_iter()
            .flat_map(|profile| &profile.identifiers);
        let source = record.source.as_ref().and_then(Sealed::value);
        identifiers
            .map(|id| Claim::identifier(ClaimResource::PractitionerIdentifier, id))
            .chain(source.map(|id| Claim::identifier(ClaimResource::PractitionerSource, id)))
            .collect()
    }
}
