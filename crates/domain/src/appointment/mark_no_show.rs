//! The patient did not come.

use praxis_events::appointment::AppointmentNoShow;
use praxis_events::ids::{AppointmentId, StreamId};

use crate::appointment::guard::known_and_ready;
use crate::appointment::transition::Step;
use crate::command::{Command, Decision};
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::world::World;

/// State that the patient did not come, once a while has passed; the time is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkNoShow {
    /// Which.
    pub appointment_id: AppointmentId,
}

impl Command for MarkNoShow {
    fn target(&self) -> StreamId {
        self.appointment_id.into()
    }

    fn streams(&self, _world: &World) -> Vec<StreamId> {
        vec![self.target()]
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        if ctx.is_patient() {
            return Err(Refusal::NotForPatients.into());
        }
        let (booking, _) = known_and_ready(world, ctx, self.appointment_id, Step::NoShow)?;
        if ctx.now - booking.slot.starts < ctx.rules.no_show_after() {
            return Err(Refusal::NoShowTooEarly {
                minutes_min: ctx.rules.no_show_after_minutes,
            }
            .into());
        }
        Ok(Decision::event(self.appointment_id, AppointmentNoShow {}))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use cqrs_es::test::{AggregateResultValidator, TestFramework};
    use praxis_events::appointment::AppointmentNoShow;

    use super::MarkNoShow;
    use crate::appointment::state::Appointment;
    use crate::context::Context;
    use crate::refusal::Refusal;
    use crate::samples::{ada, as_patient, booked, situation, staff, starts, visit};

    fn mark(ctx: Context) -> AggregateResultValidator<Appointment> {
        TestFramework::with(situation(ctx))
            .given(vec![booked().into()])
            .when(
                MarkNoShow {
                    appointment_id: visit(),
                }
                .into(),
            )
    }

    #[test]
    fn a_patient_has_a_quarter_of_an_hour() {
        let over = starts() + TimeDelta::minutes(15);
        mark(Context { now: over, ..staff() }).then_expect_events(vec![AppointmentNoShow {}.into()]);
        mark(Context {
            now: over - TimeDelta::microseconds(1),
            ..staff()
        })
        .then_expect_error(Refusal::NoShowTooEarly { minutes_min: 15 }.into());
    }

    #[test]
    fn a_patient_does_not_mark_it() {
        mark(Context {
            now: starts() + TimeDelta::hours(1),
            ..as_patient(ada())
        })
        .then_expect_error(Refusal::NotForPatients.into());
    }
}
