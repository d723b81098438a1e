//! What happens to a stream that cannot be read: it waits, in order, alone, and comes back whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use praxis_event_store::codec::DecodeFault;
use praxis_event_store::decode::Decoder;
use praxis_event_store::port::{LogReader, StoreError, StoredEvent};
use praxis_event_store::vault::VaultError;
use praxis_events::ids::EventId;
use praxis_events::recorded::RecordedEvent;
use praxis_projector::log_feed::LogFeed;
use praxis_projector::parked::{Retried, Retry, retry_parked};
use praxis_read_models::views::PARKED_BEHIND;
use praxis_testkit::history::history;
use praxis_testkit::rows::Rows;
use uuid::Uuid;

use crate::support::World;
use crate::support::log::MemoryLog;

const LEN: usize = 600;
const END: u64 = 600;

/// A world whose log has a stream of at least five events, its rows, and the positions of that stream.
fn world() -> (World, Rows, Vec<u64>) {
    let events = history(6, LEN);
    let world = World::new(MemoryLog::of(&events), 1);
    let positions = long_stream(&events);
    (world, Rows::of(&events), positions)
}

fn long_stream(events: &[RecordedEvent]) -> Vec<u64> {
    let long = events
        .iter()
        .find(|event| event.stream_version == 5)
        .expect("a long stream");
    events
        .iter()
        .filter(|event| event.stream == long.stream)
        .map(|event| event.position)
        .collect()
}

async fn run(world: &World, after: u64) {
    let reader: Arc<dyn LogReader> = Arc::<MemoryLog>::clone(&world.log);
    let mut feed = LogFeed::open(reader, None, after).await.expect("the log answers");
    world.run_until(&mut feed, END).await;
}

async fn retry(world: &World) -> Retried {
    let retry = Retry {
        views: world.views.as_ref(),
        reader: world.log.as_ref(),
        decoder: world.decoder.as_ref(),
        partitions: world.partitions,
    };
    retry_parked(retry).await.expect("the retry ends")
}

async fn parked_codes(world: &World) -> Vec<(u64, String)> {
    world
        .views
        .held()
        .await
        .parked
        .into_values()
        .map(|event| (event.position, event.code))
        .collect()
}

fn codes(unreadable: u64, behind: &[u64]) -> Vec<(u64, String)> {
    let behind = behind
        .iter()
        .map(|position| (*position, PARKED_BEHIND.to_owned()));
    std::iter::once((unreadable, "newer-version".to_owned()))
        .chain(behind)
        .collect()
}

#[tokio::test]
async fn later_events_of_a_stream_park_behind_and_other_streams_go_on() {
    let (world, _, positions) = world();
    world.decoder.set_unreadable([positions[2]]);
    run(&world, 0).await;
    assert_eq!(parked_codes(&world).await, codes(positions[2], &positions[3..]));
    let mut readable = history(6, LEN);
    readable.retain(|event| !positions[2..].contains(&event.position));
    assert_eq!(world.views.held().await.rows, Rows::of(&readable));
}

#[tokio::test]
async fn a_parked_stream_comes_back_whole_when_it_can_be_read() {
    let (world, rows, positions) = world();
    world.decoder.set_unreadable([positions[1]]);
    run(&world, 0).await;
    world.decoder.set_unreadable([]);
    let events = u64::try_from(positions.len()).expect("few") - 1;
    assert_eq!(retry(&world).await, Retried { streams: 1, events });
    let held = world.views.held().await;
    assert_eq!(held.rows, rows);
    assert!(held.parked.is_empty());
    assert_eq!(retry(&world).await, Retried::default());
}

#[tokio::test]
async fn a_stream_whose_first_event_is_unreadable_comes_back_too() {
    let (world, rows, positions) = world();
    world.decoder.set_unreadable([positions[0]]);
    run(&world, 0).await;
    world.decoder.set_unreadable([]);
    retry(&world).await;
    assert_eq!(world.views.held().await.rows, rows);
}

#[tokio::test]
async fn a_stream_comes_back_as_far_as_it_can_be_read() {
    let (world, rows, positions) = world();
    world.decoder.set_unreadable([positions[1]]);
    run(&world, 0).await;
    world.decoder.set_unreadable([positions[3]]);
    assert_eq!(
        retry(&world).await,
        Retried {
            streams: 0,
            events: 2
        }
    );
    assert_eq!(parked_codes(&world).await, codes(positions[3], &positions[4..]));
    world.decoder.set_unreadable([]);
    retry(&world).await;
    assert_eq!(world.views.held().await.rows, rows);
}

