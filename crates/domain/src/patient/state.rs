//! What is known of a patient?

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use praxis_events::patient::{Contact, Death, Demographics, Identifier, PatientEvent};
use praxis_events::sealed::Sealed;
use serde::{Deserialize, Serialize};

use crate::claim::{Claim, ClaimResource};
use crate::values::birth_date::BirthDate;

/// The state of a patient's record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Patient {
    /// What the record was opened with and now says; `None` before its first event.
    pub record: Option<PatientRecord>,
    /// Whether the patient can be booked.
    pub standing: Standing,
    /// The death, where one was recorded; when it was may be erased, that it was is not.
    pub death: Option<Sealed<Death>>,
}

/// What a patient's record says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatientRecord {
    /// The record number's counter value.
    pub record_number: u64,
    /// Names, birth date, gender, language.
    pub demographics: Sealed<Demographics>,
    /// Telephones, e-mail, address.
    pub contact: Sealed<Contact>,
    /// Identifiers given by others.
    pub identifiers: Sealed<Vec<Identifier>>,
    /// The id the record was imported from.
    pub source: Option<Sealed<Identifier>>,
}

/// Whether a patient's record is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// In use.
    #[default]
    Active,
    /// Set inactive: nothing can be booked.
    Inactive,
}

impl Patient {
    /// Takes in one event.
    pub fn fold(&mut self, event: &PatientEvent) {
        match event {
            PatientEvent::Registered(registered) => {
                self.record = Some(PatientRecord {
                    record_number: registered.record_number,
                    demographics: registered.demographics.clone(),
                    contact: registered.contact.clone(),
                    identifiers: registered.identifiers.clone(),
                    source: registered.source.clone(),
                });
            }
            PatientEvent::DetailsCorrected(corrected) => {
                if let Some(record) = &mut self.record {
                    record.demographics = corrected.demographics.clone();
                }
            }
            PatientEvent::ContactChanged(changed) => {
                if let Some(record) = &mut self.record {
                    record.contact = changed.contact.clone();
                }
            }
            PatientEvent::DeathRecorded(recorded) => self.death = Some(recorded.death.clone()),
            PatientEvent::Deactivated(_) => self.standing = Standing::Inactive,
        }
    }

    /// Whether a visit that starts then starts at or after the death. A death whose instant was erased is taken to be
    /// before everything: nothing is booked or recorded any more for somebody erased.
    pub fn died_by(&self, starts: DateTime<Utc>) -> bool {
        match &self.death {
            None => false,
            Some(Sealed::Erased) => true,
            Some(Sealed::Value(death)) => *death.at.reveal() <= starts,
        }
    }

    /// Whether that instant surely precedes the birth: the birth date is a day of an unknown place, so it begins when it
    /// does in the zone furthest ahead (+14:00). An unknown or erased birth date bars nothing.
    pub fn unborn_at(&self, instant: DateTime<Utc>) -> bool {
        let begins = self
            .birth_date()
            .and_then(|date| date.earliest())
            .and_then(|day| {
                day.and_time(NaiveTime::MIN)
                    .and_utc()
                    .checked_sub_signed(TimeDelta::hours(14))
            });
        begins.is_some_and(|begins| instant < begins)
    }

    fn birth_date(&self) -> Option<BirthDate> {
        let demographics = self.record.as_ref()?.demographics.value()?;
        demographics.birth_date.clone().map(BirthDate::from_stored)
    }

    /// Record number, identifiers, and the source id. What was erased can be claimed by nobody else, because the log keeps
    /// what it holds until an event changes it.
    pub fn claims(&self) -> Vec<Claim> {
        let Some(record) = &self.record else {
            return Vec::new();
        };
        let identifiers = record.identifiers.value().into_iter().flatten();
        let source = record.source.as_ref().and_then(Sealed::value);
        std::iter::once(Claim::record_number(record.record_number))
            .chain(identifiers.map(|id| Claim::identifier(ClaimResource::PatientIdentifier, id)))
            .chain(source.map(|id| Claim::identifier(ClaimResource::PatientSource, id)))
            .collect()
    }
}
