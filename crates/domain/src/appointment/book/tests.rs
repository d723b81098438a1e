//! Booking, by its rules.

use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::test::{AggregateResultValidator, TestFramework};
use praxis_calendar::interval::Interval;
use praxis_events::appointment::{AppointmentBooked, AppointmentStatus, Occupancy};
use praxis_events::ids::{LocationId, PatientId, PractitionerId};
use praxis_events::location::LocationRegistered;
use praxis_events::patient::PatientDeathRecorded;
use praxis_events::sealed::Sealed;
use uuid::Uuid;

use super::BookAppointment;
use crate::appointment::placement::Placement;
use crate::appointment::state::Appointment;
use crate::appointment::transition::Step;
use crate::command::{Command, missing};
use crate::context::Context;
use crate::location::state::Location;
use crate::refusal::{Refusal, RefusalCode};
use crate::samples::{
    ada, ada_gone, ada_registered, admin, as_doctor, as_patient, booked, code, dr_gray, high_street, now,
    patient_after, placement, practice, situation, somebody, staff, starts, system, visit,
};
use crate::situation::Situation;
use crate::span::Layer;
use crate::words::VisitReason;
use crate::world::World;

fn booking() -> BookAppointment {
    booking_at(starts())
}

fn booking_at(starts: DateTime<Utc>) -> BookAppointment {
    BookAppointment {
        appointment_id: visit(),
        patient_id: ada(),
        placement: placement(starts),
        reason: None,
        overbooking: None,
    }
}

fn book(command: BookAppointment, ctx: Context) -> AggregateResultValidator<Appointment> {
    book_in(practice(), command, ctx)
}

fn book_in(world: World, command: BookAppointment, ctx: Context) -> AggregateResultValidator<Appointment> {
    TestFramework::with(Situation { world, ctx })
        .given_no_previous_events()
        .when(command.into())
}

#[test]
fn a_free_time_is_booked_with_the_wall_clock_of_its_location() {
    assert_eq!(booked().slot.local_start.to_string(), "2026-06-16 09:00:00");
    for ctx in [
        staff(),
        admin(),
        as_doctor(dr_gray()),
        as_patient(ada()),
        system(),
    ] {
        book(booking(), ctx).then_expect_events(vec![booked().into()]);
    }
}

#[test]
fn the_reason_of_the_visit_is_sealed() {
    let reason = VisitReason::parse("cough").unwrap();
    let expected = AppointmentBooked {
        reason: Some(Sealed::Value(reason.clone().into())),
        ..booked()
    };
    book(
        BookAppointment {
            reason: Some(reason),
            ..booking()
        },
        staff(),
    )
    .then_expect_events(vec![expected.into()]);
}

#[test]
fn the_decision_depends_on_patient_practitioner_and_location() {
    let decision = booking().decide(&practice(), &staff()).unwrap();
    assert_eq!(
        decision.reads,
        [dr_gray().into(), high_street().into(), ada().into()]
    );
    assert_eq!((decision.reason_code, decision.occurred_at), (None, None));
}

#[test]
fn everything_it_must_see_is_named_at_once() {
    assert_eq!(missing(&booking(), &World::new()).len(), 4);
    assert_eq!(missing(&booking(), &practice()), [visit().into()]);
}

#[test]
fn a_patient_books_for_nobody_else_be_there_such_a_patient_or_not() {
    for other in [ada(), PatientId(Uuid::nil())] {
        let command = BookAppointment {
            patient_id: other,
            ..booking()
        };
        book(command, as_patient(somebody())).then_expect_error(Refusal::NotOwnRecord.into());
    }
}

#[test]
fn nothing_is_booked_in_the_past() {
    book(
        booking(),
        Context {
            now: starts(),
            ..staff()
        },
    )
    .then_expect_events(vec![booked().into()]);
    book(
        booking(),
        Context {
            now: starts() + TimeDelta::microseconds(1),
            ..staff()
        },
    )
    .then_expect_error_of(&[Refusal::InThePast]);
}

#[test]
fn a_patient_books_with_two_hours_notice_and_the_front_desk_with_none() {
    let two_hours = starts() - TimeDelta::hours(2);
    book(
        booking(),
        Context {
            now: two_hours,
            ..as_patient(ada())
        },
    )
    .then_expect_events(vec![booked().into()]);
    let later = two_hours + TimeDelta::microseconds(1);
    book(
        booking(),
        Context {
            now: later,
            ..staff()
        },
    )
    .then_expect_events(vec![booked().into()]);
    book(
        booking(),
        Context {
            now: later,
            ..as_patient(ada())
        },
    )
    .then_expect_error_of(&[Refusal::NoticeTooShort { minutes_min: 120 }]);
}

#[test]
fn nothing_is_booked_beyond_the_horizon() {
    let last = now() + TimeDelta::days(180);
    assert!(book(booking_at(last), staff()).inspect_result().is_ok());
    book(booking_at(last + TimeDelta::microseconds(1)), staff())
        .then_expect_error_of(&[Refusal::BeyondHorizon { days_max: 180 }]);
}

#[test]
fn no_visit_is_longer_than_a_day() {
    let lasting = |length| {
        let time = Interval::try_new(starts(), starts() + length).unwrap();
        BookAppointment {
            placement: Placement {
                time,
                ..placement(starts())
            },
            ..booking()
        }
    };
    assert!(
        book(lasting(TimeDelta::days(1)), staff())
            .inspect_result()
            .is_ok()
    );
    book(lasting(TimeDelta::days(1) + TimeDelta::microseconds(1)), staff())
        .then_expect_error_of(&[Refusal::VisitTooLong { minutes_max: 1_440 }]);
}

