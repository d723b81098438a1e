//! Bad input: a problem that names every fault, and nothing changed.

use serde_json::json;

use crate::practice::{admin, at, events, practice, request, staff};

#[tokio::test]
async fn all_faults_of_a_body_come_in_one_document_and_no_value_with_them() {
    let (practice, directory) = practice().await;
    let body = json!({
        "id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c01",
        "family_name": 7777,
        "given_names": "Marker",
        "birth_date": "Marker",
        "contact": { "phones": ["Marker"], "address": { "country": "Marker" } },
        "identifiers": [{ "system": "Marker" }],
    });
    let reply = practice.post("/patients", &staff(), body).await;
    reply.assert_problem(422, "invalid-input");
    let expected = [
        "body /family_name wrong-type",
        "body /given_names wrong-type",
        "body /birth_date invalid-date",
        "body /contact/phones/0 invalid-phone",
        "body /contact/address/country unknown-country",
        "body /identifiers/0/value required",
        "body /identifiers/0/system invalid-uri",
        "body /id unknown-field",
    ];
    assert_eq!(reply.faults(), expected);
    let text = reply.json.to_string();
    assert!(!text.contains("Marker") && !text.contains("7777"), "{text}");
    assert!(events(&directory).await.is_empty());
}

#[tokio::test]
async fn a_birth_date_to_come_is_a_fault_of_its_field() {
    let (practice, directory) = practice().await;
    for (date, code) in [
        ("2027-01-16", "future-date"),
        ("1901-01-15", "too-long-ago"),
        ("2027-13", "invalid-date"),
    ] {
        let body = json!({ "family_name": "Moreau", "birth_date": date });
        let reply = practice.post("/patients", &staff(), body).await;
        reply.assert_problem(422, "invalid-input");
        assert_eq!(reply.faults(), [format!("body /birth_date {code}")], "{date}");
    }
    assert!(events(&directory).await.is_empty());
}

#[tokio::test]
async fn a_fault_by_the_day_is_named_with_those_of_form() {
    let (practice, _directory) = practice().await;
    let id = practice.register_patient().await;
    let body = json!({ "family_name": "", "birth_date": "2027-01-16", "gender": "f", "nickname": "x" });
    let mut expected = vec![
        "body /family_name empty",
        "body /birth_date future-date",
        "body /gender unknown-code",
        "body /nickname unknown-field",
    ];
    let reply = practice.post("/patients", &staff(), body.clone()).await;
    assert_eq!(reply.faults(), expected);
    let reply = practice
        .ask(&format!("PUT /patients/{id}"), &staff(), &[], &body)
        .await;
    expected.insert(3, "body /reason required");
    assert_eq!(reply.faults(), expected);
}

#[tokio::test]
async fn every_fault_of_a_booking_is_named() {
    let (practice, _directory) = practice().await;
    let body = json!({
        "patient_id": "ann", "practitioner_id": 5, "starts": "2027-01-15 09:00", "ends": "tomorrow",
        "reason": "", "overbooking_reason_code": "Not A Code", "force": true
    });
    let reply = practice.post("/appointments", &staff(), body).await;
    let expected = [
        "body /patient_id not-a-uuid",
        "body /practitioner_id wrong-type",
        "body /location_id required",
        "body /starts not-an-instant",
        "body /ends not-an-instant",
        "body /reason empty",
        "body /overbooking_reason_code invalid-code",
        "body /force unknown-field",
    ];
    assert_eq!(reply.faults(), expected);
}

#[tokio::test]
async fn participants_and_zones_are_known_ones() {
    let (practice, _directory) = practice().await;
    let body = json!({ "name": "Seestrasse", "zone": "+02:00" });
    let reply = practice.post("/locations", &admin(), body).await;
    assert_eq!(reply.faults(), ["body /zone unknown-zone"]);
    let people = practice.people().await;
    let body = json!({
        "patient_id": people.patient, "topic": "results",
        "participants": [{ "kind": "nurse", "id": people.patient }, { "kind": "patient" }]
    });
    let reply = practice
        .post("/threads", &crate::practice::patient(people.patient), body)
        .await;
    let expected = [
        "body /participants/0/kind unknown-value",
        "body /participants/1/id required",
    ];
    assert_eq!(reply.faults(), expected);
}

