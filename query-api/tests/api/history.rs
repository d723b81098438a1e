//! Does a history show every event of its record, in order, and nothing else?

use praxis_events::ids::StreamType;
use praxis_events::record_number::RecordNumber;
use praxis_testkit::history::redact;
use serde_json::{Value, json};

use crate::practice::{Practice, at, auditor, caller_patient, staff};

const fn collection(kind: StreamType) -> &'static str {
    match kind {
        StreamType::Patient => "patients",
        StreamType::Practitioner => "practitioners",
        StreamType::Location => "locations",
        StreamType::Appointment => "appointments",
        StreamType::Thread => "threads",
    }
}

#[tokio::test]
async fn every_event_of_every_record_is_in_its_history_once_and_in_order() {
    let practice = Practice::new();
    let mut streams: Vec<_> = practice.events.iter().map(|event| event.stream).collect();
    streams.sort_unstable();
    streams.dedup();
    for stream in streams {
        let path = format!("/{}/{}/history?limit=2", collection(stream.kind), stream.id);
        let shown = practice.walk(auditor(), &path).await;
        let happened: Vec<_> = practice
            .events
            .iter()
            .filter(|event| event.stream == stream)
            .collect();
        assert_eq!(shown.len(), happened.len());
        for (shown, event) in shown.iter().zip(happened) {
            assert_eq!(shown["position"], at(event.position));
            assert_eq!(shown["version"], event.stream_version);
            assert_eq!(shown["type"], event.event.event_type().name);
            assert_eq!(shown["schema_version"], event.event.event_type().schema_version);
            assert_eq!(
                shown["recorded_at"],
                serde_json::to_value(event.recorded_at).unwrap()
            );
            assert_eq!(shown["event_id"], event.event_id.to_string());
            assert_eq!(shown["actor"]["role"], "STAFF");
            assert_eq!(shown["purpose"], "HOPERAT");
            let mut payload = event.event.to_document().unwrap();
            if let Some(counter) = payload.get("record_number").and_then(Value::as_u64) {
                payload["record_number"] = json!(RecordNumber::new(counter).to_string());
            }
            if stream.kind == StreamType::Thread {
                let groups = event.event.event_type().sealed.iter();
                let told = groups.filter(|group| payload.get(group).is_some_and(|told| !told.is_null()));
                let told: Vec<_> = told.copied().collect();
                for group in told {
                    payload[group] = json!("withheld");
                }
            }
            assert_eq!(shown["payload"], payload);
        }
    }
}

#[tokio::test]
async fn sealed_groups_of_a_history_are_values_or_erased() {
    let practice = Practice::new();
    let id = practice.patient().id;
    let path = format!("/patients/{id}/history?limit=1");
    let first = |reply: Value| reply["items"][0]["payload"]["demographics"].clone();
    assert!(first(practice.get(staff(), &path).await.json)["value"]["family_name"].is_string());
    let erased = Practice::with_events(practice.events.iter().map(redact).collect());
    assert_eq!(first(erased.get(staff(), &path).await.json), json!("erased"));
}

#[tokio::test]
async fn an_event_that_cannot_be_read_stays_in_its_place_with_the_reason() {
    let practice = Practice::new();
    let id = practice.patient().id;
    let second = practice
        .events
        .iter()
        .filter(|event| event.stream.id == id.0)
        .nth(1)
        .unwrap();
    practice.decoder.set_unreadable([second.position]);
    let shown = practice
        .get(staff(), &format!("/patients/{id}/history"))
        .await
        .json["items"]
        .clone();
    assert_eq!(
        shown.as_array().unwrap().len(),
        usize::try_from(practice.patient().place.version).unwrap()
    );
    assert_eq!(shown[1]["unreadable"], "newer-version");
    assert_eq!(shown[1]["position"], at(second.position));
    assert_eq!(shown[1]["actor"]["role"], "STAFF");
    assert!(shown[1].get("payload").is_none() && shown[0]["payload"].is_object());
}

#[tokio::test]
async fn a_page_after_the_last_event_is_empty() {
    let practice = Practice::new();
    let id = practice.patient().id;
    let page = practice
        .get(staff(), &format!("/patients/{id}/history?limit=1"))
        .await;
    assert_eq!(page.position(), at(practice.head()));
    let cursor =
        praxis_http_kit::cursor::Cursor::new(6, vec![praxis_http_kit::cursor::KeyPart::Number(1_000)]);
    let path = format!("/patients/{id}/history?cursor={}", cursor.encode());
    let reply = practice.get(staff(), &path).await;
    assert_eq!((reply.status, &reply.json["items"]), (200, &json!([])));
}

#[tokio::test]
async fn a_patient_reads_their_own_histories_and_no_other() {
    let practice = Practice::new();
    let own = practice.patient().id;
    let booking = practice
        .rows
        .appointments
        .values()
        .find(|row| row.patient_id == own)
        .unwrap();
    let other = practice
        .rows
        .appointments
        .values()
        .find(|row| row.patient_id != own)
        .unwrap();
    let own = caller_patient(own);
    for (path, expected) in [
        (format!("/patients/{}/history", booking.patient_id), 200),
        (format!("/appointments/{}/history", booking.id), 200),
        (format!("/patients/{}/history", other.patient_id), 404),
        (format!("/appointments/{}/history", other.id), 404),
    ] {
        assert_eq!(practice.get(own, &path).await.status, expected, "{path}");
    }
}

#[tokio::test]
async fn faults_of_a_history_are_named() {
    let practice = Practice::new();
    let reply = practice
        .get(staff(), "/patients/ann/history?limit=x&cursor=AQE&as_of=2-1")
        .await;
    let expected = [
        ("/id", "not-a-uuid"),
        ("/limit", "wrong-type"),
        ("/cursor", "not-a-cursor"),
        ("/as_of", "unknown-parameter"),
    ];
    assert_eq!(reply.faults(), expected);
}
