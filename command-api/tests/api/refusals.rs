//! What the practice's rules refuse, with every reason.

use serde_json::json;

use crate::practice::{at, events, patient, practice, set_minutes_after_eight, staff};

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
