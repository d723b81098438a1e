//! Are rows of a history that the log does not have any more refused, those of the log served, and is readiness so?

use std::sync::Arc;

use praxis_query_api::error::ReadError;
use praxis_query_api::generation::ReadSide;
use praxis_read_models::registry::GenerationState;
use praxis_read_models::views::ViewsError;
use praxis_testkit::history::history;
use praxis_testkit::plain::stored;
use praxis_testkit::rows::Rows;

use crate::memory::FINGERPRINT;
use crate::memory::log::MemoryLog;
use crate::memory::registry::MemoryRegistry;
use crate::memory::views::MemoryViews;

const END: u64 = 40;

/// Rows at that position, over a log that ends at [`END`].
fn rows_at(position: u64) -> (ReadSide, Arc<MemoryViews>) {
    let events = history(3, 40);
    let views = Arc::new(MemoryViews::new(Rows::of(&events), vec![position]));
    let registry = Arc::new(MemoryRegistry::default());
    registry.add(GenerationState::Ready, FINGERPRINT, &views);
    let log = MemoryLog(events.iter().map(stored).collect());
    (ReadSide::new(registry, Arc::new(log)), views)
}

async fn refused(reads: &ReadSide) -> Option<String> {
    match reads.current().await {
        Ok(_) => None,
        Err(ReadError::Views(ViewsError::Unfit(why))) => Some(why),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn rows_beyond_the_log_are_refused_until_they_belong_to_it_again() {
    let (reads, views) = rows_at(END + 1);
    assert_eq!(refused(&reads).await, None, "nobody has asked yet");
    reads.verify().await;
    let why = refused(&reads).await.expect("refused");
    assert!(why.contains("at position 41, and the log ends at 40"), "{why}");

    views.held().checkpoints = vec![0];
    reads.verify().await;
    assert_eq!(refused(&reads).await, None);
}

#[tokio::test]
async fn rows_made_of_another_event_are_refused() {
    // The checkpoints of these views say zeros, which no event's hash is.
    let (reads, _) = rows_at(END);
    reads.verify().await;
    let why = refused(&reads).await.expect("refused");
    assert!(why.contains("another event at position 40"), "{why}");
}

#[tokio::test]
async fn readiness_asks_the_generation_and_not_only_its_entry() {
    let (reads, _) = rows_at(END);
    let check = reads.readiness().await;
    assert_eq!((check.name, check.ready), ("views", true));
    assert_eq!(check.detail.as_deref(), Some("generation 1"));
    let (reads, views) = rows_at(END);
    views.held().checkpoints = Vec::new();
    assert!(!reads.readiness().await.ready, "nothing says where its rows end");
}
