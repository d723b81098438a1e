//! Which requests does a practice full of marked values get, on good days and on bad ones?

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use praxis_auth::claims::Role;
use praxis_runtime::clock;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::callers::{Callers, Reply};

/// Longer than read models of a few records take on a busy machine.
const BUILDING_TRIES_MAX: u32 = 300;
const BUILDING_PAUSE: Duration = Duration::from_millis(100);

const DEATH: &str = "2026-01-02T03:04:05.678901Z";

/// The records of the practice.
pub struct Practice {
    pub patient: Uuid,
    pub deceased: Uuid,
    doctor: Uuid,
    location: Uuid,
    appointment: Uuid,
    thread: Uuid,
    message: String,
    position: String,
}

fn person() -> Value {
    json!({
        "family_name": "Zqxvkwjfamily", "given_names": ["Zqxvkwjgiven", "ZQXVKWJ-Middle"], "birth_date": "1931-07-19",
        "gender": "other", "language": "de-x-zqxvkwj",
        "contact": {
            "phones": ["+41 44 668 18 77"], "emails": ["zqxvkwj@zqxvkwj-mail.example"],
            "address": { "lines": ["Zqxvkwj street 1"], "city": "Zqxvkwjtown", "postcode": "ZQXVKWJ 9", "country": "LI" }
        },
        "identifiers": [{ "system": "urn:zqxvkwj:mrn", "value": "zqxvkwj-4711" }],
        "source": { "system": "https://zqxvkwj.example/patients", "value": "zqxvkwj-1" }
    })
}

