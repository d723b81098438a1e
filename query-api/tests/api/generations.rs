//! Is the newest ready generation of this program read, and does changing it interrupt nobody?

use std::sync::Arc;

use praxis_read_models::fingerprint::Fingerprint;
use praxis_read_models::registry::{GenerationState, Registry as _};
use praxis_testkit::history::history;
use praxis_testkit::rows::Rows;
use tokio::time::{Duration, advance};

use crate::memory::FINGERPRINT;
use crate::memory::registry::MemoryRegistry;
use crate::memory::views::MemoryViews;
use crate::practice::{Practice, staff};

const OTHER: Fingerprint = Fingerprint([8; 8]);

/// A practice of which no generation is registered yet.
fn practice() -> Practice {
    let events = history(3, 40);
    let rows = Rows::of(&events);
    Practice::over(events, rows, Arc::default(), Arc::new(MemoryRegistry::default()))
}

fn views(rows: &Rows, position: u64) -> Arc<MemoryViews> {
    Arc::new(MemoryViews::new(rows.clone(), vec![position]))
}

async fn patients_len(practice: &Practice) -> Option<usize> {
    let reply = practice.get(staff(), "/patients").await;
    reply.json["items"].as_array().map(Vec::len)
}

#[tokio::test(start_paused = true)]
async fn while_none_is_ready_reads_are_503_with_progress() {
    let practice = practice();
    let reply = practice.get(staff(), "/patients").await;
    assert_eq!(reply.code(), (503, "generation-building"));
    assert!(reply.json.get("progress").is_none() && reply.headers["retry-after"] == "10");
    practice
        .registry
        .add(GenerationState::Ready, OTHER, &views(&practice.rows, 40));
    practice
        .registry
        .add(GenerationState::Building, FINGERPRINT, &views(&practice.rows, 10));
    practice
        .registry
        .add(GenerationState::Retired, FINGERPRINT, &views(&practice.rows, 40));
    advance(Duration::from_secs(1)).await;
    let reply = practice.get(staff(), "/patients").await;
    assert_eq!(reply.code(), (503, "generation-building"));
    assert_eq!(reply.json["progress"], 0.25);
}

#[tokio::test(start_paused = true)]
async fn earlier_states_and_histories_need_no_generation() {
    let practice = practice();
    let id = practice.rows.patients.keys().next().unwrap();
    for rest in ["?as_of=2-40", "/history"] {
        assert_eq!(
            practice
                .get(staff(), &format!("/patients/{id}{rest}"))
                .await
                .status,
            200
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_newer_ready_generation_is_read_within_a_second() {
    let practice = practice();
    practice
        .registry
        .add(GenerationState::Ready, FINGERPRINT, &views(&Rows::default(), 40));
    assert_eq!(patients_len(&practice).await, Some(0));
    practice
        .registry
        .add(GenerationState::Building, FINGERPRINT, &views(&practice.rows, 40));
    advance(Duration::from_secs(1)).await;
    assert_eq!(patients_len(&practice).await, Some(0));
    let moved = practice
        .registry
        .set_state(2, GenerationState::Building, GenerationState::Ready)
        .await;
    assert!(moved.unwrap());
    advance(Duration::from_secs(1)).await;
    assert_eq!(patients_len(&practice).await, Some(practice.rows.patients.len()));
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_does_not_answer_interrupts_no_reads() {
    let practice = practice();
    practice.registry.set_down(true);
    let reply = practice.get(staff(), "/patients").await;
    assert_eq!(reply.code(), (503, "dependency-unavailable"));
    practice.registry.set_down(false);
    practice
        .registry
        .add(GenerationState::Ready, FINGERPRINT, &views(&practice.rows, 40));
    assert!(patients_len(&practice).await.is_some());
    practice.registry.set_down(true);
    advance(Duration::from_mins(1)).await;
    assert!(patients_len(&practice).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_generation_given_up_without_another_is_read_no_more() {
    let practice = practice();
    practice
        .registry
        .add(GenerationState::Ready, FINGERPRINT, &views(&practice.rows, 40));
    assert!(patients_len(&practice).await.is_some());
    let moved = practice
        .registry
        .set_state(1, GenerationState::Ready, GenerationState::Retired)
        .await;
    assert!(moved.unwrap());
    advance(Duration::from_secs(1)).await;
    assert_eq!(
        practice.get(staff(), "/patients").await.code(),
        (503, "generation-building")
    );
}