#[tokio::test]
async fn a_retry_without_success_changes_nothing() {
    let (world, _, positions) = world();
    world.decoder.set_unreadable([positions[1]]);
    run(&world, 0).await;
    let before = world.views.held().await;
    assert_eq!(retry(&world).await, Retried::default());
    assert_eq!(world.views.held().await, before);
}

#[tokio::test]
async fn a_projector_tries_parked_streams_when_it_starts() {
    let (world, rows, positions) = world();
    world.decoder.set_unreadable([positions[1]]);
    run(&world, 0).await;
    world.decoder.set_unreadable([]);
    run(&world, END).await;
    assert_eq!(world.views.held().await.rows, rows);
}

#[tokio::test]
async fn a_parked_stream_stays_parked_over_batches_and_starts() {
    let (world, rows, positions) = world();
    let stored = world.log.stored();
    let middle = usize::try_from(positions[3]).expect("small") - 1;
    world.log.events.lock().expect("not poisoned").truncate(middle);
    world.decoder.set_unreadable([positions[1]]);
    let reader: Arc<dyn LogReader> = Arc::<MemoryLog>::clone(&world.log);
    let mut feed = LogFeed::open(reader, None, 0).await.expect("the log answers");
    world.run_until(&mut feed, positions[3] - 1).await;
    assert_eq!(parked_codes(&world).await, codes(positions[1], &positions[2..3]));
    *world.log.events.lock().expect("not poisoned") = stored;
    run(&world, positions[3] - 1).await;
    assert_eq!(parked_codes(&world).await, codes(positions[1], &positions[2..]));
    world.decoder.set_unreadable([]);
    retry(&world).await;
    assert_eq!(world.views.held().await.rows, rows);
}

/// A decoder that opens so many lists of events, and then cannot get at the keys.
struct Losing<'a> {
    decoder: &'a dyn Decoder,
    lists_left: AtomicU32,
}

#[async_trait]
impl Decoder for Losing<'_> {
    async fn decode(
        &self,
        stored: &[StoredEvent],
    ) -> Result<Vec<Result<RecordedEvent, DecodeFault>>, VaultError> {
        let left = self
            .lists_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map_err(|_| StoreError::Unavailable("told to fail".into()))?;
        self.decoder.decode(stored).await
    }
}

/// A history, and its first stream going on alone for longer than one transaction of a retry takes.
fn history_with_a_stream_of_many_slices() -> (Vec<RecordedEvent>, u64) {
    const MORE: u64 = 1_100;
    let mut events = history(6, LEN);
    let last = events
        .iter()
        .rfind(|event| event.stream_version > 2)
        .expect("a stream")
        .clone();
    for more in 1..=MORE {
        events.push(RecordedEvent {
            position: END + more,
            stream_version: last.stream_version + more,
            event_id: EventId(Uuid::from_u128(0xabcd_0000 + u128::from(more))),
            ..last.clone()
        });
    }
    (events, END + MORE)
}

#[tokio::test]
async fn an_interrupted_retry_leaves_the_rest_of_its_stream_to_be_tried_again() {
    let (events, end) = history_with_a_stream_of_many_slices();
    let world = World::new(MemoryLog::of(&events), 1);
    world.decoder.set_unreadable([END + 1]);
    let reader: Arc<dyn LogReader> = Arc::<MemoryLog>::clone(&world.log);
    let mut feed = LogFeed::open(reader, None, 0).await.expect("the log answers");
    world.run_until(&mut feed, end).await;
    world.decoder.set_unreadable([]);

    let losing = Losing {
        decoder: world.decoder.as_ref(),
        lists_left: AtomicU32::new(1),
    };
    let interrupted = retry_parked(Retry {
        views: world.views.as_ref(),
        reader: world.log.as_ref(),
        decoder: &losing,
        partitions: world.partitions,
    });
    interrupted.await.expect_err("the keys are gone");
    let codes = parked_codes(&world).await;
    assert_eq!(codes.len(), 600, "one slice came back");
    let heads = codes.iter().filter(|(_, code)| code != PARKED_BEHIND);
    assert_eq!(heads.count(), 1, "a parked stream has one event that says why");

    assert_eq!(
        retry(&world).await,
        Retried {
            streams: 1,
            events: 600
        }
    );
    let held = world.views.held().await;
    assert_eq!(held.rows, Rows::of(&events));
    assert!(held.parked.is_empty());
}