/// An hour of a day a month ahead.
fn at(hour: i64) -> String {
    let days = clock::now().date_naive() + TimeDelta::days(30);
    let midnight = DateTime::<Utc>::from_naive_utc_and_offset(days.and_time(chrono::NaiveTime::MIN), Utc);
    (midnight + TimeDelta::hours(hour)).to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn visit(practice: (Uuid, Uuid, Uuid), hour: i64) -> Value {
    let (patient, doctor, location) = practice;
    json!({
        "patient_id": patient, "practitioner_id": doctor, "location_id": location, "starts": at(hour),
        "ends": at(hour + 1), "reason": "Zqxvkwj reason of the visit"
    })
}

/// Every command, as it should be.
pub async fn run_a_practice(callers: &Callers, replies: &mut Vec<Reply>) -> Practice {
    let (desk, admin) = (callers.desk(), callers.token(Role::Admin, None));
    let mut write = async |line: String, token: &str, body: Value| {
        let reply = callers.ask(&line, token, body).await;
        let id = reply.written();
        replies.push(reply);
        id
    };
    let location = json!({ "name": "Seestrasse", "zone": "Europe/Zurich" });
    let location = write("POST /locations".into(), &admin, location).await;
    let doctor = json!({
        "family_name": "Zqxvkwjdoctor", "given_names": ["Zqxvkwjanna"],
        "identifiers": [{ "system": "urn:zqxvkwj:npi", "value": "zqxvkwj-npi-1" }],
        "source": { "system": "https://zqxvkwj.example/doctors", "value": "zqxvkwj-d1" }
    });
    let doctor = write("POST /practitioners".into(), &admin, doctor).await;
    let patient = write("POST /patients".into(), &desk, person()).await;
    let correction = json!({
        "family_name": "Zqxvkwjmarried", "given_names": ["Zqxvkwjgiven"], "birth_date": "1931-07-19",
        "reason": "Zqxvkwj passport shown"
    });
    write(format!("PUT /patients/{patient}"), &desk, correction).await;
    write(
        format!("PUT /patients/{patient}/contact"),
        &desk,
        person()["contact"].clone(),
    )
    .await;
    let deceased = write(
        "POST /patients".into(),
        &desk,
        json!({ "family_name": "Zqxvkwjlate" }),
    )
    .await;
    write(
        format!("POST /patients/{deceased}/death"),
        &desk,
        json!({ "at": DEATH }),
    )
    .await;
    write(format!("DELETE /patients/{deceased}"), &desk, json!({})).await;

    let people = (patient, doctor, location);
    let appointment = write("POST /appointments".into(), &desk, visit(people, 8)).await;
    let mut moved = visit(people, 10);
    for gone in ["patient_id", "reason"] {
        moved.as_object_mut().unwrap().remove(gone);
    }
    write(
        format!("POST /appointments/{appointment}/reschedule"),
        &desk,
        moved,
    )
    .await;
    let why = json!({ "reason_code": "other", "comment": "Zqxvkwj comment" });
    for (hour, step) in [(12, "cancel"), (14, "mark-in-error")] {
        let id = write("POST /appointments".into(), &desk, visit(people, hour)).await;
        write(format!("POST /appointments/{id}/{step}"), &desk, why.clone()).await;
    }
    let mut past = visit(people, 0);
    past["starts"] = json!("2025-03-04T10:00:00Z");
    past["ends"] = json!("2025-03-04T10:30:00Z");
    past["source"] = json!({ "system": "https://zqxvkwj.example/visits", "value": "zqxvkwj-v1" });
    write("POST /appointments/record".into(), &desk, past).await;

    let treating = callers.token(Role::Doctor, Some(doctor));
    let thread = json!({
        "patient_id": patient, "topic": "Zqxvkwj topic",
        "participants": [{ "kind": "patient", "id": patient }, { "kind": "practitioner", "id": doctor }]
    });
    let thread = write("POST /threads".into(), &treating, thread).await;
    let path = format!("POST /threads/{thread}/messages");
    let say = json!({ "body": "Zqxvkwj words" });
    let slip = callers.ask(&path, &treating, say.clone()).await;
    let slip_id = slip.json()["message_id"].as_str().unwrap().to_owned();
    write(format!("{path}/{slip_id}/retract"), &treating, json!({})).await;
    let sent = callers.ask(&path, &treating, say).await;
    let message = sent.json()["message_id"].as_str().unwrap().to_owned();
    let own = callers.token(Role::Patient, Some(patient));
    let read = callers
        .ask(&format!("{path}/{message}/read"), &own, json!({}))
        .await;
    let position = read.json()["position"].as_str().unwrap().to_owned();
    replies.extend([slip, sent, read]);
    Practice {
        patient,
        deceased,
        doctor,
        location,
        appointment,
        thread,
        message,
        position,
    }
}

/// What the practice's rules, its keys and its versions refuse.
pub async fn refuse_and_conflict(callers: &Callers, practice: &Practice, replies: &mut Vec<Reply>) {
    let desk = callers.desk();
    let patient = practice.patient;
    let outsider = callers.token(Role::Doctor, Some(Uuid::from_u128(7)));
    let people = (patient, practice.doctor, practice.location);
    let key = ("idempotency-key", "zqxvkwj-key");
    let contact = format!("PUT /patients/{patient}/contact");
    let post = async |line: &str, token: &str, body: Value| callers.ask(line, token, body).await;
    replies.extend([
        post("POST /patients", &desk, person()).await,
        post("POST /appointments", &desk, visit(people, 10)).await,
        post(
            "POST /appointments",
            &desk,
            visit((practice.deceased, practice.doctor, practice.location), 16),
        )
        .await,
        post(
            &format!("POST /threads/{}/messages", practice.thread),
            &outsider,
            json!({ "body": "Zqxvkwj words of an outsider" }),
        )
        .await,
        post(
            &format!("POST /appointments/{}/undo", practice.appointment),
            &desk,
            json!({ "reason_code": "mistake", "comment": "Zqxvkwj undone" }),
        )
        .await,
        post(
            &format!("POST /patients/{patient}/death"),
            &desk,
            json!({ "at": "2999-01-02T03:04:05.678901Z" }),
        )
        .await,
        callers
            .send(&contact, &desk, &[key], person()["contact"].to_string())
            .await,
        callers
            .send(&contact, &desk, &[key], r#"{"emails":["third@zqxvkwj.example"]}"#)
            .await,
        callers
            .send(
                &contact,
                &desk,
                &[("if-match", "\"1\"")],
                r#"{"emails":["zqxvkwj@example.org"]}"#,
            )
            .await,
        post("POST /threads", &desk, json!({ "topic": "Zqxvkwj" })).await,
    ]);
}

/// Every query, as it should be, after everything that was written.
pub async fn read_everything(callers: &Callers, practice: &Practice) -> Vec<Reply> {
    let auditor = callers.token(Role::Auditor, None);
    let own = callers.token(Role::Patient, Some(practice.patient));
    let desk = callers.desk();
    let min = ("praxis-min-position", practice.position.as_str());
    let (patient, thread) = (practice.patient, practice.thread);
    let mut replies = Vec::new();
    until_read(callers, &format!("GET /patients/{patient}"), &auditor, min).await;
    for path in [
        format!("/patients/{patient}"),
        format!("/patients/{}", practice.deceased),
        format!("/patients/{patient}/history"),
        format!("/patients/{patient}?as_of={}", practice.position),
        format!("/practitioners/{}", practice.doctor),
        format!("/practitioners/{}/history", practice.doctor),
        format!("/locations/{}", practice.location),
        format!("/appointments/{}", practice.appointment),
        format!("/appointments/{}/history", practice.appointment),
        format!("/threads/{thread}"),
        format!("/threads/{thread}/history"),
    ] {
        replies.push(callers.send(&format!("GET {path}"), &auditor, &[min], "").await);
    }
    for path in [format!("/threads/{thread}/messages"), "/threads".to_owned()] {
        replies.push(callers.send(&format!("GET {path}"), &own, &[min], "").await);
    }
    let day = &at(0)[..10];
    for path in [
        "/patients?limit=1".to_owned(),
        format!("/patients/{patient}/appointments"),
        format!("/appointments?practitioner_id={}&date={day}", practice.doctor),
        "/practitioners".to_owned(),
        "/locations".to_owned(),
    ] {
        replies.push(callers.send(&format!("GET {path}"), &desk, &[min], "").await);
    }
    for search in [
        json!({ "name": "zqxvkwjmar zqxvkwjgiv" }),
        json!({ "birth_date": "1931-07-19" }),
        json!({ "identifier": "ZQXVKWJ 4711" }),
    ] {
        let reply = callers.ask("POST /patients/search", &desk, search).await;
        assert!(reply.text.contains(&patient.to_string()), "{reply:?}");
        replies.push(reply);
    }
    for reply in &replies {
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    replies
}

/// Asks until the read models have been built that far.
async fn until_read(callers: &Callers, line: &str, token: &str, min: (&str, &str)) {
    for _ in 0..BUILDING_TRIES_MAX {
        if callers.send(line, token, &[min], "").await.status == 200 {
            return;
        }
        tokio::time::sleep(BUILDING_PAUSE).await;
    }
    panic!("the read models are not built");
}

/// Every described route with everything that can be wrong with a request, by everyone.
pub async fn misuse_everything(callers: &Callers, practice: &Practice, replies: &mut Vec<Reply>) {
    let mut lines = described(callers, &callers.commands, practice).await;
    lines.extend(described(callers, &callers.queries, practice).await);
    lines.sort_unstable();
    lines.dedup();
    assert!(lines.len() > 35, "{lines:?}");
    let tokens = [
        callers.token(Role::Admin, None),
        callers.desk(),
        callers.token(Role::Doctor, Some(practice.doctor)),
        callers.token(Role::Patient, Some(practice.patient)),
    ];
    let oversized = format!(r#"{{"family_name":"{}"}}"#, "zqxvkwj".repeat(100_000));
    for line in &lines {
        for token in &tokens {
            for body in [
                r#"{"family_name": "zqxvkwj", "at": zqxvkwj"#,
                r#""zqxvkwj""#,
                r#"{"family_name":["zqxvkwj"],"birth_date":"zqxvkwj","contact":"zqxvkwj","reason":{"zqxvkwj":"zqxvkwj"},"at":"zqxvkwj"}"#,
                r#"{"name":7,"birth_date":"1931-07-19zqxvkwj","patient_id":"zqxvkwj","body":["zqxvkwj"],"topic":8,"starts":"zqxvkwj"}"#,
            ] {
                replies.push(callers.send(line, token, &[], body).await);
            }
        }
        let token = &tokens[1];
        for header in [
            ("content-type", "text/zqxvkwj"),
            ("idempotency-key", "zqxvkwj key"),
            ("if-match", "zqxvkwj"),
            ("x-correlation-id", "zqxvkwj"),
            ("traceparent", "00-zqxvkwj-zqxvkwj-01"),
            ("praxis-min-position", "zqxvkwj"),
            ("user-agent", "zqxvkwj"),
            ("authorization", "Bearer zqxvkwj.zqxvkwj.zqxvkwj"),
            ("authorization", "zqxvkwj"),
        ] {
            replies.push(callers.send(line, token, &[header], r#"{"family_name":7}"#).await);
        }
        let query =
            "limit=zqxvkwj&cursor=zqxvkwj&as_of=zqxvkwj&date=zqxvkwj&patient_id=zqxvkwj&name=Zqxvkwjfamily";
        replies.push(callers.send(&format!("{line}?{query}"), token, &[], "{}").await);
        // Only where the body is read: a server that refuses before may close on whoever still sends.
        if line == "POST /patients" {
            replies.push(callers.send(line, token, &[], oversized.clone()).await);
        }
    }
    for line in [
        "GET /zqxvkwj",
        "POST /zqxvkwj/zqxvkwj",
        "GET /patients/zqxvkwj",
        "PUT /patients/zqxvkwj/contact",
        "POST /threads/zqxvkwj/messages/zqxvkwj/read",
        "DELETE /threads",
        "GET /problems/zqxvkwj",
        "GET /docs/zqxvkwj",
    ] {
        replies.push(
            callers
                .send(line, &tokens[2], &[], r#"{"family_name":"zqxvkwj"}"#)
                .await,
        );
    }
}

/// Method and path of every operation that a process says it has, with the ids of records that are there.
async fn described(callers: &Callers, base: &str, practice: &Practice) -> Vec<String> {
    let reply = callers.asking(base).send("GET /openapi.json", "", &[], "").await;
    let document = reply.json();
    let mut lines = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let kind = path.split('/').nth(1).unwrap();
        let id = match kind {
            "patients" => practice.patient,
            "practitioners" => practice.doctor,
            "locations" => practice.location,
            "appointments" => practice.appointment,
            "threads" => practice.thread,
            // What an operator does to read models takes nothing personal.
            "views" => continue,
            other => panic!("{other} is a new kind of record: name one of them"),
        };
        let path = path
            .replace("{id}", &id.to_string())
            .replace("{message_id}", &practice.message);
        for method in item.as_object().unwrap().keys() {
            lines.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    lines
}