#[test]
fn a_patient_books_an_hour_at_most() {
    let lasting = |length| {
        let time = Interval::try_new(starts(), starts() + length).unwrap();
        BookAppointment {
            placement: Placement {
                time,
                ..placement(starts())
            },
            ..booking()
        }
    };
    let (hour, more) = (
        TimeDelta::hours(1),
        TimeDelta::hours(1) + TimeDelta::microseconds(1),
    );
    assert!(book(lasting(hour), as_patient(ada())).inspect_result().is_ok());
    assert!(book(lasting(more), staff()).inspect_result().is_ok());
    book(lasting(more), as_patient(ada())).then_expect_error_of(&[Refusal::VisitTooLong { minutes_max: 60 }]);
}

#[test]
fn an_inactive_or_dead_patient_is_not_booked_and_both_are_said() {
    book_in(ada_gone(), booking(), staff())
        .then_expect_error_of(&[Refusal::PatientInactive(ada()), Refusal::PatientDeceased(ada())]);
}

#[test]
fn a_patient_whose_death_was_erased_is_not_booked() {
    let died = PatientDeathRecorded {
        death: Sealed::Erased,
    };
    let patient = patient_after(&[ada_registered(), died.into()]);
    book_in(practice().with(ada(), patient, 2), booking(), staff())
        .then_expect_error_of(&[Refusal::PatientDeceased(ada())]);
}

#[test]
fn all_reasons_are_said_and_the_time_that_was_wanted() {
    let (patient, doctor, site) = (
        PatientId(Uuid::nil()),
        PractitionerId(Uuid::nil()),
        LocationId(Uuid::nil()),
    );
    let placement = Placement {
        practitioner_id: doctor,
        location_id: site,
        ..placement(now() - TimeDelta::days(1))
    };
    let command = BookAppointment {
        patient_id: patient,
        placement,
        ..booking()
    };
    let refused = book(command, staff()).inspect_result().unwrap_err();
    assert_eq!(refused.code, RefusalCode::BookingRefused);
    let expected = [
        Refusal::PatientUnknown(patient),
        Refusal::PractitionerUnknown(doctor),
        Refusal::LocationUnknown(site),
        Refusal::InThePast,
    ];
    assert_eq!(refused.reasons, expected);
    assert_eq!(refused.wanted.len(), 2);
}

#[test]
fn a_location_whose_zone_is_not_known_takes_no_bookings() {
    let mut site = Location::default();
    let moved = LocationRegistered {
        name: "Sunken".to_owned(),
        zone: "Atlantis/Capital".to_owned(),
        source: None,
    };
    site.fold(&moved.into());
    book_in(practice().with(high_street(), site, 1), booking(), staff())
        .then_expect_error_of(&[Refusal::ZoneUnknown(high_street())]);
}

#[test]
fn the_front_desk_and_administrators_overbook_and_say_why() {
    let command = BookAppointment {
        overbooking: Some(code("urgent")),
        ..booking()
    };
    let expected = AppointmentBooked {
        occupancy: Occupancy::Overbooked,
        ..booked()
    };
    for ctx in [staff(), admin()] {
        let decision = command.decide(&practice(), &ctx).unwrap();
        assert_eq!(decision.reason_code.as_deref(), Some("urgent"));
        book(command.clone(), ctx).then_expect_events(vec![expected.clone().into()]);
    }
    for ctx in [as_patient(ada()), as_doctor(dr_gray()), system()] {
        let refused = book(command.clone(), ctx).inspect_result().unwrap_err();
        assert_eq!(refused.code, RefusalCode::Forbidden);
        assert_eq!(refused.reasons, [Refusal::OverbookingNotPermitted]);
    }
}

#[test]
fn who_may_not_overbook_is_told_what_else_stands_in_the_way() {
    let command = BookAppointment {
        overbooking: Some(code("urgent")),
        ..booking_at(now() - TimeDelta::hours(1))
    };
    let refused = book(command, as_doctor(dr_gray())).inspect_result().unwrap_err();
    assert_eq!(
        refused.reasons,
        [Refusal::OverbookingNotPermitted, Refusal::InThePast]
    );
    // Without the privilege the practitioner's time would have to be free like anybody's.
    assert!(refused.wanted.iter().all(|span| span.layer == Layer::Normal));
}

#[test]
fn what_is_booked_is_not_booked_again() {
    let refusal = Refusal::InvalidTransition {
        from: AppointmentStatus::Booked,
        step: Step::Book,
        to: Some(AppointmentStatus::Booked),
    };
    TestFramework::<Appointment>::with(situation(staff()))
        .given(vec![booked().into()])
        .when(booking().into())
        .then_expect_error(refusal.into());
}

/// Refusals of bookings also say which time was wanted; here only their reasons matter.
trait ThenExpectErrorOf {
    fn then_expect_error_of(self, reasons: &[Refusal]);
}

impl ThenExpectErrorOf for AggregateResultValidator<Appointment> {
    fn then_expect_error_of(self, reasons: &[Refusal]) {
        let refused = self.inspect_result().unwrap_err();
        assert_eq!(
            (refused.code, refused.reasons.as_slice()),
            (RefusalCode::BookingRefused, reasons)
        );
    }
}
