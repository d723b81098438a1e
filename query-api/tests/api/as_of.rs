//! Is an earlier state shown as the same folds make it of the log up to there?

use praxis_events::recorded::RecordedEvent;
use praxis_testkit::rows::Rows;

use crate::memory::views::joined;
use crate::practice::{Practice, at, auditor, staff};

/// The rows as they were after each event of a stream, with that event.
fn states(practice: &Practice, stream: uuid::Uuid) -> Vec<(&RecordedEvent, Rows)> {
    let events = practice.events.iter().filter(|event| event.stream.id == stream);
    let state = |event: &RecordedEvent| {
        let up_to = usize::try_from(event.position).expect("a small position");
        Rows::of(&practice.events[..up_to])
    };
    events.map(|event| (event, state(event))).collect()
}

#[tokio::test]
async fn a_patient_is_shown_as_after_each_of_its_events() {
    let practice = Practice::new();
    let id = practice.patient().id;
    let states = states(&practice, id.0);
    assert!(states.len() > 2);
    for (event, rows) in states {
        let reply = practice
            .get(staff(), &format!("/patients/{id}?as_of={}", at(event.position)))
            .await;
        let row = &rows.patients[&id];
        assert_eq!(reply.headers["etag"], format!("\"{}\"", event.stream_version));
        assert_eq!(reply.position(), at(event.position));
        assert_eq!(reply.json["status"], serde_json::to_value(row.status).unwrap());
        let shown = &reply.json["demographics"]["family_name"];
        assert_eq!(*shown, **row.demographics.value().unwrap().family_name.reveal());
        let phones = serde_json::to_value(&row.contact.value().unwrap().phones).unwrap();
        assert_eq!(reply.json["contact"]["phones"], phones);
    }
}

#[tokio::test]
async fn a_booking_is_shown_as_it_was_with_the_names_of_then() {
    let practice = Practice::new();
    for id in practice.rows.appointments.keys().take(30) {
        for (event, rows) in states(&practice, id.0) {
            let path = format!("/appointments/{id}?as_of={}", at(event.position));
            let shown = practice.get(auditor(), &path).await.json;
            let read = joined(&rows, rows.appointments[id].clone());
            let expected = praxis_query_api::view::appointment::AppointmentView::from(read);
            assert_eq!(shown, serde_json::to_value(expected).unwrap());
        }
    }
}

#[tokio::test]
async fn now_and_as_of_now_are_the_same() {
    let practice = Practice::new();
    let now = at(practice.head());
    let rows = &practice.rows;
    let paths = [
        format!("/patients/{}", practice.patient().id),
        format!("/practitioners/{}", rows.practitioners.keys().next().unwrap()),
        format!("/locations/{}", rows.locations.keys().next().unwrap()),
        format!("/appointments/{}", practice.appointment().id),
        format!("/threads/{}", practice.thread().id),
        format!("/threads/{}/messages", practice.thread().id),
    ];
    for path in paths {
        let (current, then) = (
            practice.get(auditor(), &path).await,
            practice.get(auditor(), &format!("{path}?as_of={now}")).await,
        );
        assert_eq!(current.status, 200, "{path}");
        assert_eq!(current.json, then.json, "{path}");
        assert_eq!(current.headers.get("etag"), then.headers.get("etag"), "{path}");
    }
}

#[tokio::test]
async fn an_instant_means_everything_recorded_at_or_before_it() {
    let practice = Practice::new();
    let happened = |id: uuid::Uuid| practice.events.iter().filter(move |event| event.stream.id == id);
    let moved_on = |first: &&RecordedEvent| {
        happened(first.stream.id)
            .any(|event| event.stream_version == 2 && event.recorded_at > first.recorded_at)
    };
    let booked = |event: &&RecordedEvent| event.event.event_type().name == "appointment.booked";
    let id = practice
        .events
        .iter()
        .filter(booked)
        .find(moved_on)
        .unwrap()
        .stream
        .id;
    let second = happened(id).nth(1).unwrap();
    let path = |instant: chrono::DateTime<chrono::Utc>| {
        let instant = instant.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        format!("/appointments/{id}?as_of={instant}")
    };
    let at_it = practice.get(staff(), &path(second.recorded_at)).await;
    assert_eq!(at_it.json["version"], 2);
    let just_before = second.recorded_at - chrono::TimeDelta::microseconds(1);
    let before_it = practice.get(staff(), &path(just_before)).await;
    assert_eq!(before_it.json["version"], 1);
    let last_then = practice
        .events
        .iter()
        .rfind(|event| event.recorded_at <= just_before);
    assert_eq!(before_it.position(), at(last_then.unwrap().position));
}

#[tokio::test]
async fn before_its_first_event_a_record_is_not_there() {
    let practice = Practice::new();
    let row = practice.appointment();
    let first = states(&practice, row.id.0)[0].0.position;
    let path = format!("/appointments/{}?as_of={}", row.id, at(first - 1));
    assert_eq!(practice.get(staff(), &path).await.code(), (404, "not-found"));
    let path = format!("/appointments/{}?as_of=1970-01-01T00:00:00Z", row.id);
    assert_eq!(practice.get(staff(), &path).await.code(), (404, "not-found"));
}

#[tokio::test]
async fn a_position_the_log_does_not_have_is_a_fault() {
    let practice = Practice::new();
    let id = practice.patient().id;
    for (as_of, code) in [
        (at(practice.head() + 1), "beyond-the-log"),
        ("1-5".to_owned(), "position-lost"),
        ("3-5".to_owned(), "beyond-the-log"),
    ] {
        let reply = practice
            .get(staff(), &format!("/patients/{id}?as_of={as_of}"))
            .await;
        assert_eq!(reply.code(), (400, "invalid-parameter"));
        assert_eq!(reply.faults(), [("/as_of", code)], "{as_of}");
    }
}

#[tokio::test]
async fn an_event_of_a_later_release_is_503_from_its_position_on() {
    let practice = Practice::new();
    let id = practice.appointment().id;
    let states = states(&practice, id.0);
    practice.decoder.set_unreadable([states[1].0.position]);
    let path = |event: &RecordedEvent| format!("/appointments/{id}?as_of={}", at(event.position));
    assert_eq!(practice.get(staff(), &path(states[0].0)).await.status, 200);
    let reply = practice.get(staff(), &path(states[1].0)).await;
    assert_eq!(reply.code(), (503, "unknown-event-version"));
}

#[tokio::test]
async fn a_parked_record_is_shown_from_the_log() {
    let practice = Practice::new();
    let id = practice.patient().id;
    practice.views.held().parked.insert(id.0, 1);
    let path = format!("/patients/{id}?as_of={}", at(practice.head()));
    let reply = practice
        .get_at_least(staff(), &path, Some(&at(practice.head())))
        .await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn what_was_erased_since_shows_as_erased_as_of_then() {
    let events: Vec<_> = Practice::new()
        .events
        .iter()
        .map(praxis_testkit::history::redact)
        .collect();
    let practice = Practice::with_events(events);
    let id = practice.patient().id;
    let first = states(&practice, id.0)[0].0.position;
    let shown = practice
        .get(staff(), &format!("/patients/{id}?as_of={}", at(first)))
        .await
        .json;
    assert_eq!(shown["demographics"], serde_json::json!({ "erased": true }));
}
