//! Patients: what is known of one, and what may be done to the record.

pub mod change_contact;
pub mod correct_details;
pub mod deactivate;
pub mod details;
pub mod record_death;
pub mod register;
pub mod state;

use praxis_events::ids::PatientId;
use praxis_events::patient::PatientEvent;

use crate::aggregate_macro::aggregate;
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::world::World;
use change_contact::ChangePatientContact;
use correct_details::CorrectPatientDetails;
use deactivate::DeactivatePatient;
use record_death::RecordDeath;
use register::RegisterPatient;
use state::{Patient, PatientRecord};

aggregate! {
    /// Any command to a patient's record.
    PatientCommand of Patient, PatientEvent {
        /// Open the record.
        Register(RegisterPatient),
        /// Correct demographics.
        CorrectDetails(CorrectPatientDetails),
        /// Change contact details.
        ChangeContact(ChangePatientContact),
        /// Record the death.
        RecordDeath(RecordDeath),
        /// Set the record inactive.
        Deactivate(DeactivatePatient),
    }
}

/// The patient a command is about, as far as the caller may know of them.
fn known<'a>(
    world: &'a World,
    ctx: &Context,
    id: PatientId,
) -> Result<(&'a Patient, &'a PatientRecord), Refused> {
    let patient = world.patient(id).filter(|_| ctx.may_know_of(id));
    patient
        .and_then(|patient| patient.record.as_ref().map(|record| (patient, record)))
        .ok_or_else(|| Refusal::NotFound(id.into()).into())
}
