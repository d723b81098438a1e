//! The patient is in the house.

use praxis_events::appointment::AppointmentArrived;
use praxis_events::ids::{AppointmentId, StreamId};

use crate::appointment::guard::{known_and_ready, on_the_day};
use crate::appointment::transition::Step;
use crate::command::{Command, Decision};
use crate::context::Context;
use crate::refusal::Refused;
use crate::world::World;

/// State that the patient is in the house; after a no-show this is a late arrival and takes the time again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArriveAppointment {
    /// Which.
    pub appointment_id: AppointmentId,
}

impl Command for ArriveAppointment {
    fn target(&self) -> StreamId {
        self.appointment_id.into()
    }

    fn streams(&self, _world: &World) -> Vec<StreamId> {
        vec![self.target()]
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        let (booking, _) = known_and_ready(world, ctx, self.appointment_id, Step::Arrive)?;
        on_the_day(booking, ctx)?;
        Ok(Decision::event(self.appointment_id, AppointmentArrived {}))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use cqrs_es::test::{AggregateResultValidator, TestFramework};
    use praxis_events::appointment::{AppointmentArrived, AppointmentEvent};

    use super::ArriveAppointment;
    use crate::appointment::state::Appointment;
    use crate::context::Context;
    use crate::refusal::Refusal;
    use crate::samples::{at, booked, booked_in, situation, staff, starts, visit};

    fn arrive(given: Vec<AppointmentEvent>, now: DateTime<Utc>) -> AggregateResultValidator<Appointment> {
        TestFramework::with(situation(Context { now, ..staff() }))
            .given(given)
            .when(
                ArriveAppointment {
                    appointment_id: visit(),
                }
                .into(),
            )
    }

    #[test]
    fn an_hour_early_is_allowed_and_no_more() {
        let hour_early = starts() - TimeDelta::hours(1);
        arrive(vec![booked().into()], hour_early).then_expect_events(vec![AppointmentArrived {}.into()]);
        arrive(vec![booked().into()], hour_early - TimeDelta::microseconds(1))
            .then_expect_error(Refusal::TooEarly { minutes_max: 60 }.into());
    }

    #[test]
    fn the_day_ends_with_the_local_date_not_with_the_one_in_utc() {
        // 09:00 on 2026-06-16 in Kolkata; the local date ends at 18:30 UTC of that day.
        let booked = booked_in("Asia/Kolkata", "2026-06-16T03:30:00Z");
        arrive(vec![booked.clone().into()], at("2026-06-16T18:29:59Z"))
            .then_expect_events(vec![AppointmentArrived {}.into()]);
        arrive(vec![booked.into()], at("2026-06-16T18:30:00Z")).then_expect_error(Refusal::DayPassed.into());
    }

    #[test]
    fn the_hour_before_a_visit_after_midnight_counts_as_its_day() {
        // 00:30 on 2026-06-16 in London.
        let booked = booked_in("Europe/London", "2026-06-15T23:30:00Z");
        arrive(vec![booked.into()], at("2026-06-15T22:40:00Z"))
            .then_expect_events(vec![AppointmentArrived {}.into()]);
    }

    #[test]
    fn who_was_marked_as_not_come_may_arrive_late() {
        let no_show = AppointmentEvent::NoShow(praxis_events::appointment::AppointmentNoShow {});
        arrive(vec![booked().into(), no_show], starts() + TimeDelta::minutes(20))
            .then_expect_events(vec![AppointmentArrived {}.into()]);
    }
}
