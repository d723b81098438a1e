//! What the practice's rules refuse, with every reason.

use praxis_event_store::sequencer::SequencerLimits;
use serde_json::json;

use crate::practice::{
    Drain, EIGHT, Practice, admin, at, doctor, events, new_log, patient, practice, set_minutes_after_eight,
    staff,
};

#[tokio::test]
async fn a_time_taken_twice_is_refused_for_both_who_are_busy() {
    let (practice, directory) = practice().await;
    let people = practice.people().await;
    practice
        .post("/appointments", &staff(), people.visit(180))
        .await
        .created();
    let before = events(&directory).await.len();
    let reply = practice.post("/appointments", &staff(), people.visit(190)).await;
    reply.assert_problem(409, "booking-refused");
    let mut reasons = reply.reasons();
    reasons.sort_unstable();
    assert_eq!(reasons, ["patient_busy", "practitioner_busy"]);
    assert_eq!(events(&directory).await.len(), before);
    practice
        .post("/appointments", &staff(), people.visit(195))
        .await
        .created();
}

#[tokio::test]
async fn a_refusal_by_rule_lists_the_times_that_are_taken_too() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    practice
        .post("/appointments", &staff(), people.visit(30))
        .await
        .created();
    let reply = practice
        .post("/appointments", &patient(people.patient), people.visit(30))
        .await;
    reply.assert_problem(409, "booking-refused");
    let mut reasons = reply.reasons();
    reasons.sort_unstable();
    assert_eq!(reasons, ["notice_too_short", "patient_busy", "practitioner_busy"]);
}

#[tokio::test]
async fn who_is_not_registered_is_named_kind_by_kind() {
    let (practice, _directory) = practice().await;
    let mut visit = json!({ "starts": at(-60), "ends": at(-30) });
    for field in ["patient_id", "practitioner_id", "location_id"] {
        visit[field] = json!("01997a3c-5b10-7c3e-9d5e-0f6a3a4b5cff");
    }
    let reply = practice.post("/appointments", &staff(), visit).await;
    let mut reasons = reply.reasons();
    reasons.sort_unstable();
    assert_eq!(
        reasons,
        [
            "in_the_past",
            "location_unknown",
            "patient_unknown",
            "practitioner_unknown"
        ]
    );
}

#[tokio::test]
async fn an_overbooking_takes_the_practitioners_time_and_not_the_patients() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    practice
        .post("/appointments", &staff(), people.visit(180))
        .await
        .created();
    let mut forced = people.visit(180);
    forced["overbooking_reason_code"] = json!("urgent");
    let reply = practice.post("/appointments", &staff(), forced.clone()).await;
    assert_eq!(reply.reasons(), ["patient_busy"]);
    forced["patient_id"] = json!(practice.register_patient().await);
    practice.post("/appointments", &staff(), forced).await.created();
}

#[tokio::test]
async fn a_step_that_leads_nowhere_says_from_where_and_to_where() {
    let (practice, directory) = practice().await;
    let people = practice.people().await;
    let id = practice
        .post("/appointments", &staff(), people.visit(30))
        .await
        .created();
    let cancel = json!({ "reason_code": "pat" });
    practice
        .post(&format!("/appointments/{id}/cancel"), &staff(), cancel)
        .await
        .ok();
    let before = events(&directory).await.len();
    let reply = practice.step(id, "check-in", &staff()).await;
    reply.assert_problem(409, "invalid-transition");
    let reason = &reply.json["reasons"][0];
    assert_eq!(
        (&reason["from"], &reason["step"], &reason["to"]),
        (&json!("cancelled"), &json!("check-in"), &json!("checked-in"))
    );
    assert_eq!(events(&directory).await.len(), before);
}

