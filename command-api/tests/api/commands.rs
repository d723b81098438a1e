//! Every route, on a good day.

use serde_json::json;

use crate::practice::{admin, at, doctor, events, patient, practice, set_minutes_after_eight, staff};

/// The types of the log's events, in order.
async fn told(directory: &tempfile::TempDir) -> Vec<String> {
    let events = events(directory).await;
    events.into_iter().map(|event| event.event_type).collect()
}

#[tokio::test]
async fn a_write_is_answered_with_its_record_version_and_position() {
    let (practice, directory) = practice().await;
    let reply = practice
        .post("/patients", &staff(), json!({ "family_name": "Moreau" }))
        .await;
    let id = reply.created();
    assert_eq!(reply.json, json!({ "id": id, "version": 1, "position": "1-1" }));
    assert_eq!(reply.headers["etag"], "\"1\"");
    assert_eq!(reply.headers["praxis-position"], "1-1");
    assert!(!reply.is_replayed());
    let events = events(&directory).await;
    assert_eq!(
        (events.len(), events[0].stream_id, events[0].subject_id),
        (1, id, Some(id))
    );
}

#[tokio::test]
async fn a_patients_record_is_opened_corrected_and_closed() {
    let (practice, directory) = practice().await;
    let body = json!({
        "family_name": "Moreau",
        "given_names": ["Jeanne"],
        "birth_date": "1984-02-29",
        "gender": "female",
        "language": "fr-CH",
        "contact": { "phones": ["+41 44 668 18 00"], "address": { "city": "Zürich" } },
        "identifiers": [{ "system": "urn:oid:2.16.756.5.32", "value": "1" }],
        "source": { "system": "https://old.example/patients", "value": "4711" }
    });
    let id = practice.post("/patients", &staff(), body).await.created();
    let path = format!("/patients/{id}");
    let correction = json!({ "family_name": "Keller", "reason": "married" });
    assert_eq!(
        practice
            .ask(&format!("PUT {path}"), &staff(), &[], &correction)
            .await
            .ok(),
        2
    );
    let contact = json!({ "emails": ["jeanne@example.org"] });
    let line = format!("PUT {path}/contact");
    assert_eq!(practice.ask(&line, &patient(id), &[], &contact).await.ok(), 3);
    let again = practice.ask(&line, &patient(id), &[], &contact).await;
    assert_eq!(
        (again.ok(), again.json["position"].as_str()),
        (3, Some("1-3")),
        "saying it again changes nothing"
    );
    let death = json!({ "at": at(-60) });
    let line = format!("POST {path}/death");
    assert_eq!(practice.ask(&line, &staff(), &[], &death).await.ok(), 4);
    assert_eq!(practice.order(&format!("DELETE {path}"), &staff()).await.ok(), 5);
    let expected = [
        "patient.registered",
        "patient.details-corrected",
        "patient.contact-changed",
        "patient.death-recorded",
        "patient.deactivated",
    ];
    assert_eq!(told(&directory).await, expected);
}

