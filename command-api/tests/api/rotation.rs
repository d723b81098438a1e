//! A change of the claims key, in the order an operator makes it: every process knows the new key before one uses it.

use praxis_event_store::sequencer::SequencerLimits;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::practice::{Drain, Practice, events, new_log, staff};

async fn process(directory: &TempDir, key_ids: &[u8]) -> Practice {
    let limits = SequencerLimits::default();
    Practice::open_with_claims_keys(directory.path(), limits, Drain::Running, key_ids).await
}

fn person(number: &str) -> Value {
    json!({ "family_name": "Moreau", "identifiers": [{ "system": "urn:x:mrn", "value": number }] })
}

async fn register(practice: &Practice, number: &str) -> Vec<String> {
    let reply = practice.post("/patients", &staff(), person(number)).await;
    if reply.status == 201 {
        return Vec::new();
    }
    reply.assert_problem(409, "claim-taken");
    reply.reasons().into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn an_identifier_claimed_before_a_rotation_is_taken_after_it() {
    let directory = new_log().await;
    assert!(register(&process(&directory, &[1]).await, "17").await.is_empty());
    let rotated = process(&directory, &[2, 1]).await;
    assert_eq!(register(&rotated, "17").await, ["identifier_taken"]);
    assert!(register(&rotated, "18").await.is_empty());
    assert_eq!(events(&directory).await.len(), 2);
}

#[tokio::test]
async fn processes_on_both_sides_of_a_rotation_give_an_identifier_once() {
    let directory = new_log().await;
    let (before, after) = (
        process(&directory, &[1, 2]).await,
        process(&directory, &[2, 1]).await,
    );
    assert!(register(&before, "17").await.is_empty());
    assert_eq!(register(&after, "17").await, ["identifier_taken"]);
    assert!(register(&after, "18").await.is_empty());
    assert_eq!(register(&before, "18").await, ["identifier_taken"]);
    assert_eq!(events(&directory).await.len(), 2);
}

#[tokio::test]
async fn a_command_sent_again_across_a_rotation_is_answered_as_before() {
    let directory = new_log().await;
    let send = async |key_ids: &[u8], name: &str| {
        let body = json!({ "family_name": name });
        let headers = [("idempotency-key", "3f1c-7")];
        let practice = process(&directory, key_ids).await;
        practice.ask("POST /patients", &staff(), &headers, &body).await
    };
    let first = send(&[1], "Moreau").await;
    for key_ids in [&[2, 1][..], &[1, 2], &[3, 2, 1]] {
        let again = send(key_ids, "Moreau").await;
        assert!(again.is_replayed(), "{key_ids:?}");
        assert_eq!(again.json, first.json);
        let other = send(key_ids, "Moreaux").await;
        other.assert_problem(422, "idempotency-key-reused");
    }
    assert_eq!(events(&directory).await.len(), 1);
}
