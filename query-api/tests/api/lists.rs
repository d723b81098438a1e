//! Do lists walk from end to end without gap or repetition, and name every fault of what asks for them?

use std::collections::BTreeSet;

use praxis_events::ids::PractitionerId;
use praxis_events::thread::Participant;
use praxis_testkit::history::first_day;
use serde_json::Value;
use uuid::Uuid;

use crate::practice::{Practice, Reply, at, caller_doctor, staff};

fn ids(items: &[Value]) -> Vec<Uuid> {
    let id = |item: &Value| item["id"].as_str().expect("an id").parse().expect("a UUID");
    items.iter().map(id).collect()
}

/// The practitioner with the fullest day, and that day.
fn fullest_day(practice: &Practice) -> (PractitionerId, chrono::NaiveDate, Vec<Uuid>) {
    let rows = || practice.rows.appointments.values();
    let days: BTreeSet<_> = rows()
        .map(|row| (row.practitioner_id, row.local_date()))
        .collect();
    let of_day = |day: &(PractitionerId, chrono::NaiveDate)| {
        let mut rows: Vec<_> = rows()
            .filter(|row| (row.practitioner_id, row.local_date()) == *day)
            .collect();
        rows.sort_by_key(|row| (row.slot.starts, row.id));
        rows.iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    let (practitioner, date) = *days.iter().max_by_key(|day| of_day(day).len()).unwrap();
    (practitioner, date, of_day(&(practitioner, date)))
}

#[tokio::test]
async fn lists_by_id_walk_every_record_once() {
    let practice = Practice::new();
    let rows = &practice.rows;
    let patients: Vec<Uuid> = rows.patients.keys().map(|id| id.0).collect();
    let practitioners: Vec<Uuid> = rows.practitioners.keys().map(|id| id.0).collect();
    let locations: Vec<Uuid> = rows.locations.keys().map(|id| id.0).collect();
    for (kind, all) in [
        ("patients", patients),
        ("practitioners", practitioners),
        ("locations", locations),
    ] {
        assert!(all.len() > 3, "too few {kind} for a second page");
        for limit in [1, 3, all.len(), 200] {
            let items = practice.walk(staff(), &format!("/{kind}?limit={limit}")).await;
            assert_eq!(ids(&items), all, "{kind} by {limit}");
        }
    }
}

#[tokio::test]
async fn a_day_walks_every_booking_once_by_start() {
    let practice = Practice::new();
    let (practitioner, date, all) = fullest_day(&practice);
    assert!(all.len() > 2);
    for limit in [1, 2, 50] {
        let path = format!("/appointments?practitioner_id={practitioner}&date={date}&limit={limit}");
        assert_eq!(ids(&practice.walk(staff(), &path).await), all);
    }
}

#[tokio::test]
async fn a_day_without_bookings_is_an_empty_list() {
    let practice = Practice::new();
    let before = first_day().pred_opt().unwrap().pred_opt().unwrap();
    let path = format!(
        "/appointments?practitioner_id={}&date={before}",
        Uuid::from_u128(1)
    );
    let reply = practice.get(staff(), &path).await;
    assert_eq!(
        reply.json,
        serde_json::json!({ "items": [], "incomplete": false })
    );
    assert_eq!(reply.position(), at(practice.head()));
}

#[tokio::test]
async fn a_patients_bookings_walk_once_by_start() {
    let practice = Practice::new();
    let patient = practice.patient().id;
    let mut rows: Vec<_> = practice
        .rows
        .appointments
        .values()
        .filter(|row| row.patient_id == patient)
        .collect();
    rows.sort_by_key(|row| (row.slot.starts, row.id));
    let all: Vec<Uuid> = rows.iter().map(|row| row.id.0).collect();
    let items = practice
        .walk(staff(), &format!("/patients/{patient}/appointments?limit=1"))
        .await;
    assert_eq!(ids(&items), all);
}

#[tokio::test]
async fn conversations_of_someone_walk_once_the_latest_first() {
    let practice = Practice::new();
    let practitioner = *practice.rows.practitioners.keys().next().unwrap();
    let mut rows: Vec<_> = practice
        .rows
        .threads
        .values()
        .filter(|row| {
            row.participants
                .iter()
                .any(|p| p.participant == Participant::Practitioner(practitioner))
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.last_activity_at, row.id)));
    let all: Vec<Uuid> = rows.iter().map(|row| row.id.0).collect();
    assert!(all.len() > 1);
    let path = format!("/threads?practitioner_id={practitioner}&limit=1");
    assert_eq!(ids(&practice.walk(staff(), &path).await), all);
    let own = practice
        .walk(caller_doctor(practitioner), "/threads?limit=2")
        .await;
    assert_eq!(ids(&own), all);
}

async fn refused(practice: &Practice, path: &str) -> Reply {
    let reply = practice.get(staff(), path).await;
    assert_eq!(reply.code(), (400, "invalid-parameter"), "{path}");
    reply
}

#[tokio::test]
async fn every_fault_of_a_list_is_named() {
    let practice = Practice::new();
    let reply = refused(
        &practice,
        "/appointments?practitioner_id=ann&date=2026-02-30&limit=0&cursor=x",
    )
    .await;
    let expected = [
        ("/practitioner_id", "not-a-uuid"),
        ("/date", "not-a-date"),
        ("/limit", "out-of-range"),
        ("/cursor", "not-a-cursor"),
    ];
    assert_eq!(reply.faults(), expected);
    let reply = refused(&practice, "/appointments").await;
    assert_eq!(
        reply.faults(),
        [("/practitioner_id", "required"), ("/date", "required")]
    );
    let (some, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let reply = refused(
        &practice,
        &format!("/threads?patient_id={some}&practitioner_id={other}&limit=201"),
    )
    .await;
    assert_eq!(
        reply.faults(),
        [("/practitioner_id", "only-one"), ("/limit", "out-of-range")]
    );
    assert_eq!(
        refused(&practice, "/threads").await.faults(),
        [("/patient_id", "required")]
    );
}

#[tokio::test]
async fn the_cursor_of_another_list_is_refused() {
    let practice = Practice::new();
    let page = practice.get(staff(), "/patients?limit=1").await;
    let cursor = page.json["next_cursor"].as_str().unwrap();
    let reply = refused(&practice, &format!("/practitioners?cursor={cursor}")).await;
    assert_eq!(reply.faults(), [("/cursor", "not-a-cursor")]);
}