#[tokio::test]
async fn each_patient_gets_a_record_number_of_its_own() {
    let (practice, directory) = practice().await;
    for _ in 0..40 {
        practice.register_patient().await;
    }
    let numbers: std::collections::BTreeSet<u64> = events(&directory)
        .await
        .iter()
        .map(|event| serde_json::from_slice::<serde_json::Value>(&event.payload).unwrap())
        .map(|payload| payload["record_number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=40).collect());
}

#[tokio::test]
async fn practitioners_and_locations_are_registered() {
    let (practice, directory) = practice().await;
    let body = json!({
        "family_name": "Okafor", "given_names": ["Chidi"], "specialities": ["207Q00000X"],
        "identifiers": [{ "system": "http://hl7.org/fhir/sid/us-npi", "value": "1" }]
    });
    practice.post("/practitioners", &admin(), body).await.created();
    practice.register_location().await;
    assert_eq!(
        told(&directory).await,
        ["practitioner.registered", "location.registered"]
    );
}

#[tokio::test]
async fn a_visit_goes_its_way_from_booking_to_fulfilment() {
    let (practice, directory) = practice().await;
    let people = practice.people().await;
    let booked = practice
        .post(
            "/appointments",
            &patient(people.patient),
            people.visit(3 * 24 * 60),
        )
        .await;
    let id = booked.created();
    let moved = people.placed(240);
    let line = format!("/appointments/{id}/reschedule");
    assert_eq!(
        practice.post(&line, &patient(people.patient), moved).await.ok(),
        2
    );
    set_minutes_after_eight(235);
    assert_eq!(practice.step(id, "arrive", &staff()).await.ok(), 3);
    assert_eq!(practice.step(id, "check-in", &staff()).await.ok(), 4);
    let undo = json!({ "reason_code": "mistake", "comment": "the wrong patient" });
    let line = format!("/appointments/{id}/undo");
    assert_eq!(practice.post(&line, &staff(), undo).await.ok(), 5);
    assert_eq!(practice.step(id, "check-in", &staff()).await.ok(), 6);
    assert_eq!(
        practice
            .step(id, "complete", &doctor(people.practitioner))
            .await
            .ok(),
        7
    );
    let expected = [
        "appointment.booked",
        "appointment.rescheduled",
        "appointment.arrived",
        "appointment.checked-in",
        "appointment.undone",
        "appointment.checked-in",
        "appointment.fulfilled",
    ];
    assert_eq!(told(&directory).await[3..], expected);
}

#[tokio::test]
async fn a_visit_is_cancelled_missed_or_marked_as_never_meant() {
    let (practice, directory) = practice().await;
    let people = practice.people().await;
    let book = async |minutes| {
        practice
            .post("/appointments", &staff(), people.visit(minutes))
            .await
            .created()
    };
    let (cancelled, missed, never_meant) = (book(30).await, book(60).await, book(90).await);
    let cancel = json!({ "reason_code": "prov" });
    let line = format!("/appointments/{cancelled}/cancel");
    assert_eq!(practice.post(&line, &staff(), cancel).await.ok(), 2);
    let line = format!("/appointments/{never_meant}/mark-in-error");
    assert_eq!(practice.post(&line, &staff(), json!({})).await.ok(), 2);
    set_minutes_after_eight(75);
    assert_eq!(practice.step(missed, "no-show", &staff()).await.ok(), 2);
    let expected = [
        "appointment.cancelled",
        "appointment.marked-in-error",
        "appointment.no-show",
    ];
    assert_eq!(told(&directory).await[6..], expected);
}

#[tokio::test]
async fn a_visit_that_took_place_is_recorded_once() {
    let (practice, directory) = practice().await;
    let people = practice.people().await;
    let mut visit = people.visit(-300_000);
    visit["source"] = json!({ "system": "https://old.example/visits", "value": "88012" });
    let reply = practice
        .post("/appointments/record", &staff(), visit.clone())
        .await;
    reply.created();
    assert_eq!(reply.version(), 2);
    assert_eq!(
        told(&directory).await[3..],
        ["appointment.booked", "appointment.fulfilled"]
    );
    let again = practice.post("/appointments/record", &staff(), visit).await;
    again.assert_problem(409, "claim-taken");
    // Importing it again finds it imported, and its people busy with itself.
    assert_eq!(again.reasons()[0], "already_imported");
}

#[tokio::test]
async fn a_conversation_is_opened_held_and_a_slip_withdrawn() {
    let (practice, directory) = practice().await;
    let people = practice.people().await;
    let (jeanne, chidi) = (patient(people.patient), doctor(people.practitioner));
    let body = json!({
        "patient_id": people.patient,
        "participants": [
            { "kind": "patient", "id": people.patient },
            { "kind": "practitioner", "id": people.practitioner }
        ],
        "topic": "results"
    });
    let thread = practice.post("/threads", &jeanne, body).await.created();
    let path = format!("/threads/{thread}/messages");
    let sent = practice
        .post(&path, &jeanne, json!({ "body": "Are they in?" }))
        .await;
    assert_eq!((sent.created(), sent.version()), (thread, 2));
    let message = message_id(&sent);
    assert_eq!(sent.headers["etag"], "\"2\"");
    assert_eq!(
        practice
            .order(&format!("POST {path}/{message}/read"), &chidi)
            .await
            .ok(),
        3
    );
    assert_eq!(
        practice
            .order(&format!("POST {path}/{message}/read"), &chidi)
            .await
            .ok(),
        3,
        "the first reading counts"
    );
    let slip = practice
        .post(&path, &chidi, json!({ "body": "For another" }))
        .await;
    assert_eq!((slip.created(), slip.version()), (thread, 4));
    let slip = message_id(&slip);
    assert_eq!(
        practice
            .order(&format!("POST {path}/{slip}/retract"), &chidi)
            .await
            .ok(),
        5
    );
    let again = practice
        .order(&format!("POST {path}/{slip}/retract"), &chidi)
        .await;
    again.assert_problem(409, "invalid-transition");
    let expected = [
        "thread.opened",
        "thread.message-sent",
        "thread.message-read",
        "thread.message-sent",
        "thread.message-retracted",
    ];
    assert_eq!(told(&directory).await[3..], expected);
}

fn message_id(sent: &crate::practice::Reply) -> String {
    sent.json["message_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_command_without_input_takes_an_empty_object_too_and_nothing_else() {
    let (practice, _directory) = practice().await;
    let id = practice.register_patient().await;
    let line = format!("DELETE /patients/{id}");
    let reply = practice
        .ask(&line, &staff(), &[], &json!({ "reason": "x" }))
        .await;
    reply.assert_problem(422, "invalid-input");
    assert_eq!(reply.faults(), ["body /reason unknown-field"]);
    assert_eq!(practice.ask(&line, &staff(), &[], &json!({})).await.ok(), 2);
}
