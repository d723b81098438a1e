//! Is a single record shown as its row says, with its version and position?

use axum::body::Body;
use http::Request;
use praxis_events::record_number::RecordNumber;
use praxis_testkit::history::redact;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::practice::{Practice, at, bearer, staff};

fn erased() -> Value {
    json!({ "erased": true })
}

#[tokio::test]
async fn a_patient_is_shown_whole() {
    let practice = Practice::new();
    let row = practice.patient();
    let reply = practice.get(staff(), &format!("/patients/{}", row.id)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["etag"], format!("\"{}\"", row.place.version));
    assert_eq!(reply.headers["cache-control"], "no-store");
    assert_eq!(reply.position(), at(practice.head()));
    let known = row.demographics.value().unwrap();
    let shown = &reply.json;
    assert_eq!(shown["id"], row.id.to_string());
    assert_eq!(shown["version"], row.place.version);
    assert_eq!(
        shown["record_number"],
        RecordNumber::new(row.record_number).to_string()
    );
    assert_eq!(shown["status"], serde_json::to_value(row.status).unwrap());
    assert_eq!(shown["demographics"]["family_name"], **known.family_name.reveal());
    assert_eq!(
        shown["contact"]["phones"],
        serde_json::to_value(&row.contact.value().unwrap().phones).unwrap()
    );
    assert_eq!(
        shown["identifiers"].as_array().unwrap().len(),
        row.identifiers.value().unwrap().len()
    );
}

#[tokio::test]
async fn a_practitioner_and_a_location_are_shown() {
    let practice = Practice::new();
    let practitioner = practice.rows.practitioners.values().next().unwrap();
    let reply = practice
        .get(staff(), &format!("/practitioners/{}", practitioner.id))
        .await;
    let profile = practitioner.profile.value().unwrap();
    assert_eq!(
        reply.json["profile"]["family_name"],
        **profile.family_name.reveal()
    );
    assert_eq!(reply.json["specialities"], json!(practitioner.specialities));
    let location = practice.rows.locations.values().next().unwrap();
    let reply = practice
        .get(staff(), &format!("/locations/{}", location.id))
        .await;
    let expected = json!({ "id": location.id, "version": 1, "name": location.name, "zone": location.zone });
    assert_eq!(reply.json, expected);
}

#[tokio::test]
async fn a_booking_is_shown_with_the_names_of_other_records() {
    let practice = Practice::new();
    let row = practice.appointment();
    let reply = practice.get(staff(), &format!("/appointments/{}", row.id)).await;
    let name = practice.rows.patients[&row.patient_id]
        .name()
        .into_value()
        .unwrap();
    let shown = &reply.json;
    assert_eq!(shown["status"], row.status.code());
    assert_eq!(shown["patient_name"]["family_name"], **name.family_name.reveal());
    assert_eq!(
        shown["location_name"],
        practice.rows.locations[&row.location_id].name
    );
    assert_eq!(shown["starts"], serde_json::to_value(row.slot.starts).unwrap());
    assert_eq!(
        shown["local_start"],
        serde_json::to_value(row.slot.local_start).unwrap()
    );
    assert_eq!(reply.headers["etag"], format!("\"{}\"", row.place.version));
}

#[tokio::test]
async fn a_conversation_is_shown_with_what_each_has_yet_to_read() {
    let practice = Practice::new();
    let row = practice.thread();
    let reply = practice.get(staff(), &format!("/threads/{}", row.id)).await;
    assert_eq!(reply.json["message_count"], row.message_count);
    let shown = reply.json["participants"].as_array().unwrap();
    for (shown, known) in shown.iter().zip(&row.participants) {
        assert_eq!(shown["unread_count"], known.unread.len());
    }
    assert_eq!(shown.len(), row.participants.len());
    assert_eq!(reply.headers["etag"], format!("\"{}\"", row.place.version));
}

#[tokio::test]
async fn what_was_erased_says_so() {
    let events: Vec<_> = Practice::new().events.iter().map(redact).collect();
    let practice = Practice::with_events(events);
    let patient = practice.patient().id;
    let shown = practice.get(staff(), &format!("/patients/{patient}")).await.json;
    assert_eq!(shown["demographics"], erased());
    assert_eq!(shown["contact"], erased());
    assert_eq!(shown["identifiers"], erased());
    let shown = practice
        .get(
            Practice::participants(practice.thread()).0,
            &format!("/threads/{}", practice.thread().id),
        )
        .await
        .json;
    assert_eq!((&shown["topic"], &shown["patient_name"]), (&erased(), &erased()));
    let with_reason = practice
        .rows
        .appointments
        .values()
        .find(|row| row.reason.is_some())
        .unwrap();
    let shown = practice
        .get(staff(), &format!("/appointments/{}", with_reason.id))
        .await
        .json;
    assert_eq!(
        (&shown["reason"], &shown["practitioner_name"]),
        (&erased(), &erased())
    );
}

#[tokio::test]
async fn an_unknown_id_is_404_whatever_is_asked_of_it() {
    let practice = Practice::new();
    let unknown = Uuid::from_u128(0xdead);
    let auditor = crate::practice::auditor();
    for kind in [
        "patients",
        "practitioners",
        "locations",
        "appointments",
        "threads",
    ] {
        for rest in ["", "/history", "/history?cursor=AQYAAAAAAAAAAAE", "?as_of=2-100"] {
            let path = format!("/{kind}/{unknown}{rest}");
            assert_eq!(
                practice.get(auditor, &path).await.code(),
                (404, "not-found"),
                "{path}"
            );
        }
    }
    for rest in ["", "?as_of=2-100"] {
        let path = format!("/threads/{unknown}/messages{rest}");
        assert_eq!(
            practice.get(auditor, &path).await.code(),
            (404, "not-found"),
            "{path}"
        );
    }
    let path = format!("/patients/{unknown}/appointments");
    assert_eq!(practice.get(staff(), &path).await.code(), (404, "not-found"));
}

#[tokio::test]
async fn the_id_of_another_kind_of_record_is_unknown() {
    let practice = Practice::new();
    let id = practice.patient().id;
    for path in [
        format!("/appointments/{id}"),
        format!("/practitioners/{id}/history"),
        format!("/locations/{id}?as_of={}", at(practice.head())),
    ] {
        assert_eq!(
            practice.get(staff(), &path).await.code(),
            (404, "not-found"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn faults_of_path_query_and_header_are_listed_together() {
    let practice = Practice::new();
    let reply = practice
        .get_at_least(staff(), "/patients/ann?as_of=soon&page=2", Some("7"))
        .await;
    assert_eq!(reply.code(), (400, "invalid-parameter"));
    let expected = [
        ("/id", "not-a-uuid"),
        ("/as_of", "not-a-moment"),
        ("/page", "unknown-parameter"),
        ("/praxis-min-position", "not-a-position"),
    ];
    assert_eq!(reply.faults(), expected);
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let practice = Practice::new();
    let row = practice.patient();
    let request = Request::head(format!("/patients/{}", row.id)).header("authorization", bearer(staff()));
    let reply = practice.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["etag"], format!("\"{}\"", row.place.version));
}
