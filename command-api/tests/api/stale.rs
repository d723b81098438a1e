//! Two processes on one log: what one remembers may be old, what it answers may not.

use praxis_event_store::sequencer::SequencerLimits;
use serde_json::json;
use tempfile::TempDir;

use crate::practice::{Drain, Practice, events, new_log, set_minutes_after_eight, staff};

async fn two_processes() -> (Practice, Practice, TempDir) {
    let directory = new_log().await;
    let one = Practice::open(directory.path(), SequencerLimits::default(), Drain::Running).await;
    let other = Practice::open(directory.path(), SequencerLimits::default(), Drain::Running).await;
    (one, other, directory)
}

#[tokio::test]
async fn a_refusal_decided_from_old_state_is_decided_again() {
    let (one, other, _directory) = two_processes().await;
    let people = one.people().await;
    let id = one
        .post("/appointments", &staff(), people.visit(30))
        .await
        .created();
    // One remembers a booking, from which completing leads nowhere; it was checked in elsewhere meanwhile.
    assert_eq!(other.step(id, "check-in", &staff()).await.ok(), 2);
    set_minutes_after_eight(60);
    assert_eq!(one.step(id, "complete", &crate::practice::admin()).await.ok(), 3);
    // The other remembers it as checked in; the refusal it answers names the status it has.
    let reply = other.step(id, "check-in", &staff()).await;
    reply.assert_problem(409, "invalid-transition");
    assert_eq!(reply.json["reasons"][0]["from"], "fulfilled");
}

#[tokio::test]
async fn what_would_change_nothing_by_old_state_is_decided_again() {
    let (one, other, directory) = two_processes().await;
    let id = one.register_patient().await;
    let line = format!("PUT /patients/{id}/contact");
    let (first, second) = (
        json!({ "emails": ["a@example.org"] }),
        json!({ "emails": ["b@example.org"] }),
    );
    assert_eq!(one.ask(&line, &staff(), &[], &first).await.ok(), 2);
    assert_eq!(other.ask(&line, &staff(), &[], &second).await.ok(), 3);
    assert_eq!(one.ask(&line, &staff(), &[], &first).await.ok(), 4);
    assert_eq!(events(&directory).await.len(), 4);
}

#[tokio::test]
async fn a_version_seen_elsewhere_is_not_stale_because_this_process_is() {
    let (one, other, _directory) = two_processes().await;
    let id = one.register_patient().await;
    let line = format!("PUT /patients/{id}/contact");
    let body = json!({ "emails": ["a@example.org"] });
    assert_eq!(other.ask(&line, &staff(), &[], &body).await.ok(), 2);
    let body = json!({ "emails": ["b@example.org"] });
    let stale = one.ask(&line, &staff(), &[("if-match", "\"1\"")], &body).await;
    stale.assert_problem(412, "precondition-failed");
    assert_eq!(stale.json["version"], 2);
    assert_eq!(other.ask(&line, &staff(), &[], &body).await.ok(), 3);
    let body = json!({ "emails": ["c@example.org"] });
    assert_eq!(
        one.ask(&line, &staff(), &[("if-match", "\"3\"")], &body)
            .await
            .ok(),
        4
    );
}

#[tokio::test]
async fn what_was_accepted_by_old_state_is_decided_again_on_the_log() {
    let (one, other, directory) = two_processes().await;
    let people = one.people().await;
    let id = one
        .post("/appointments", &staff(), people.visit(30))
        .await
        .created();
    other
        .post(
            &format!("/appointments/{id}/reschedule"),
            &staff(),
            people.placed(60),
        )
        .await
        .ok();
    // One still believes the visit to be at its first time. The time it gives back must be the second.
    let cancel = json!({ "reason_code": "pat" });
    assert_eq!(
        one.post(&format!("/appointments/{id}/cancel"), &staff(), cancel)
            .await
            .ok(),
        3
    );
    one.post("/appointments", &staff(), people.visit(60))
        .await
        .created();
    one.post("/appointments", &staff(), people.visit(30))
        .await
        .created();
    assert_eq!(events(&directory).await.len(), 8);
}

#[tokio::test]
async fn a_patient_set_inactive_elsewhere_is_not_booked_from_memory() {
    let (one, other, directory) = two_processes().await;
    let people = one.people().await;
    one.post("/appointments", &staff(), people.visit(30))
        .await
        .created();
    other
        .order(&format!("DELETE /patients/{}", people.patient), &staff())
        .await
        .ok();
    let before = events(&directory).await.len();
    let reply = one.post("/appointments", &staff(), people.visit(90)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.reasons()),
        (409, vec!["patient_inactive"])
    );
    assert_eq!(events(&directory).await.len(), before);
}

#[tokio::test]
async fn a_key_used_at_one_process_is_known_to_the_other() {
    let (one, other, directory) = two_processes().await;
    let (key, body) = ([("idempotency-key", "k")], json!({ "family_name": "Moreau" }));
    let first = one.ask("POST /patients", &staff(), &key, &body).await.created();
    let second = other.ask("POST /patients", &staff(), &key, &body).await;
    assert_eq!((second.created(), second.is_replayed()), (first, true));
    assert_eq!(events(&directory).await.len(), 1);
}
