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
