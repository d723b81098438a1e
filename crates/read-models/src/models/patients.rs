//! What is shown of a patient: the record as it is now, and what it is found by.

use chrono::{DateTime, Utc};
use praxis_events::event::Event;
use praxis_events::ids::PatientId;
use praxis_events::patient::{Contact, Death, Demographics, Identifier, PatientEvent, PatientRegistered};
use praxis_events::recorded::RecordedEvent;
use praxis_events::sealed::Sealed;
use serde::{Deserialize, Serialize};

use crate::fold::{Place, ReadModel, placed};
use crate::names::PersonName;
use crate::search::{SearchKeys, fold_identifier, name_tokens};

/// The read model of patients.
#[derive(Clone, Copy, Debug)]
pub struct Patients;

/// Where a patient's record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatientStatus {
    /// Can be booked.
    Active,
    /// Set inactive: nothing can be booked.
    Inactive,
    /// A death was recorded; outlasts being set inactive.
    Deceased,
}

/// A patient's record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PatientRow {
    /// Which patient.
    pub id: PatientId,
    /// Where in the log the row stands; its version is that of the patient's stream.
    pub place: Place,
    /// The record number's counter value, without its check digit.
    pub record_number: u64,
    /// Where the record stands.
    pub status: PatientStatus,
    /// When it was opened, by the log's clock.
    pub registered_at: DateTime<Utc>,
    /// Names, birth date, gender, language.
    pub demographics: Sealed<Demographics>,
    /// Telephones, e-mail, address.
    pub contact: Sealed<Contact>,
    /// Identifiers given by others.
    pub identifiers: Sealed<Vec<Identifier>>,
    /// When the patient died, if that was recorded.
    pub death: Option<Sealed<Death>>,
}

placed!(PatientRow);

impl PatientRow {
    /// The patient's name.
    pub fn name(&self) -> Sealed<PersonName> {
        self.demographics.clone().map(PersonName::from)
    }

    /// What the patient is found by; nothing where it was erased. As personal as what it is made of.
    pub fn search_keys(&self) -> SearchKeys {
        let demographics = self.demographics.value();
        let names = demographics.map_or_else(Vec::new, |known| {
            name_tokens(std::iter::once(&known.family_name).chain(&known.given_names))
        });
        let mut identifiers: Vec<_> = self
            .identifiers
            .value()
            .into_iter()
            .flatten()
            .map(|identifier| fold_identifier(&identifier.value))
            .filter(|folded| !folded.reveal().is_empty())
            .collect();
        identifiers.sort();
        identifiers.dedup();
        SearchKeys {
            names,
            birth_date: demographics.and_then(|known| known.birth_date.clone()),
            identifiers,
        }
    }
}

impl ReadModel for Patients {
    const NAME: &'static str = "patients";
    const FOLD_VERSION: u32 = 1;
    type Key = PatientId;
    type Row = PatientRow;

    fn keys(event: &RecordedEvent) -> impl Iterator<Item = PatientId> {
        match &event.event {
            Event::Patient(_) => Some(PatientId(event.stream.id)),
            Event::Practitioner(_) | Event::Location(_) | Event::Appointment(_) | Event::Thread(_) => None,
        }
        .into_iter()
    }

    fn key(row: &PatientRow) -> PatientId {
        row.id
    }

    fn apply(row: &mut Option<PatientRow>, key: PatientId, event: &RecordedEvent) {
        let Event::Patient(happened) = &event.event else {
            return;
        };
        if let PatientEvent::Registered(registered) = happened {
            *row = Some(opened(key, registered, event));
            return;
        }
        let Some(row) = row else { return };
        match happened {
            PatientEvent::Registered(_) => {}
            PatientEvent::DetailsCorrected(corrected) => row.demographics = corrected.demographics.clone(),
            PatientEvent::ContactChanged(changed) => row.contact = changed.contact.clone(),
            PatientEvent::DeathRecorded(recorded) => {
                row.status = PatientStatus::Deceased;
                row.death = Some(recorded.death.clone());
            }
            PatientEvent::Deactivated(_) => {
                if row.status == PatientStatus::Active {
                    row.status = PatientStatus::Inactive;
                }
            }
        }
    }
}

fn opened(id: PatientId, registered: &PatientRegistered, event: &RecordedEvent) -> PatientRow {
    PatientRow {
        id,
        place: Place::of(event),
        record_number: registered.record_number,
        status: PatientStatus::Active,
        registered_at: event.recorded_at,
        demographics: registered.demographics.clone(),
        contact: registered.contact.clone(),
        identifiers: registered.identifiers.clone(),
        death: None,
    }
}
