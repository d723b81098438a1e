//! The patient is in the house.

use praxis_events::appointment::AppointmentArrived;
use praxis_events::ids::{AppointmentId, StreamId};

use crate::appointment::guard::{judge_step, known_and_ready, on_the_day, retaken_from};
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

    fn streams(&self, world: &World) -> Vec<StreamId> {
        let mut streams = retaken_from(world, self.appointment_id);
        streams.push(self.target());
        streams
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        let (booking, _) = known_and_ready(world, ctx, self.appointment_id, Step::Arrive)?;
        let reasons = on_the_day(booking, ctx).err().into_iter().collect();
        let arrived = AppointmentArrived {};
        judge_step(world, booking, arrived.clone().into(), reasons)?;
        Ok(Decision::event(self.appointment_id, arrived).reading(retaken_from(world, self.appointment_id)))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use cqrs_es::test::{AggregateResultValidator, TestFramework};
    use praxis_events::appointment::{AppointmentArrived, AppointmentEvent, AppointmentNoShow};
    use praxis_events::ids::StreamId;

    use super::ArriveAppointment;
    use crate::appointment::state::Appointment;
    use crate::command::{Command, missing};
    use crate::context::Context;
    use crate::refusal::Refusal;
    use crate::samples::{
        ada, ada_gone, at, booked, booked_in, dr_gray, practice, situation, staff, starts, visit,
    };
    use crate::situation::Situation;
    use crate::world::World;

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
        let missed = vec![booked().into(), AppointmentNoShow {}.into()];
        arrive(missed, starts() + TimeDelta::minutes(20))
            .then_expect_events(vec![AppointmentArrived {}.into()]);
    }

    #[test]
    fn a_late_arrival_takes_no_time_for_the_inactive_and_all_reasons_are_said() {
        let refused = TestFramework::<Appointment>::with(Situation {
            world: ada_gone(),
            ctx: Context {
                now: starts() + TimeDelta::days(1),
                ..staff()
            },
        })
        .given(vec![booked().into(), AppointmentNoShow {}.into()])
        .when(
            ArriveAppointment {
                appointment_id: visit(),
            }
            .into(),
        )
        .inspect_result()
        .unwrap_err();
        let expected = [
            Refusal::DayPassed,
            Refusal::PatientInactive(ada()),
            Refusal::PatientDeceased(ada()),
        ];
        assert_eq!(refused.reasons, expected);
        assert_eq!(refused.wanted.len(), 2);
    }

    #[test]
    fn who_keeps_the_time_arrives_whatever_the_record_says() {
        TestFramework::<Appointment>::with(Situation {
            world: ada_gone(),
            ctx: Context {
                now: starts(),
                ..staff()
            },
        })
        .given(vec![booked().into()])
        .when(
            ArriveAppointment {
                appointment_id: visit(),
            }
            .into(),
        )
        .then_expect_events(vec![AppointmentArrived {}.into()]);
    }

    #[test]
    fn a_late_arrival_depends_on_patient_and_practitioner() {
        let mut missed = Appointment::default();
        missed.fold(&booked().into());
        missed.fold(&AppointmentNoShow {}.into());
        let command = ArriveAppointment {
            appointment_id: visit(),
        };
        let world = World::new().with(visit(), missed, 2);
        let expected = [StreamId::from(ada()), dr_gray().into()];
        assert!(
            expected
                .iter()
                .all(|stream| missing(&command, &world).contains(stream))
        );
        let ctx = Context {
            now: starts() + TimeDelta::minutes(20),
            ..staff()
        };
        let missed = world.appointment(visit()).unwrap().clone();
        let decision = command
            .decide(&practice().with(visit(), missed, 2), &ctx)
            .unwrap();
        assert_eq!(decision.reads, expected);
    }
}
