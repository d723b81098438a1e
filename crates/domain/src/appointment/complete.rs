//! The visit took place.

use praxis_events::appointment::AppointmentFulfilled;
use praxis_events::ids::{AppointmentId, StreamId};
use praxis_events::metadata::ActorRole;

use crate::appointment::guard::known_and_ready;
use crate::appointment::transition::Step;
use crate::command::{Command, Decision};
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::world::World;

/// State that the visit took place: the assigned practitioner does, or an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteAppointment {
    /// Which.
    pub appointment_id: AppointmentId,
}

impl Command for CompleteAppointment {
    fn target(&self) -> StreamId {
        self.appointment_id.into()
    }

    fn streams(&self, _world: &World) -> Vec<StreamId> {
        vec![self.target()]
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        let (booking, _) = known_and_ready(world, ctx, self.appointment_id, Step::Complete)?;
        let is_assigned = ctx.practitioner_id == Some(booking.practitioner_id);
        if !is_assigned && !ctx.acts_as(ActorRole::Admin) {
            return Err(Refusal::NotAssignedPractitioner.into());
        }
        Ok(Decision::event(self.appointment_id, AppointmentFulfilled {}))
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::{AggregateResultValidator, TestFramework};
    use praxis_events::appointment::{AppointmentCheckedIn, AppointmentFulfilled};

    use super::CompleteAppointment;
    use crate::appointment::state::Appointment;
    use crate::context::Context;
    use crate::refusal::Refusal;
    use crate::samples::{admin, as_doctor, booked, dr_gray, dr_who, situation, staff, visit};

    fn complete(ctx: Context) -> AggregateResultValidator<Appointment> {
        TestFramework::with(situation(ctx))
            .given(vec![booked().into(), AppointmentCheckedIn {}.into()])
            .when(
                CompleteAppointment {
                    appointment_id: visit(),
                }
                .into(),
            )
    }

    #[test]
    fn the_assigned_practitioner_and_administrators_complete() {
        for ctx in [as_doctor(dr_gray()), admin()] {
            complete(ctx).then_expect_events(vec![AppointmentFulfilled {}.into()]);
        }
    }

    #[test]
    fn nobody_else_does() {
        for ctx in [as_doctor(dr_who()), staff()] {
            complete(ctx).then_expect_error(Refusal::NotAssignedPractitioner.into());
        }
    }
}
