//! Recording a visit that took place: an import, a demonstration, a day kept on paper.

use praxis_events::appointment::{AppointmentBooked, AppointmentFulfilled, Occupancy};
use praxis_events::event::Event;
use praxis_events::ids::{AppointmentId, PatientId, StreamId};
use praxis_events::patient::Identifier as StoredIdentifier;
use praxis_events::sealed::Sealed;

use crate::appointment::placement::Placement;
use crate::appointment::state::Appointment;
use crate::appointment::transition::{Step, next};
use crate::command::{Command, Decision};
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::values::identifier::Identifier;
use crate::words::VisitReason;
use crate::world::World;

/// State that a visit took place: booked and fulfilled at once, at its real time. The policy of booking is waived, and no
/// open booking is counted, because none is left open; that the patient was alive and that the time was free are not.
///
/// When the patient was registered does not matter: a practice's past is recorded after its patients are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordAppointment {
    /// The new record.
    pub appointment_id: AppointmentId,
    /// Whose visit.
    pub patient_id: PatientId,
    /// With whom, where and when.
    pub placement: Placement,
    /// Why the patient came.
    pub reason: Option<VisitReason>,
    /// The id in the system the visit is imported from.
    pub source: Option<Identifier>,
}

impl Command for RecordAppointment {
    fn target(&self) -> StreamId {
        self.appointment_id.into()
    }

    fn makes_target(&self) -> bool {
        true
    }

    fn streams(&self, _world: &World) -> Vec<StreamId> {
        let mut streams = self.placement.streams();
        streams.extend([self.target(), self.patient_id.into()]);
        streams
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        if ctx.is_patient() {
            return Err(Refusal::NotForPatients.into());
        }
        let source = self
            .source
            .clone()
            .map(|source| Sealed::Value(StoredIdentifier::from(source)));
        if let Some(booking) = world
            .appointment(self.appointment_id)
            .and_then(|known| known.booking.as_ref())
        {
            if source.is_some() && booking.source == source {
                return Err(Refusal::AlreadyImported.into());
            }
            next(booking.status, Step::Record)?;
        }
        let mut reasons = self.reasons_against_patient(world);
        let slot = self.placement.slot(world, &mut reasons);
        // What has begun and not ended has not taken place yet; its end could be years ahead.
        if slot.ends > ctx.now {
            reasons.push(Refusal::InTheFuture);
        }
        let starts = slot.starts;
        let booked = AppointmentBooked {
            patient_id: self.patient_id,
            practitioner_id: self.placement.practitioner_id,
            location_id: self.placement.location_id,
            room_id: self.placement.room_id,
            slot,
            occupancy: Occupancy::Exclusive,
            reason: self.reason.clone().map(|reason| Sealed::Value(reason.into())),
            source,
        };
        let events = [booked.into(), AppointmentFulfilled {}.into()];
        Refused::unless_none(reasons)
            .map_err(|refused| refused.wanting(&Appointment::default().after(&events)))?;
        let mut reads = self.placement.streams();
        reads.push(self.patient_id.into());
        let events = events.into_iter().map(Event::from).collect();
        Ok(Decision::events(self.appointment_id, events)
            .reading(reads)
            .at(starts))
    }
}

impl RecordAppointment {
    /// The visit must start within the patient's life. A record that is inactive today was not then, for all we know.
    fn reasons_against_patient(&self, world: &World) -> Vec<Refusal> {
        let starts = self.placement.time.start();
        let Some(patient) = world.patient(self.patient_id) else {
            return vec![Refusal::PatientUnknown(self.patient_id)];
        };
        let after_death = patient
            .died_by(starts)
            .then_some(Refusal::VisitAfterDeath(self.patient_id));
        let before_birth = patient
            .unborn_at(starts)
            .then_some(Refusal::BeforeBirth(self.patient_id));
        after_death.into_iter().chain(before_birth).collect()
    }
}

#[cfg(test)]
mod tests;
