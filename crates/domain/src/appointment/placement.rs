//! Where and when is a visit to be, and may anybody be booked there and then?

use chrono::TimeDelta;
use praxis_calendar::interval::Interval;
use praxis_calendar::local::local;
use praxis_calendar::zone::Zone;
use praxis_events::appointment::{Occupancy, Slot};
use praxis_events::ids::{LocationId, PatientId, PractitionerId, RoomId, StreamId};
use praxis_events::metadata::ActorRole;

use crate::context::Context;
use crate::location::state::Location;
use crate::patient::state::Standing;
use crate::refusal::Refusal;
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

    /// The time as it is stored, with what the clocks of the location show; what is not known of practitioner and location
    /// goes to the list.
    pub(super) fn slot(&self, world: &World, reasons: &mut Vec<Refusal>) -> Slot {
        judge_practitioner(world, self.practitioner_id, reasons);
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
    /// patients book for themselves. `standing` is the time the booking has already, where it has one.
    pub(super) fn judge_time(&self, ctx: &Context, standing: Option<&Slot>, reasons: &mut Vec<Refusal>) {
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
        let longest = visit_max(ctx, standing);
        if self.time.duration() > longest {
            reasons.push(Refusal::VisitTooLong {
                minutes_max: u32::try_from(longest.num_minutes()).unwrap_or(u32::MAX),
            });
        }
    }
}

/// How long the visit may be. Patients book short ones; what the practice booked for them they move as it is.
fn visit_max(ctx: &Context, standing: Option<&Slot>) -> TimeDelta {
    let rules = &ctx.rules;
    if !ctx.is_patient() {
        return rules.visit_max();
    }
    let has_now = standing.map_or(TimeDelta::zero(), |slot| slot.ends - slot.starts);
    rules.self_booking_visit_max().max(has_now).min(rules.visit_max())
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

/// What stands against taking that practitioner's time: somebody not registered.
pub(super) fn judge_practitioner(world: &World, practitioner_id: PractitionerId, reasons: &mut Vec<Refusal>) {
    if world.practitioner(practitioner_id).is_none() {
        reasons.push(Refusal::PractitionerUnknown(practitioner_id));
    }
}

/// How a booking takes the practitioner's time: overbooking is a privilege of the front desk and of administrators.
/// Whoever asks for it without having it would take the time as everybody does.
pub(super) fn occupancy(
    ctx: &Context,
    overbooking: Option<&ReasonCode>,
    reasons: &mut Vec<Refusal>,
) -> Occupancy {
    match overbooking {
        None => Occupancy::Exclusive,
        Some(_) if ctx.acts_as(ActorRole::Staff) || ctx.acts_as(ActorRole::Admin) => Occupancy::Overbooked,
        Some(_) => {
            reasons.push(Refusal::OverbookingNotPermitted);
            Occupancy::Exclusive
        }
    }
}