#[tokio::test]
async fn what_is_no_json_is_placed_and_not_quoted() {
    let (practice, directory) = practice().await;
    let reply = practice
        .send(request(
            "POST /patients",
            &staff(),
            &[],
            "{\"family_name\": Marker}",
        ))
        .await;
    reply.assert_problem(400, "malformed-json");
    assert_eq!(
        (&reply.json["line"], &reply.json["column"]),
        (&json!(1), &json!(17))
    );
    assert!(!reply.json.to_string().contains("Marker"));
    for body in [
        "",
        "{\"family_name\": \"a\"} {}",
        "\u{feff}{}",
        "{\"a\": \"\\ud800\"}",
    ] {
        let reply = practice
            .send(request("POST /patients", &staff(), &[], body))
            .await;
        reply.assert_problem(400, "malformed-json");
    }
    let twice = r#"{"family_name":"a","family_name":"b"}"#;
    let reply = practice
        .send(request("POST /patients", &staff(), &[], twice))
        .await;
    assert_eq!(reply.faults(), ["body /family_name duplicate-field"]);
    let reply = practice
        .send(request("POST /patients", &staff(), &[], "[1]"))
        .await;
    assert_eq!(reply.faults(), ["body  wrong-type"]);
    assert!(events(&directory).await.is_empty());
}

#[tokio::test]
async fn another_media_type_is_refused() {
    let (practice, _directory) = practice().await;
    let mut request = request("POST /patients", &staff(), &[], r#"{"family_name":"a"}"#);
    request
        .headers_mut()
        .insert("content-type", http::HeaderValue::from_static("text/plain"));
    practice
        .send(request)
        .await
        .assert_problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn ids_in_a_path_and_parameters_nobody_asked_for_are_faults() {
    let (practice, _directory) = practice().await;
    let reply = practice.order("DELETE /patients/ann", &staff()).await;
    reply.assert_problem(400, "invalid-parameter");
    assert_eq!(reply.faults(), ["path /id not-a-uuid"]);
    let people = practice.people().await;
    let token = crate::practice::doctor(people.practitioner);
    let reply = practice.order("POST /threads/a/messages/b/read", &token).await;
    assert_eq!(
        reply.faults(),
        ["path /id not-a-uuid", "path /message_id not-a-uuid"]
    );
    let line = format!("DELETE /patients/{}?force=1", people.patient);
    let reply = practice.order(&line, &staff()).await;
    reply.assert_problem(400, "invalid-parameter");
    assert_eq!(reply.faults(), ["query /force unknown-parameter"]);
}

#[tokio::test]
async fn lists_and_texts_have_limits_on_both_sides() {
    let (practice, _directory) = practice().await;
    let names = |count: usize| json!({ "family_name": "a".repeat(100), "given_names": vec!["b"; count] });
    practice.post("/patients", &staff(), names(10)).await.created();
    let reply = practice.post("/patients", &staff(), names(11)).await;
    assert_eq!(reply.faults(), ["body /given_names too-many"]);
    let reply = practice
        .post("/patients", &staff(), json!({ "family_name": "a".repeat(101) }))
        .await;
    assert_eq!(reply.faults(), ["body /family_name too-long"]);
    let people = practice.people().await;
    let mut visit = people.visit(180);
    visit["ends"] = json!(at(180));
    let reply = practice.post("/appointments", &staff(), visit).await;
    assert_eq!(reply.faults(), ["body /ends not-after-start"]);
}

#[tokio::test]
async fn faults_of_query_headers_and_body_come_in_one_document() {
    let (practice, directory) = practice().await;
    let headers = [("idempotency-key", "a b"), ("if-match", "1")];
    let body = json!({ "family_name": 7, "hobby": "chess" });
    let reply = practice
        .ask("POST /patients?page=1", &staff(), &headers, &body)
        .await;
    reply.assert_problem(400, "invalid-parameter");
    let faults = reply.json["faults"].as_array().unwrap().iter();
    let named: Vec<_> = faults
        .map(|fault| (fault["in"].as_str().unwrap(), fault["pointer"].as_str().unwrap()))
        .collect();
    let expected = [
        ("query", "/page"),
        ("header", "/idempotency-key"),
        ("header", "/if-match"),
        ("body", "/family_name"),
        ("body", "/hobby"),
    ];
    assert_eq!(named, expected);
    let unread = practice
        .ask("POST /patients", &staff(), &headers[1..], &json!([]))
        .await;
    unread.assert_problem(400, "invalid-if-match");
    assert!(events(&directory).await.is_empty());
}

#[tokio::test]
async fn an_address_longer_than_any_route_takes_is_refused_in_a_document() {
    let (practice, _directory) = practice().await;
    let with = |len: usize| format!("POST /patients?{}", "a".repeat(len));
    let body = json!({ "family_name": "Moreau" });
    let longest = 8 * 1024 - "/patients".len();
    let read = practice.ask(&with(longest), &staff(), &[], &body).await;
    read.assert_problem(400, "invalid-parameter");
    let refused = practice.ask(&with(longest + 1), &staff(), &[], &body).await;
    refused.assert_problem(414, "uri-too-long");
}
