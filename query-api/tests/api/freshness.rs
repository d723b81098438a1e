//! Are reads as new as the caller asks, and refused in time when they cannot be?

use tokio::time::{Duration, Instant};

use crate::practice::{Practice, at, caller_patient, staff};

/// After that long a read without a wanted position knows of what was parked.
const NOTICED_MAX: Duration = Duration::from_millis(50);

#[tokio::test(start_paused = true)]
async fn a_position_that_is_not_reached_in_time_is_503_with_retry_after() {
    let practice = Practice::new();
    let asked = Instant::now();
    let written = at(practice.head());
    practice.views.held().checkpoints = vec![practice.head() - 1];
    for path in [
        "/patients".to_owned(),
        format!("/patients/{}", practice.patient().id),
    ] {
        let reply = practice.get_at_least(staff(), &path, Some(&written)).await;
        assert_eq!(reply.code(), (503, "projection-behind"));
        assert_eq!(reply.headers["retry-after"], "1");
    }
    let waited = asked.elapsed();
    assert!(
        waited >= Duration::from_secs(10) && waited < Duration::from_secs(11),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_read_waits_until_the_slowest_partition_has_come_there() {
    let practice = Practice::new();
    let head = practice.head();
    practice.views.held().checkpoints = vec![head, head - 1, head];
    practice.views.catch_up_at_look(5, head);
    let reply = practice.get_at_least(staff(), "/patients", Some(&at(head))).await;
    assert_eq!((reply.status, reply.position()), (200, &*at(head)));
    assert_eq!(practice.views.looks_at_checkpoints(), 5);
}

#[tokio::test]
async fn an_answer_tells_the_place_that_every_partition_has_reached() {
    let practice = Practice::new();
    practice.views.held().checkpoints = vec![90, 70, 80];
    let path = format!(
        "/appointments?practitioner_id={}&date=1999-01-01",
        uuid::Uuid::nil()
    );
    assert_eq!(practice.get(staff(), &path).await.position(), at(70));
}

#[tokio::test]
async fn a_row_newer_than_the_slowest_partition_takes_its_position_along() {
    let practice = Practice::new();
    practice.views.held().checkpoints = vec![1];
    let row = practice.patient();
    let reply = practice.get(staff(), &format!("/patients/{}", row.id)).await;
    assert_eq!(reply.position(), at(row.place.position));
}

#[tokio::test]
async fn a_position_of_an_earlier_life_of_the_log_is_a_fault_and_not_waited_for() {
    let practice = Practice::new();
    let reply = practice.get_at_least(staff(), "/patients", Some("1-5")).await;
    assert_eq!(reply.code(), (400, "invalid-parameter"));
    assert_eq!(reply.faults(), [("/praxis-min-position", "position-lost")]);
    let reply = practice
        .get_at_least(staff(), "/patients", Some("4294967296-5"))
        .await;
    assert_eq!(reply.faults(), [("/praxis-min-position", "not-a-position")]);
}

#[tokio::test(start_paused = true)]
async fn a_position_that_no_write_can_have_answered_is_a_fault_and_not_waited_for() {
    let practice = Practice::new();
    let asked = Instant::now();
    for beyond in [at(practice.head() + 1), "3-5".to_owned()] {
        let reply = practice.get_at_least(staff(), "/patients", Some(&beyond)).await;
        assert_eq!(reply.code(), (400, "invalid-parameter"));
        assert_eq!(reply.faults(), [("/praxis-min-position", "beyond-the-log")]);
    }
    assert_eq!(asked.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_record_parked_at_or_before_the_wanted_position_is_503() {
    let practice = Practice::new();
    let (patient, booking, thread) = (
        practice.patient().id,
        practice.appointment().id,
        practice.thread(),
    );
    let (member, _) = Practice::participants(thread);
    let parked = [patient.0, booking.0, thread.id.0].map(|stream| (stream, 50));
    practice.views.held().parked = parked.into();
    let records = [
        (staff(), format!("/patients/{patient}")),
        (staff(), format!("/patients/{patient}/appointments")),
        (staff(), format!("/appointments/{booking}")),
        (staff(), format!("/threads/{}", thread.id)),
        (member, format!("/threads/{}/messages", thread.id)),
    ];
    for (caller, path) in records {
        let reply = practice.get_at_least(caller, &path, Some(&at(50))).await;
        assert_eq!(reply.code(), (503, "projection-parked"), "{path}");
        assert!(reply.headers.contains_key("retry-after"));
        let earlier = practice.get_at_least(caller, &path, Some(&at(49))).await;
        assert_eq!(earlier.status, 200, "{path}");
        assert_eq!(practice.get(caller, &path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_record_parked_at_its_first_event_is_503_and_not_404() {
    let practice = Practice::new();
    let row = practice.appointment();
    practice.views.held().rows.appointments.remove(&row.id);
    practice.views.held().parked.insert(row.id.0, 50);
    let path = format!("/appointments/{}", row.id);
    let reply = practice.get_at_least(staff(), &path, Some(&at(60))).await;
    assert_eq!(reply.code(), (503, "projection-parked"));
    assert_eq!(practice.get(staff(), &path).await.code(), (404, "not-found"));
    // Whose it is is not known yet, so nobody hears of it who may not know of every record.
    let stranger = caller_patient(praxis_events::ids::PatientId(uuid::Uuid::from_u128(0x57)));
    let hidden = practice.get_at_least(stranger, &path, Some(&at(60))).await;
    assert_eq!(hidden.code(), (404, "not-found"));
}

#[tokio::test(start_paused = true)]
async fn lists_say_that_they_may_be_incomplete_while_a_stream_is_parked() {
    let practice = Practice::new();
    let paths = ["/patients", "/practitioners", "/locations"];
    for path in paths {
        assert_eq!(practice.get(staff(), path).await.json["incomplete"], false);
    }
    practice.views.held().parked.insert(uuid::Uuid::from_u128(5), 50);
    tokio::time::advance(NOTICED_MAX).await;
    for path in paths {
        assert_eq!(practice.get(staff(), path).await.json["incomplete"], true);
    }
    let search = serde_json::json!({ "name": "l" });
    assert_eq!(practice.search(staff(), &search).await.json["incomplete"], true);
}

/// What was known a moment ago answers only for what was reached then.
#[tokio::test(start_paused = true)]
async fn a_stream_parked_since_the_last_look_is_noticed_by_whoever_asks_for_its_position() {
    let practice = Practice::new();
    let (head, patient) = (practice.head(), practice.patient().id);
    practice.views.held().checkpoints = vec![head - 1; 3];
    assert_eq!(practice.get(staff(), "/patients").await.status, 200);
    practice.views.held().checkpoints = vec![head; 3];
    practice.views.held().parked.insert(patient.0, head);
    let min = at(head);
    let list = practice.get_at_least(staff(), "/patients", Some(&min)).await;
    assert_eq!(list.json["incomplete"], true);
    let path = format!("/patients/{patient}");
    let record = practice.get_at_least(staff(), &path, Some(&min)).await;
    assert_eq!(record.code(), (503, "projection-parked"));
}

/// However many read at once, they ask once how far the rows are.
#[tokio::test(start_paused = true)]
async fn reads_share_a_look_at_the_checkpoints() {
    let practice = Practice::new();
    for _ in 0..3 {
        assert_eq!(practice.get(staff(), "/patients").await.status, 200);
    }
    assert_eq!(practice.views.looks_at_checkpoints(), 1);
    tokio::time::advance(NOTICED_MAX).await;
    assert_eq!(practice.get(staff(), "/patients").await.status, 200);
    assert_eq!(practice.views.looks_at_checkpoints(), 2);
}
