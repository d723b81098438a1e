//! Cancelling a booking.

use praxis_events::appointment::{AppointmentCancelled, CancelledBy};
use praxis_events::ids::{AppointmentId, StreamId};
use praxis_events::sealed::Sealed;

use crate::appointment::guard::{known_and_ready, may_give_back};
use crate::appointment::transition::Step;
use crate::command::{Command, Decision};
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::values::reason_code::ReasonCode;
use crate::words::Comment;
use crate::world::World;

/// The code of a patient's own cancellation (FHIR `appointment-cancellation-reason`).
const BY_PATIENT: &str = "pat";

/// Give a booking's time back. Patients do so well ahead; the practice at any time, saying why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelAppointment {
    /// Which.
    pub appointment_id: AppointmentId,
    /// Why: `pat prov maint meds-inc other`, or a code of the practice. A patient's own cancellation is always `pat`.
    pub reason_code: Option<ReasonCode>,
    /// Why, in words.
    pub comment: Option<Comment>,
}

impl Command for CancelAppointment {
    fn target(&self) -> StreamId {
        self.appointment_id.into()
    }

    fn streams(&self, _world: &World) -> Vec<StreamId> {
        vec![self.target()]
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        let (booking, _) = known_and_ready(world, ctx, self.appointment_id, Step::Cancel)?;
        may_give_back(booking, ctx)?;
        let (by, reason_code) = if ctx.is_patient() {
            (CancelledBy::Patient, BY_PATIENT)
        } else {
            let code = self.reason_code.as_ref().ok_or(Refusal::ReasonRequired)?;
            (CancelledBy::Practice, code.as_str())
        };
        let cancelled = AppointmentCancelled {
            reason_code: reason_code.to_owned(),
            by,
            comment: self.comment.clone().map(|comment| Sealed::Value(comment.into())),
        };
        Ok(Decision::event(self.appointment_id, cancelled).for_reason(Some(reason_code)))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use cqrs_es::test::TestFramework;
    use praxis_events::appointment::{AppointmentCancelled, CancelledBy};
    use praxis_events::sealed::Sealed;

    use super::CancelAppointment;
    use crate::appointment::state::Appointment;
    use crate::context::Context;
    use crate::refusal::Refusal;
    use crate::samples::{ada, as_patient, booked, code, comment, situation, somebody, staff, starts, visit};

    fn cancellation() -> CancelAppointment {
        CancelAppointment {
            appointment_id: visit(),
            reason_code: None,
            comment: None,
        }
    }

    fn booked_then(ctx: Context) -> cqrs_es::test::AggregateTestExecutor<Appointment> {
        TestFramework::with(situation(ctx)).given(vec![booked().into()])
    }

    fn patient_before_start(ahead: TimeDelta) -> Context {
        Context {
            now: starts() - ahead,
            ..as_patient(ada())
        }
    }

    #[test]
    fn a_patient_cancels_up_to_24_hours_ahead() {
        let cancelled = AppointmentCancelled {
            reason_code: "pat".to_owned(),
            by: CancelledBy::Patient,
            comment: None,
        };
        booked_then(patient_before_start(TimeDelta::hours(24)))
            .when(cancellation().into())
            .then_expect_events(vec![cancelled.into()]);
    }

    #[test]
    fn a_patient_is_too_late_after_that() {
        booked_then(patient_before_start(
            TimeDelta::hours(24) - TimeDelta::microseconds(1),
        ))
        .when(cancellation().into())
        .then_expect_error(Refusal::TooLateToCancel { hours_min: 24 }.into());
    }

    #[test]
    fn a_patient_cannot_give_another_reason_code() {
        let cancellation = CancelAppointment {
            reason_code: Some(code("prov")),
            ..cancellation()
        };
        let cancelled = AppointmentCancelled {
            reason_code: "pat".to_owned(),
            by: CancelledBy::Patient,
            comment: None,
        };
        booked_then(patient_before_start(TimeDelta::hours(48)))
            .when(cancellation.into())
            .then_expect_events(vec![cancelled.into()]);
    }

    #[test]
    fn the_practice_cancels_at_any_time_saying_why() {
        let cancellation = CancelAppointment {
            reason_code: Some(code("maint")),
            comment: Some(comment()),
            ..cancellation()
        };
        let cancelled = AppointmentCancelled {
            reason_code: "maint".to_owned(),
            by: CancelledBy::Practice,
            comment: Some(Sealed::Value(comment().into())),
        };
        booked_then(Context {
            now: starts(),
            ..staff()
        })
        .when(cancellation.into())
        .then_expect_events(vec![cancelled.into()]);
    }

    #[test]
    fn the_practice_cannot_cancel_without_saying_why() {
        booked_then(staff())
            .when(cancellation().into())
            .then_expect_error(Refusal::ReasonRequired.into());
    }

    #[test]
    fn a_patient_does_not_find_the_booking_of_another() {
        booked_then(as_patient(somebody()))
            .when(cancellation().into())
            .then_expect_error(Refusal::NotFound(visit().into()).into());
    }
}
