//! What must hold of an appointment, the caller and the clock before a step?

use chrono::{DateTime, NaiveDate, Utc};
use praxis_calendar::local::local_date;
use praxis_calendar::zone::Zone;
use praxis_events::appointment::{AppointmentEvent, AppointmentStatus, Slot};
use praxis_events::ids::{AppointmentId, StreamId};

use crate::appointment::placement::{judge_patient, judge_practitioner};
use crate::appointment::state::Booking;
use crate::appointment::transition::{Next, Step, next};
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::world::World;

/// The booking, as far as the caller may know of it.
///
/// # Errors
/// [`Refusal::NotFound`], the same whether there is none or it is another patient's.
pub(super) fn known<'a>(world: &'a World, ctx: &Context, id: AppointmentId) -> Result<&'a Booking, Refusal> {
    world
        .appointment(id)
        .and_then(|appointment| appointment.booking.as_ref())
        .filter(|booking| ctx.may_know_of(booking.patient_id))
        .ok_or_else(|| Refusal::NotFound(id.into()))
}

/// The booking, if the step leads anywhere from where it stands, and the status it leads to.
///
/// # Errors
/// [`Refusal::NotFound`] or [`Refusal::InvalidTransition`].
pub(super) fn known_and_ready<'a>(
    world: &'a World,
    ctx: &Context,
    id: AppointmentId,
    step: Step,
) -> Result<(&'a Booking, AppointmentStatus), Refused> {
    let booking = known(world, ctx, id)?;
    let to = match next(booking.status, step)? {
        Next::To(status) => status,
        Next::BackToBeforeCancelling => booking.cancelled_from.unwrap_or(AppointmentStatus::Booked),
    };
    Ok((booking, to))
}

/// The date the location's clocks show at that instant.
fn date_there(slot: &Slot, instant: DateTime<Utc>) -> NaiveDate {
    let Ok(zone) = Zone::parse(&slot.zone) else {
        // A zone this version no longer knows: the difference its clocks had at the start is the best that is stored.
        let ahead = slot.local_start - slot.starts.naive_utc();
        return instant
            .naive_utc()
            .checked_add_signed(ahead)
            .unwrap_or(instant.naive_utc())
            .date();
    };
    local_date(zone, instant)
}

/// Arriving and checking in happen on the local date of the appointment, and not too long before its start. Where that
/// short time before the start reaches into the date before, it counts as the day.
///
/// domain.md can also be read as "at any time of that date". It is not, because a patient may have two visits in one day
/// and the nearer one is meant; a practice that wants it otherwise sets the minutes.
pub(super) fn on_the_day(booking: &Booking, ctx: &Context) -> Result<(), Refusal> {
    let slot = &booking.slot;
    if slot.starts - ctx.now > ctx.rules.early_arrival() {
        return Err(Refusal::TooEarly {
            minutes_max: ctx.rules.early_arrival_minutes_max,
        });
    }
    if date_there(slot, ctx.now) > slot.local_start.date() {
        return Err(Refusal::DayPassed);
    }
    Ok(())
}

/// Patients give a booking's time back well ahead, so that somebody else can have it; the practice does at any time.
///
/// # Errors
/// [`Refusal::TooLateToCancel`].
pub(super) fn may_give_back(booking: &Booking, ctx: &Context) -> Result<(), Refusal> {
    if ctx.is_patient() && booking.slot.starts - ctx.now < ctx.rules.patient_cancel_ahead() {
        return Err(Refusal::TooLateToCancel {
            hours_min: ctx.rules.patient_cancel_hours_min,
        });
    }
    Ok(())
}

/// Whether it is a day on which the appointment's end may be taken back: the date of the appointment, or the one on which
/// it was completed or cancelled (its last change), by the clocks of the location.
///
/// "Same day" in domain.md may mean either. A visit cancelled by mistake weeks ahead is put right when the mistake is
/// noticed, which is at once or when the patient comes; on any other day its time was long promised to be free.
pub(super) fn is_same_day(booking: &Booking, changed_at: Option<DateTime<Utc>>, ctx: &Context) -> bool {
    let slot = &booking.slot;
    let today = date_there(slot, ctx.now);
    today == slot.local_start.date() || changed_at.is_some_and(|at| date_there(slot, at) == today)
}

/// Whose records decide whether an appointment that holds no time may take it again; nobody's while it holds it.
pub(super) fn retaken_from(world: &World, id: AppointmentId) -> Vec<StreamId> {
    world
        .appointment(id)
        .and_then(|appointment| appointment.booking.as_ref())
        .filter(|booking| !booking.status.occupies())
        .map_or_else(Vec::new, |booking| {
            vec![booking.patient_id.into(), booking.practitioner_id.into()]
        })
}

/// Nothing may stand against the step; where it takes the time again, neither may what stands against booking it. A visit
/// of somebody who died since is not put back into the calendar; that it took place can still be recorded.
///
/// # Errors
/// The reasons given and those found, with the time that was wanted again.
pub(super) fn judge_step(
    world: &World,
    booking: &Booking,
    then: AppointmentEvent,
    mut reasons: Vec<Refusal>,
) -> Result<(), Refused> {
    if booking.status.occupies() {
        return Refused::unless_none(reasons);
    }
    judge_patient(world, booking.patient_id, &mut reasons);
    judge_practitioner(world, booking.practitioner_id, &mut reasons);
    Refused::unless_none(reasons).map_err(|refused| refused.wanting(&booking.after(&[then])))
}

#[cfg(test)]
mod tests {
    use praxis_events::appointment::Slot;

    use super::date_there;
    use crate::samples::at;

    #[test]
    fn a_zone_no_longer_known_keeps_the_difference_its_clocks_had() {
        let slot = Slot {
            starts: at("2026-06-15T14:00:00Z"),
            ends: at("2026-06-15T14:30:00Z"),
            zone: "Atlantis/Capital".to_owned(),
            local_start: "2026-06-16T00:00:00".parse().unwrap(),
        };
        assert_eq!(
            date_there(&slot, at("2026-06-15T13:59:59Z")).to_string(),
            "2026-06-15"
        );
        assert_eq!(
            date_there(&slot, at("2026-06-15T14:00:00Z")).to_string(),
            "2026-06-16"
        );
    }
}
