//! Taking the last step back.

use praxis_events::appointment::{AppointmentStatus, AppointmentUndone};
use praxis_events::ids::{AppointmentId, StreamId};
use praxis_events::metadata::ActorRole;
use praxis_events::sealed::Sealed;

use crate::appointment::guard::{is_same_day, judge_step, known_and_ready, retaken_from};
use crate::appointment::transition::Step;
use crate::command::{Command, Decision};
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::values::reason_code::ReasonCode;
use crate::words::Comment;
use crate::world::World;

/// Take the last step back, saying why; an event of its own. What is final, fulfilled or cancelled, an administrator takes
/// back, on the date of the appointment or on the one it was fulfilled or cancelled on, by the location's clocks. Where
/// that takes time again, patient and practitioner are judged as for a booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoAppointment {
    /// Which.
    pub appointment_id: AppointmentId,
    /// Why.
    pub reason_code: ReasonCode,
    /// Why, in words.
    pub comment: Option<Comment>,
}

impl Command for UndoAppointment {
    fn target(&self) -> StreamId {
        self.appointment_id.into()
    }

    fn streams(&self, world: &World) -> Vec<StreamId> {
        let mut streams = retaken_from(world, self.appointment_id);
        streams.push(self.target());
        streams
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        if ctx.is_patient() {
            return Err(Refusal::NotForPatients.into());
        }
        let (booking, back_to) = known_and_ready(world, ctx, self.appointment_id, Step::Undo)?;
        let is_final = matches!(
            booking.status,
            AppointmentStatus::Fulfilled | AppointmentStatus::Cancelled
        );
        let mut reasons = Vec::new();
        if is_final && !ctx.acts_as(ActorRole::Admin) {
            reasons.push(Refusal::NotAdministrator);
        }
        if is_final && !is_same_day(booking, world.changed_at(self.target()), ctx) {
            reasons.push(Refusal::NotSameDay);
        }
        let comment = self.comment.clone().map(|comment| Sealed::Value(comment.into()));
        let undone = AppointmentUndone { back_to, comment };
        judge_step(world, booking, undone.clone().into(), reasons)?;
        Ok(Decision::event(self.appointment_id, undone)
            .reading(retaken_from(world, self.appointment_id))
            .for_reason(Some(self.reason_code.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use cqrs_es::test::{AggregateResultValidator, TestFramework};
    use praxis_events::appointment::{
        AppointmentArrived, AppointmentCancelled, AppointmentCheckedIn, AppointmentEvent,
        AppointmentFulfilled, AppointmentNoShow, AppointmentStatus, AppointmentUndone, CancelledBy,
    };
    use praxis_events::sealed::Sealed;

    use super::UndoAppointment;
    use crate::appointment::state::Appointment;
    use crate::context::Context;
    use crate::refusal::{Refusal, RefusalCode};
    use crate::samples::{
        ada, ada_gone, admin, as_patient, at, booked, code, comment, practice, situation, staff, starts,
        visit,
    };
    use crate::situation::Situation;

    fn undoing() -> UndoAppointment {
        UndoAppointment {
            appointment_id: visit(),
            reason_code: code("other"),
            comment: Some(comment()),
        }
    }

    fn undo(steps: Vec<AppointmentEvent>, ctx: Context) -> AggregateResultValidator<Appointment> {
        TestFramework::with(situation(ctx))
            .given(vec![booked().into()])
            .and(steps)
            .when(undoing().into())
    }

    fn back_to(status: AppointmentStatus) -> Vec<AppointmentEvent> {
        vec![
            AppointmentUndone {
                back_to: status,
                comment: Some(Sealed::Value(comment().into())),
            }
            .into(),
        ]
    }

    fn cancelled() -> AppointmentEvent {
        let by = CancelledBy::Practice;
        AppointmentCancelled {
            reason_code: "other".to_owned(),
            by,
            comment: None,
        }
        .into()
    }

    #[test]
    fn an_arrival_is_taken_back_on_any_day() {
        undo(
            vec![AppointmentArrived {}.into()],
            Context {
                now: starts() + TimeDelta::days(3),
                ..staff()
            },
        )
        .then_expect_events(back_to(AppointmentStatus::Booked));
    }

    #[test]
    fn a_cancellation_is_taken_back_to_where_it_stood() {
        let on_the_day = || Context {
            now: starts(),
            ..admin()
        };
        undo(vec![cancelled()], on_the_day()).then_expect_events(back_to(AppointmentStatus::Booked));
        undo(vec![AppointmentCheckedIn {}.into(), cancelled()], on_the_day())
            .then_expect_events(back_to(AppointmentStatus::CheckedIn));
    }

    #[test]
    fn what_is_final_is_taken_back_on_the_local_date_of_the_visit() {
        let fulfilled = || vec![AppointmentCheckedIn {}.into(), AppointmentFulfilled {}.into()];
        // The visit is in London on 2026-06-16, which ends there at 23:00 UTC.
        undo(
            fulfilled(),
            Context {
                now: at("2026-06-16T22:59:59Z"),
                ..admin()
            },
        )
        .then_expect_events(back_to(AppointmentStatus::CheckedIn));
        for now in ["2026-06-15T22:59:59Z", "2026-06-16T23:00:00Z"] {
            undo(
                fulfilled(),
                Context {
                    now: at(now),
                    ..admin()
                },
            )
            .then_expect_error(Refusal::NotSameDay.into());
        }
    }

    #[test]
    fn a_cancellation_weeks_ahead_is_taken_back_on_the_day_it_was_made() {
        // The visit is in London, where the cancellation's day ends at 23:00 UTC.
        let undo_at = |now| {
            let mut world = practice();
            world.note_change(visit().into(), at("2026-05-20T22:30:00Z"));
            let ctx = Context {
                now: at(now),
                ..admin()
            };
            TestFramework::<Appointment>::with(Situation { world, ctx })
                .given(vec![booked().into(), cancelled()])
                .when(undoing().into())
        };
        undo_at("2026-05-20T22:59:59Z").then_expect_events(back_to(AppointmentStatus::Booked));
        undo_at("2026-06-16T08:00:00Z").then_expect_events(back_to(AppointmentStatus::Booked));
        let refused = undo_at("2026-05-20T23:00:00Z").inspect_result().unwrap_err();
        assert_eq!(refused.reasons, [Refusal::NotSameDay]);
    }

    #[test]
    fn what_is_final_is_taken_back_by_administrators_and_all_reasons_are_said() {
        let late = Context {
            now: starts() + TimeDelta::days(1),
            ..staff()
        };
        let refused = undo(vec![cancelled()], late).inspect_result().unwrap_err();
        assert_eq!(refused.code, RefusalCode::Forbidden);
        assert_eq!(refused.reasons, [Refusal::NotAdministrator, Refusal::NotSameDay]);
    }

    #[test]
    fn no_time_is_taken_again_for_the_dead_or_inactive_and_all_reasons_are_said() {
        for step in [AppointmentNoShow {}.into(), cancelled()] {
            let situation = Situation {
                world: ada_gone(),
                ctx: Context {
                    now: starts(),
                    ..admin()
                },
            };
            let refused = TestFramework::<Appointment>::with(situation)
                .given(vec![booked().into(), step])
                .when(undoing().into())
                .inspect_result()
                .unwrap_err();
            assert_eq!(refused.code, RefusalCode::BookingRefused);
            assert_eq!(
                refused.reasons,
                [Refusal::PatientInactive(ada()), Refusal::PatientDeceased(ada())]
            );
            assert_eq!(refused.wanted.len(), 2);
        }
    }

    #[test]
    fn what_kept_its_time_is_taken_back_whatever_the_record_says() {
        let situation = Situation {
            world: ada_gone(),
            ctx: staff(),
        };
        TestFramework::<Appointment>::with(situation)
            .given(vec![booked().into(), AppointmentArrived {}.into()])
            .when(undoing().into())
            .then_expect_events(back_to(AppointmentStatus::Booked));
    }

    #[test]
    fn a_patient_takes_nothing_back() {
        undo(
            vec![AppointmentArrived {}.into()],
            Context {
                now: starts(),
                ..as_patient(ada())
            },
        )
        .then_expect_error(Refusal::NotForPatients.into());
    }
}
