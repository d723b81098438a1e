//! Booking a visit.

use praxis_events::appointment::AppointmentBooked;
use praxis_events::ids::{AppointmentId, PatientId, StreamId};
use praxis_events::sealed::Sealed;

use crate::appointment::placement::{Placement, judge_patient, occupancy};
use crate::appointment::state::Appointment;
use crate::appointment::transition::{Step, next};
use crate::command::{Command, Decision};
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::values::reason_code::ReasonCode;
use crate::words::VisitReason;
use crate::world::World;

/// Take a time for a patient. Whether it is free is judged by the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookAppointment {
    /// The new booking.
    pub appointment_id: AppointmentId,
    /// Whose visit.
    pub patient_id: PatientId,
    /// With whom, where and when.
    pub placement: Placement,
    /// Why the patient comes.
    pub reason: Option<VisitReason>,
    /// Take the practitioner's time although it is taken, for this reason: a privilege of the front desk and of
    /// administrators, marked on the appointment.
    pub overbooking: Option<ReasonCode>,
}

impl Command for BookAppointment {
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
        if !ctx.may_know_of(self.patient_id) {
            // Before anything is looked at: the answer must not tell whether there is such a patient.
            return Err(Refusal::NotOwnRecord.into());
        }
        if let Some(booking) = world
            .appointment(self.appointment_id)
            .and_then(|known| known.booking.as_ref())
        {
            next(booking.status, Step::Book)?;
        }
        let mut reasons = Vec::new();
        let occupancy = occupancy(ctx, self.overbooking.as_ref(), &mut reasons);
        judge_patient(world, self.patient_id, &mut reasons);
        let slot = self.placement.slot(world, &mut reasons);
        self.placement.judge_time(ctx, None, &mut reasons);
        let booked = AppointmentBooked {
            patient_id: self.patient_id,
            practitioner_id: self.placement.practitioner_id,
            location_id: self.placement.location_id,
            room_id: self.placement.room_id,
            slot,
            occupancy,
            reason: self.reason.clone().map(|reason| Sealed::Value(reason.into())),
            source: None,
        };
        Refused::unless_none(reasons)
            .map_err(|refused| refused.wanting(&Appointment::default().after(&[booked.clone().into()])))?;
        let mut reads = self.placement.streams();
        reads.push(self.patient_id.into());
        Ok(Decision::event(self.appointment_id, booked)
            .reading(reads)
            .for_reason(self.overbooking.as_ref().map(ReasonCode::as_str)))
    }
}

#[cfg(test)]
mod tests;
