//! Moving a booking, by its rules.

use chrono::TimeDelta;
use cqrs_es::test::{AggregateResultValidator, TestFramework};
use praxis_calendar::interval::Interval;
use praxis_events::appointment::{AppointmentRescheduled, Occupancy, Slot};
use praxis_events::patient::PatientDeactivated;
use praxis_events::sealed::Sealed;

use super::RescheduleAppointment;
use crate::appointment::placement::Placement;
use crate::appointment::state::Appointment;
use crate::command::{Command, missing};
use crate::context::Context;
use crate::refusal::{Refusal, RefusalCode};
use crate::samples::{
    ada, ada_registered, as_doctor, as_patient, booked, code, comment, dr_gray, dr_who, patient_after,
    placement, practice, situation, somebody, staff, starts, visit,
};
use crate::situation::Situation;
use crate::world::World;

fn to(placement: Placement) -> RescheduleAppointment {
    RescheduleAppointment {
        appointment_id: visit(),
        placement,
        overbooking: None,
        comment: None,
    }
}

fn an_hour_later() -> Placement {
    placement(starts() + TimeDelta::hours(1))
}

fn rescheduled() -> AppointmentRescheduled {
    let old = booked().slot;
    let hour = TimeDelta::hours(1);
    AppointmentRescheduled {
        practitioner_id: dr_gray(),
        location_id: booked().location_id,
        room_id: None,
        slot: Slot {
            starts: old.starts + hour,
            ends: old.ends + hour,
            zone: old.zone,
            local_start: old.local_start + hour,
        },
        occupancy: Occupancy::Exclusive,
        comment: None,
    }
}

/// Ada, well ahead of her visit.
fn ada_ahead(ahead: TimeDelta) -> Context {
    Context {
        now: starts() - ahead,
        ..as_patient(ada())
    }
}

fn reschedule(command: RescheduleAppointment, ctx: Context) -> AggregateResultValidator<Appointment> {
    TestFramework::with(situation(ctx))
        .given(vec![booked().into()])
        .when(command.into())
}

#[test]
fn a_booking_is_moved_to_another_time_and_practitioner_saying_why() {
    reschedule(to(an_hour_later()), ada_ahead(TimeDelta::days(2)))
        .then_expect_events(vec![rescheduled().into()]);
    let command = RescheduleAppointment {
        comment: Some(comment()),
        ..to(Placement {
            practitioner_id: dr_who(),
            ..an_hour_later()
        })
    };
    let expected = AppointmentRescheduled {
        practitioner_id: dr_who(),
        comment: Some(Sealed::Value(comment().into())),
        ..rescheduled()
    };
    reschedule(command, staff()).then_expect_events(vec![expected.into()]);
}

#[test]
fn moving_it_to_where_it_is_changes_nothing() {
    reschedule(to(placement(starts())), staff()).then_expect_events(Vec::new());
}

#[test]
fn an_overbooked_time_is_a_change_although_it_is_the_same_time() {
    let command = RescheduleAppointment {
        overbooking: Some(code("urgent")),
        ..to(placement(starts()))
    };
    let slot = booked().slot;
    let expected = AppointmentRescheduled {
        occupancy: Occupancy::Overbooked,
        slot,
        ..rescheduled()
    };
    reschedule(command.clone(), staff()).then_expect_events(vec![expected.into()]);
    let refused = reschedule(command, as_doctor(dr_gray()))
        .inspect_result()
        .unwrap_err();
    assert_eq!(refused.reasons, [Refusal::OverbookingNotPermitted]);
}

#[test]
fn a_patient_moves_a_booking_as_far_ahead_as_it_can_be_cancelled() {
    let day = TimeDelta::hours(24);
    reschedule(to(an_hour_later()), ada_ahead(day)).then_expect_events(vec![rescheduled().into()]);
    let later = || ada_ahead(day - TimeDelta::microseconds(1));
    let refused = reschedule(to(an_hour_later()), later())
        .inspect_result()
        .unwrap_err();
    assert_eq!(refused.reasons, [Refusal::TooLateToCancel { hours_min: 24 }]);
    let by_staff = Context {
        now: later().now,
        ..staff()
    };
    reschedule(to(an_hour_later()), by_staff).then_expect_events(vec![rescheduled().into()]);
}

#[test]
fn a_long_visit_that_the_practice_booked_is_moved_by_the_patient_but_not_made_longer() {
    let mut long = booked();
    long.slot.ends = long.slot.starts + TimeDelta::hours(2);
    let moved_to_last = |length| {
        let starts = starts() + TimeDelta::days(1);
        let command = to(Placement {
            time: Interval::try_new(starts, starts + length).unwrap(),
            ..placement(starts)
        });
        TestFramework::<Appointment>::with(situation(ada_ahead(TimeDelta::days(2))))
            .given(vec![long.clone().into()])
            .when(command.into())
            .inspect_result()
            .map_err(|refused| refused.reasons)
    };
    assert!(moved_to_last(TimeDelta::hours(2)).is_ok());
    assert_eq!(
        moved_to_last(TimeDelta::minutes(121)),
        Err(vec![Refusal::VisitTooLong { minutes_max: 120 }])
    );
}

#[test]
fn the_rules_of_booking_hold_for_the_new_time_and_all_reasons_are_said() {
    let inactive = patient_after(&[ada_registered(), PatientDeactivated {}.into()]);
    let world = practice().with(ada(), inactive, 2);
    let refused = TestFramework::<Appointment>::with(Situation { world, ctx: staff() })
        .given(vec![booked().into()])
        .when(to(placement(starts() - TimeDelta::days(2))).into())
        .inspect_result()
        .unwrap_err();
    assert_eq!(refused.code, RefusalCode::BookingRefused);
    assert_eq!(
        refused.reasons,
        [Refusal::PatientInactive(ada()), Refusal::InThePast]
    );
    assert_eq!(refused.wanted.len(), 2);
}

#[test]
fn the_patient_is_named_once_the_appointment_is_loaded() {
    let command = to(an_hour_later());
    assert_eq!(missing(&command, &World::new()).len(), 3);
    let booking = Appointment {
        booking: Some((&booked()).into()),
    };
    let world = World::new().with(visit(), booking, 1);
    assert!(missing(&command, &world).contains(&ada().into()));
    assert!(missing(&command, &practice().with(visit(), Appointment::default(), 0)).is_empty());
}

#[test]
fn the_decision_depends_on_the_patient_too() {
    let booking = Appointment {
        booking: Some((&booked()).into()),
    };
    let decision = to(an_hour_later())
        .decide(&practice().with(visit(), booking, 1), &staff())
        .unwrap();
    assert!(decision.reads.contains(&ada().into()) && decision.reads.len() == 3);
}

#[test]
fn a_patient_does_not_find_the_booking_of_another() {
    reschedule(to(an_hour_later()), as_patient(somebody()))
        .then_expect_error(Refusal::NotFound(visit().into()).into());
}
