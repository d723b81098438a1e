//! Where and when is a visit to be, and may anybody be booked there and then?

use praxis_calendar::interval::Interval;
use praxis_calendar::local::local;
use praxis_calendar::zone::Zone;
use praxis_events::appointment::{Occupancy, Slot};
use praxis_events::ids::{LocationId, PatientId, PractitionerId, RoomId, StreamId};
use praxis_events::metadata::ActorRole;

use crate::appointment::state::spans;
use crate::context::Context;
use crate::location::state::Location;
use crate::patient::state::Standing;
use crate::refusal::Refusal;
use crate::span::Span;
use crate::values::reason_code::ReasonCode;
use crate::world::World;

/// With whom, where and when a visit is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// With whom.
    pub practitioner_id: PractitionerId,
    /// Where.
    pub location_id: LocationId,
    /// In which room, where one is needed. Rooms are not registered yet, so any id is one.
    pub room_id: Option<RoomId>,
    /// When.
    pub time: Interval,
}

impl Placement {
    /// The records whose state decides whether it can be.
    pub fn streams(&self) -> Vec<StreamId> {
        vec![self.practitioner_id.into(), self.location_id.into()]
    }

    /// The calendar time it takes for this patient.
    pub(super) fn spans(&self, patient_id: PatientId, occupancy: Occupancy) -> Vec<Span> {
        let time = (self.time.start(), self.time.end());
        spans(self.practitioner_id, patient_id, self.room_id, time, occupancy)
    }

    /// The time as it is stored, with what the clocks of the location show; what is not known of practitioner and location
    /// goes to the list.
    pub(super) fn slot(&self, world: &World, reasons: &mut Vec<Refusal>) -> Slot {
        if world.practitioner(self.practitioner_id).is_none() {
            reasons.push(Refusal::PractitionerUnknown(self.practitioner_id));
        }
        let zone = match world.location(self.location_id).map(Location::zone) {
            Some(Some(zone)) => zone,
            Some(None) => {
                reasons.push(Refusal::ZoneUnknown(self.location_id));
                Zone::UTC
            }
            None => {
                reasons.push(Refusal::LocationUnknown(self.location_id));
                Zone::UTC
            }
        };
        Slot {
            starts: self.time.start(),
            ends: self.time.end(),
            zone: zone.name().to_owned(),
            local_start: local(zone, self.time.start()),
        }
    }

    /// What the policy says against the time: not past, within the horizon, no longer than any visit, and with notice where
    /// patients book for themselves.
    pub(super) fn judge_time(&self, ctx: &Context, reasons: &mut Vec<Refusal>) {
        let (starts, rules) = (self.time.start(), &ctx.rules);
        if starts < ctx.now {
            reasons.push(Refusal::InThePast);
        } else if ctx.is_patient() && starts - ctx.now < rules.self_booking_notice() {
            reasons.push(Refusal::NoticeTooShort {
                minutes_min: rules.self_booking_notice_minutes_min,
            });
        }
        if starts - ctx.now > rules.horizon() {
            reasons.push(Refusal::BeyondHorizon {
                days_max: rules.horizon_days_max,
            });
        }
        if self.time.duration() > rules.visit_max() {
            reasons.push(Refusal::VisitTooLong {
                minutes_max: rules.visit_minutes_max,
            });
        }
    }
}

/// What stands against booking that patient: somebody not registered, inactive or dead.
pub(super) fn judge_patient(world: &World, patient_id: PatientId, reasons: &mut Vec<Refusal>) {
    let Some(patient) = world.patient(patient_id) else {
        reasons.push(Refusal::PatientUnknown(patient_id));
        return;
    };
    match patient.standing {
        Standing::Active => {}
        Standing::Inactive => reasons.push(Refusal::PatientInactive(patient_id)),
    }
    if patient.death.is_some() {
        reasons.push(Refusal::PatientDeceased(patient_id));
    }
}

/// How a booking with or without that privilege takes the practitioner's time.
///
/// # Errors
/// [`Refusal::OverbookingNotPermitted`] for all but the front desk and administrators.
pub(super) fn occupancy(ctx: &Context, overbooking: Option<&ReasonCode>) -> Result<Occupancy, Refusal> {
    match overbooking {
        None => Ok(Occupancy::Exclusive),
        Some(_) if ctx.acts_as(ActorRole::Staff) || ctx.acts_as(ActorRole::Admin) => {
            Ok(Occupancy::Overbooked)
        }
        Some(_) => Err(Refusal::OverbookingNotPermitted),
    }
}