#[tokio::test]
async fn a_late_arrival_is_refused_when_its_time_is_taken_again() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    let id = practice
        .post("/appointments", &staff(), people.visit(5))
        .await
        .created();
    set_minutes_after_eight(20);
    practice.step(id, "no-show", &staff()).await.ok();
    let mut other = people.visit(4);
    other["patient_id"] = json!(practice.register_patient().await);
    practice
        .post("/appointments/record", &staff(), other)
        .await
        .created();
    let reply = practice.step(id, "arrive", &staff()).await;
    reply.assert_problem(409, "booking-refused");
    assert_eq!(reply.reasons(), ["practitioner_busy"]);
}

#[tokio::test]
async fn an_identifier_belongs_to_one_record() {
    let (practice, directory) = practice().await;
    let body = json!({ "family_name": "Moreau", "identifiers": [{ "system": "urn:x:mrn", "value": "17" }] });
    practice.post("/patients", &staff(), body.clone()).await.created();
    let reply = practice.post("/patients", &staff(), body).await;
    reply.assert_problem(409, "claim-taken");
    assert_eq!(reply.reasons(), ["identifier_taken"]);
    assert_eq!(events(&directory).await.len(), 1);
}

#[tokio::test]
async fn open_bookings_of_a_patient_are_limited_until_one_is_given_back() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    let mut last = None;
    for hour in 0..10 {
        let reply = practice
            .post("/appointments", &staff(), people.visit(180 + hour * 60))
            .await;
        last = Some(reply.created());
    }
    let reply = practice.post("/appointments", &staff(), people.visit(900)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.reasons()),
        (409, vec!["limit_reached"])
    );
    let cancel = json!({ "reason_code": "pat" });
    practice
        .post(
            &format!("/appointments/{}/cancel", last.unwrap()),
            &staff(),
            cancel,
        )
        .await
        .ok();
    practice
        .post("/appointments", &staff(), people.visit(900))
        .await
        .created();
}

#[tokio::test]
async fn bookings_that_are_over_and_were_never_resolved_do_not_keep_a_patient_from_booking() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    for hour in 0..10 {
        practice
            .post("/appointments", &staff(), people.visit(60 + hour * 60))
            .await
            .created();
    }
    // The first eight are over, each by now; what they took of the limit can be taken again, and no more than that.
    set_minutes_after_eight(60 + 7 * 60 + 15);
    for hour in 0..8 {
        practice
            .post(
                "/appointments",
                &patient(people.patient),
                people.visit(900 + hour * 60),
            )
            .await
            .created();
    }
    let reply = practice
        .post("/appointments", &patient(people.patient), people.visit(2_000))
        .await;
    reply.assert_problem(409, "booking-refused");
    assert_eq!(reply.reasons(), ["limit_reached"]);
}

#[tokio::test]
async fn an_unresolved_booking_that_was_moved_ahead_counts_again() {
    let directory = new_log().await;
    let one = Practice::open(directory.path(), SequencerLimits::default(), Drain::Running).await;
    let other = Practice::open(directory.path(), SequencerLimits::default(), Drain::Running).await;
    let people = one.people().await;
    let first = one
        .post("/appointments", &staff(), people.visit(60))
        .await
        .created();
    for hour in 1..10 {
        one.post("/appointments", &staff(), people.visit(60 + hour * 60))
            .await
            .created();
    }
    set_minutes_after_eight(80);
    // One remembers the first as it was; only the log tells that it lies ahead again.
    let line = format!("/appointments/{first}/reschedule");
    other.post(&line, &staff(), people.placed(800)).await.ok();
    let reply = one.post("/appointments", &staff(), people.visit(900)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.reasons()),
        (409, vec!["limit_reached"])
    );
}

#[tokio::test]
async fn a_refusal_by_rule_names_the_limit_too() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    for hour in 0..10 {
        practice
            .post("/appointments", &staff(), people.visit(60 + hour * 60))
            .await
            .created();
    }
    let reply = practice.post("/appointments", &staff(), people.visit(-60)).await;
    reply.assert_problem(409, "booking-refused");
    assert_eq!(reply.reasons(), ["in_the_past", "limit_reached"]);
    set_minutes_after_eight(80);
    let reply = practice.post("/appointments", &staff(), people.visit(-60)).await;
    assert_eq!(reply.reasons(), ["in_the_past"]);
}

