//! What must hold of an appointment, the caller and the clock before a step?

use chrono::{DateTime, NaiveDate, Utc};
use praxis_calendar::local::local_date;
use praxis_calendar::zone::Zone;
use praxis_events::appointment::{AppointmentStatus, Slot};
use praxis_events::ids::AppointmentId;

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
pub(super) fn on_the_day(booking: &Booking, ctx: &Context) -> Result<(), Refused> {
    let slot = &booking.slot;
    if slot.starts - ctx.now > ctx.rules.early_arrival() {
        return Err(Refusal::TooEarly {
            minutes_max: ctx.rules.early_arrival_minutes_max,
        }
        .into());
    }
    if date_there(slot, ctx.now) > slot.local_start.date() {
        return Err(Refusal::DayPassed.into());
    }
    Ok(())
}

/// Whether it is the local date of the appointment.
pub(super) fn is_same_day(booking: &Booking, ctx: &Context) -> bool {
    date_there(&booking.slot, ctx.now) == booking.slot.local_start.date()
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
