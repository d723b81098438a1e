//! An appointment that was never meant.

use praxis_events::appointment::AppointmentMarkedInError;
use praxis_events::ids::{AppointmentId, StreamId};
use praxis_events::sealed::Sealed;

use crate::appointment::guard::known_and_ready;
use crate::appointment::transition::Step;
use crate::command::{Command, Decision};
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::values::reason_code::ReasonCode;
use crate::words::Comment;
use crate::world::World;

/// State that an appointment was entered in error; final, and its time is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkAppointmentInError {
    /// Which.
    pub appointment_id: AppointmentId,
    /// Why.
    pub reason_code: Option<ReasonCode>,
    /// Why, in words.
    pub comment: Option<Comment>,
}

impl Command for MarkAppointmentInError {
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
        known_and_ready(world, ctx, self.appointment_id, Step::MarkInError)?;
        let comment = self.comment.clone().map(|comment| Sealed::Value(comment.into()));
        Ok(
            Decision::event(self.appointment_id, AppointmentMarkedInError { comment })
                .for_reason(self.reason_code.as_ref().map(ReasonCode::as_str)),
        )
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::{AggregateResultValidator, TestFramework};
    use praxis_events::appointment::{AppointmentEvent, AppointmentMarkedInError, AppointmentStatus};

    use super::MarkAppointmentInError;
    use crate::appointment::state::Appointment;
    use crate::appointment::transition::Step;
    use crate::context::Context;
    use crate::refusal::Refusal;
    use crate::samples::{ada, as_patient, booked, situation, staff, visit};

    fn mark(given: Vec<AppointmentEvent>, ctx: Context) -> AggregateResultValidator<Appointment> {
        let command = MarkAppointmentInError {
            appointment_id: visit(),
            reason_code: None,
            comment: None,
        };
        TestFramework::with(situation(ctx))
            .given(given)
            .when(command.into())
    }

    #[test]
    fn a_booking_that_was_never_meant_is_marked_once() {
        let marked = AppointmentEvent::MarkedInError(AppointmentMarkedInError { comment: None });
        mark(vec![booked().into()], staff()).then_expect_events(vec![marked.clone()]);
        let again = Refusal::InvalidTransition {
            from: AppointmentStatus::EnteredInError,
            step: Step::MarkInError,
            to: Some(AppointmentStatus::EnteredInError),
        };
        mark(vec![booked().into(), marked], staff()).then_expect_error(again.into());
    }

    #[test]
    fn a_patient_marks_nothing() {
        mark(vec![booked().into()], as_patient(ada())).then_expect_error(Refusal::NotForPatients.into());
    }
}