#[tokio::test]
async fn a_visit_recorded_before_and_refused_by_rule_is_said_to_be_imported_and_as_what() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    let mut visit = people.visit(-60);
    visit["source"] = json!({ "system": "urn:x:visits", "value": "1" });
    let first = practice
        .post("/appointments/record", &staff(), visit.clone())
        .await
        .created();
    (visit["starts"], visit["ends"]) = (json!(at(60)), json!(at(75)));
    let reply = practice.post("/appointments/record", &staff(), visit).await;
    reply.assert_problem(409, "claim-taken");
    assert_eq!(reply.reasons(), ["in_the_future", "already_imported"]);
    assert_eq!(reply.json["reasons"][1]["owner"], json!(first));
}

#[tokio::test]
async fn who_may_not_overbook_is_told_that_the_time_is_taken() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    practice
        .post("/appointments", &staff(), people.visit(180))
        .await
        .created();
    let mut forced = people.visit(180);
    forced["overbooking_reason_code"] = json!("urgent");
    let reply = practice
        .post("/appointments", &doctor(people.practitioner), forced)
        .await;
    reply.assert_problem(403, "forbidden");
    assert_eq!(
        reply.reasons(),
        ["overbooking_not_permitted", "practitioner_busy", "patient_busy"]
    );
}

#[tokio::test]
async fn a_late_arrival_takes_no_time_for_the_inactive() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    let id = practice
        .post("/appointments", &staff(), people.visit(5))
        .await
        .created();
    set_minutes_after_eight(30);
    practice.step(id, "no-show", &staff()).await.ok();
    practice
        .order(&format!("DELETE /patients/{}", people.patient), &staff())
        .await
        .ok();
    let reply = practice.step(id, "arrive", &staff()).await;
    reply.assert_problem(409, "booking-refused");
    assert_eq!(reply.reasons(), ["patient_inactive"]);
}

#[tokio::test]
async fn a_cancellation_weeks_ahead_is_taken_back_on_the_day_it_was_made_only() {
    let (practice, directory) = practice().await;
    let people = practice.people().await;
    let id = practice
        .post("/appointments", &staff(), people.visit(20 * 24 * 60))
        .await
        .created();
    let cancel = json!({ "reason_code": "prov" });
    let undo = json!({ "reason_code": "mistake" });
    let steps = [
        format!("/appointments/{id}/cancel"),
        format!("/appointments/{id}/undo"),
    ];
    for day in [0, 1] {
        practice.post(&steps[0], &staff(), cancel.clone()).await.ok();
        // The log has a clock of its own, which no test sets.
        let cancelled_at = events(&directory).await.last().unwrap().recorded_at / 1_000_000;
        set_minutes_after_eight((cancelled_at - EIGHT) / 60 + day * 24 * 60);
        let reply = practice.post(&steps[1], &admin(), undo.clone()).await;
        if day == 0 {
            reply.ok();
        } else {
            reply.assert_problem(409, "command-refused");
            assert_eq!(reply.reasons(), ["not_same_day"]);
        }
    }
}

#[tokio::test]
async fn nobody_is_booked_who_is_inactive_or_died() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    practice
        .post(
            &format!("/patients/{}/death", people.patient),
            &staff(),
            json!({ "at": at(-5) }),
        )
        .await
        .ok();
    practice
        .order(&format!("DELETE /patients/{}", people.patient), &staff())
        .await
        .ok();
    let reply = practice.post("/appointments", &staff(), people.visit(180)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.reasons()),
        (409, vec!["patient_inactive", "patient_deceased"])
    );
}

#[tokio::test]
async fn the_practice_says_why_it_cancels() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    let id = practice
        .post("/appointments", &staff(), people.visit(180))
        .await
        .created();
    let reply = practice
        .post(&format!("/appointments/{id}/cancel"), &staff(), json!({}))
        .await;
    reply.assert_problem(409, "command-refused");
    assert_eq!(reply.reasons(), ["reason_required"]);
}
