//! Recording what took place, by its rules.

use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::test::{AggregateResultValidator, TestFramework};
use praxis_calendar::interval::Interval;
use praxis_events::appointment::{
    AppointmentBooked, AppointmentEvent, AppointmentFulfilled, AppointmentStatus,
};
use praxis_events::patient::{Death, PatientDeactivated, PatientDeathRecorded, PatientEvent};
use praxis_events::personal::Personal;
use praxis_events::sealed::Sealed;

use super::RecordAppointment;
use crate::appointment::placement::Placement;
use crate::appointment::state::Appointment;
use crate::appointment::transition::Step;
use crate::claim::ClaimResource;
use crate::command::Command;
use crate::context::Context;
use crate::refusal::{Refusal, RefusalCode};
use crate::samples::{
    ada, ada_registered, as_patient, at, booked, identifier, now, patient_after, placement, practice,
    situation, staff, starts, system, visit,
};
use crate::situation::Situation;

fn record_of(starts: DateTime<Utc>) -> RecordAppointment {
    RecordAppointment {
        appointment_id: visit(),
        patient_id: ada(),
        placement: placement(starts),
        reason: None,
        source: Some(identifier("encounter-1")),
    }
}

fn record(starts: DateTime<Utc>, ctx: Context) -> AggregateResultValidator<Appointment> {
    TestFramework::with(situation(ctx))
        .given_no_previous_events()
        .when(record_of(starts).into())
}

/// Records a visit of a patient to whom that happened.
fn record_after(
    happened: Vec<PatientEvent>,
    starts: DateTime<Utc>,
) -> Result<Vec<AppointmentEvent>, Vec<Refusal>> {
    let events: Vec<_> = std::iter::once(ada_registered()).chain(happened).collect();
    let world = practice().with(ada(), patient_after(&events), 2);
    TestFramework::<Appointment>::with(Situation { world, ctx: system() })
        .given_no_previous_events()
        .when(record_of(starts).into())
        .inspect_result()
        .map_err(|refused| refused.reasons)
}

fn expected(starts: DateTime<Utc>) -> Vec<AppointmentEvent> {
    let mut booked = AppointmentBooked {
        source: Some(Sealed::Value(identifier("encounter-1").into())),
        ..booked()
    };
    booked.slot.local_start += starts - booked.slot.starts;
    (booked.slot.starts, booked.slot.ends) = (starts, starts + TimeDelta::minutes(30));
    vec![booked.into(), AppointmentFulfilled {}.into()]
}

#[test]
fn a_visit_is_booked_and_fulfilled_at_once_at_its_real_time() {
    // In British Summer Time, as the visit of the samples.
    let long_ago = at("1989-06-04T02:25:16Z");
    record(long_ago, system()).then_expect_events(expected(long_ago));
    let decision = record_of(long_ago).decide(&practice(), &system()).unwrap();
    assert_eq!(decision.occurred_at, Some(long_ago));
    assert_eq!(decision.reads.len(), 3);
}

#[test]
fn it_holds_its_time_and_source_id_but_no_open_booking() {
    let mut state = Appointment::default();
    for event in expected(at("1989-06-04T02:25:16Z")) {
        state.fold(&event);
    }
    let claimed: Vec<_> = state.claims().iter().map(|claim| claim.resource).collect();
    assert_eq!(claimed, [ClaimResource::AppointmentSource]);
    assert_eq!(state.spans().len(), 2);
}

#[test]
fn a_visit_of_many_days_is_recorded() {
    let begins = at("2020-01-01T00:00:00Z");
    let time = Interval::try_new(begins, begins + TimeDelta::days(27)).unwrap();
    let command = RecordAppointment {
        placement: Placement {
            time,
            ..placement(begins)
        },
        ..record_of(begins)
    };
    assert!(command.decide(&practice(), &system()).is_ok());
}

#[test]
fn what_has_not_ended_is_not_recorded() {
    let just_over = now() - TimeDelta::minutes(30);
    assert!(record(just_over, staff()).inspect_result().is_ok());
    let refused = record(just_over + TimeDelta::microseconds(1), staff())
        .inspect_result()
        .unwrap_err();
    assert_eq!(
        (refused.code, refused.reasons),
        (RefusalCode::BookingRefused, vec![Refusal::InTheFuture])
    );
}

#[test]
fn what_began_and_goes_on_for_ever_is_not_recorded() {
    let begins = now() - TimeDelta::days(1);
    let time = Interval::try_new(begins, at("9999-12-31T00:00:00Z")).unwrap();
    let command = RecordAppointment {
        placement: Placement {
            time,
            ..placement(begins)
        },
        ..record_of(begins)
    };
    let refused = command.decide(&practice(), &system()).unwrap_err();
    assert_eq!(refused.reasons, [Refusal::InTheFuture]);
}

#[test]
fn a_visit_starts_before_the_death() {
    let death = at("2000-06-01T12:00:00Z");
    let died = || {
        vec![
            PatientDeathRecorded {
                death: Sealed::Value(Death {
                    at: Personal::new(death),
                }),
            }
            .into(),
        ]
    };
    let just_before = death - TimeDelta::microseconds(1);
    assert_eq!(record_after(died(), just_before), Ok(expected(just_before)));
    assert_eq!(
        record_after(died(), death),
        Err(vec![Refusal::VisitAfterDeath(ada())])
    );
}

#[test]
fn nothing_is_recorded_of_a_patient_whose_death_was_erased() {
    let died = PatientDeathRecorded {
        death: Sealed::Erased,
    };
    let refused = record_after(vec![died.into()], at("2000-06-01T00:00:00Z"));
    assert_eq!(refused, Err(vec![Refusal::VisitAfterDeath(ada())]));
}

#[test]
fn a_visit_starts_after_the_birth_date_began_anywhere() {
    let begins = at("1984-02-28T10:00:00Z");
    assert!(record_after(Vec::new(), begins).is_ok());
    let refused = record_after(Vec::new(), begins - TimeDelta::microseconds(1));
    assert_eq!(refused, Err(vec![Refusal::BeforeBirth(ada())]));
}

#[test]
fn a_record_that_is_inactive_today_does_not_bar_its_past() {
    let begins = at("2000-06-01T12:00:00Z");
    assert_eq!(
        record_after(vec![PatientDeactivated {}.into()], begins),
        Ok(expected(begins))
    );
}

#[test]
fn a_source_id_recorded_in_this_stream_is_said_to_be_imported() {
    let given = || TestFramework::<Appointment>::with(situation(system())).given(expected(now()));
    given()
        .when(record_of(now()).into())
        .then_expect_error(Refusal::AlreadyImported.into());
    let other = RecordAppointment {
        source: None,
        ..record_of(now())
    };
    let refusal = Refusal::InvalidTransition {
        from: AppointmentStatus::Fulfilled,
        step: Step::Record,
        to: Some(AppointmentStatus::Fulfilled),
    };
    given().when(other.into()).then_expect_error(refusal.into());
}

#[test]
fn a_patient_records_nothing() {
    record(starts(), as_patient(ada())).then_expect_error(Refusal::NotForPatients.into());
}
