//! Moving a booking to another time, practitioner or place.

use praxis_events::appointment::{AppointmentRescheduled, Occupancy};
use praxis_events::ids::{AppointmentId, StreamId};
use praxis_events::sealed::Sealed;

use crate::appointment::guard::{known_and_ready, may_give_back};
use crate::appointment::placement::{Placement, judge_patient, occupancy};
use crate::appointment::state::Booking;
use crate::appointment::transition::Step;
use crate::command::{Command, Decision};
use crate::context::Context;
use crate::refusal::Refused;
use crate::values::reason_code::ReasonCode;
use crate::words::Comment;
use crate::world::World;

/// Give a booking's time back and take another, in one append: its own old time does not block it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RescheduleAppointment {
    /// Which.
    pub appointment_id: AppointmentId,
    /// With whom, where and when from now on.
    pub placement: Placement,
    /// As in [`BookAppointment`](crate::appointment::book::BookAppointment), for the new time.
    pub overbooking: Option<ReasonCode>,
    /// Why.
    pub comment: Option<Comment>,
}

impl Command for RescheduleAppointment {
    fn target(&self) -> StreamId {
        self.appointment_id.into()
    }

    fn streams(&self, world: &World) -> Vec<StreamId> {
        let mut streams = self.placement.streams();
        streams.push(self.target());
        let booking = world
            .appointment(self.appointment_id)
            .and_then(|appointment| appointment.booking.as_ref());
        streams.extend(booking.map(|booking| StreamId::from(booking.patient_id)));
        streams
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        let (booking, _) = known_and_ready(world, ctx, self.appointment_id, Step::Reschedule)?;
        let mut reasons = Vec::new();
        let occupancy = occupancy(ctx, self.overbooking.as_ref(), &mut reasons);
        if reasons.is_empty() && self.is_where_it_is(booking, occupancy) {
            return Ok(Decision::nothing());
        }
        // Moving gives the old time back as cancelling does. Otherwise a patient could move a visit far ahead an hour
        // before it begins, and cancel it there.
        reasons.extend(may_give_back(booking, ctx).err());
        judge_patient(world, booking.patient_id, &mut reasons);
        let slot = self.placement.slot(world, &mut reasons);
        self.placement.judge_time(ctx, Some(&booking.slot), &mut reasons);
        let rescheduled = AppointmentRescheduled {
            practitioner_id: self.placement.practitioner_id,
            location_id: self.placement.location_id,
            room_id: self.placement.room_id,
            slot,
            occupancy,
            comment: self.comment.clone().map(|comment| Sealed::Value(comment.into())),
        };
        Refused::unless_none(reasons)
            .map_err(|refused| refused.wanting(&booking.after(&[rescheduled.clone().into()])))?;
        let mut reads = self.placement.streams();
        reads.push(booking.patient_id.into());
        Ok(Decision::event(self.appointment_id, rescheduled)
            .reading(reads)
            .for_reason(self.overbooking.as_ref().map(ReasonCode::as_str)))
    }
}

impl RescheduleAppointment {
    fn is_where_it_is(&self, booking: &Booking, occupancy: Occupancy) -> bool {
        let placement = &self.placement;
        placement.practitioner_id == booking.practitioner_id
            && placement.location_id == booking.location_id
            && placement.room_id == booking.room_id
            && placement.time.start() == booking.slot.starts
            && placement.time.end() == booking.slot.ends
            && occupancy == booking.occupancy
    }
}

#[cfg(test)]
mod tests;
