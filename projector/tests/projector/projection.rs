//! Does the projector keep its promises: rows equal the fold of the log, whatever the feed and the database do.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use praxis_event_store::bus::{BusContent, BusMessage, LogLife};
use praxis_event_store::feed::EventFeed as _;
use praxis_event_store::port::LogReader;
use praxis_events::ids::LogId;
use praxis_projector::apply::{Applied, Work, apply};
use praxis_projector::failure::ProjectionError;
use praxis_projector::log_feed::LogFeed;
use praxis_projector::rule::LogMismatch;
use praxis_read_models::views::{Checkpoint, Move};
use praxis_testkit::history::history;
use praxis_testkit::rows::Rows;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::feeds::ScriptedFeed;
use crate::support::log::MemoryLog;
use crate::support::views::Held;
use crate::support::{LIFE, World};

const LEN: usize = 400;
const END: u64 = 400;

fn world(partitions: u32) -> (World, Rows) {
    let events = history(5, LEN);
    (World::new(MemoryLog::of(&events), partitions), Rows::of(&events))
}

fn watermarks(messages: &[BusMessage]) -> Vec<BusMessage> {
    messages
        .iter()
        .filter(|message| matches!(message.content, BusContent::Watermark { .. }))
        .cloned()
        .collect()
}

async fn log_feed(world: &World, after: u64) -> LogFeed {
    let reader: Arc<dyn LogReader> = Arc::<MemoryLog>::clone(&world.log);
    LogFeed::open(reader, None, after).await.expect("the log answers")
}

#[tokio::test]
async fn the_log_alone_feeds_one_partition() {
    let (world, rows) = world(1);
    world.run_until(&mut log_feed(&world, 0).await, END).await;
    assert_eq!(world.views.held().await.rows, rows);
}

#[tokio::test]
async fn what_a_relay_sends_makes_the_rows() {
    let (world, rows) = world(12);
    let messages = world.relayed(&world.log.stored());
    let batches = messages.chunks(37).map(<[_]>::to_vec);
    let mut feed = ScriptedFeed::of(batches, Vec::new());
    world.run_until(&mut feed, END).await;
    assert_eq!(world.views.held().await.rows, rows);
    assert_eq!(
        world.log.slices_read.load(Ordering::SeqCst),
        0,
        "nothing was missing"
    );
    assert!(feed.applied > 0);
}

#[tokio::test]
async fn an_empty_database_is_filled_from_the_log_when_the_first_watermark_comes() {
    let (world, rows) = world(12);
    let heartbeat = watermarks(&world.relayed(&world.log.stored()));
    world.run_until(&mut ScriptedFeed::of([], heartbeat), END).await;
    assert_eq!(world.views.held().await.rows, rows);
    assert_eq!(
        world.log.slices_read.load(Ordering::SeqCst),
        1,
        "one scan serves all partitions"
    );
}

/// More events than rows may be behind without being filled from the log.
const LONG_LEN: usize = 20_300;

#[tokio::test]
async fn rows_far_behind_are_filled_from_the_log_whatever_the_feed_brings() {
    let events = history(6, LONG_LEN);
    let world = World::new(MemoryLog::of(&events), 3);
    let (end, rows) = (events[LONG_LEN - 1].position, Rows::of(&events));
    world.run_until(&mut ScriptedFeed::of([], Vec::new()), end).await;
    assert_eq!(world.views.held().await.rows, rows);
}

#[tokio::test]
async fn a_feed_far_behind_the_rows_keeps_nothing_new_back() {
    let events = history(6, LONG_LEN);
    let world = World::new(MemoryLog::of(&events), 3);
    let new = world
        .log
        .events
        .lock()
        .expect("not poisoned")
        .split_off(LONG_LEN - 10);
    let silent = || ScriptedFeed::of([], Vec::new());
    let (before, end) = (new[0].position - 1, events[LONG_LEN - 1].position);
    world.run_until(&mut silent(), before).await;
    let old = world.relayed(&world.log.stored()[..100]);
    world.log.events.lock().expect("not poisoned").extend(new);
    world.run_until(&mut ScriptedFeed::of([], old), end).await;
    assert_eq!(world.views.held().await.rows, Rows::of(&events));
}

#[tokio::test]
async fn a_log_that_goes_on_for_long_is_told_of_and_not_handed_over() {
    let world = World::new(MemoryLog::of(&history(6, LONG_LEN)), 1);
    let last = world.log.stored().pop().expect("an event");
    let told = log_feed(&world, 0).await.next(50).await.expect("the log answers");
    let BusContent::Watermark { position, leaf_hash } = told[0].content else {
        panic!("an event was handed over");
    };
    assert_eq!(told.len(), 1);
    assert_eq!(
        (position, leaf_hash, told[0].prev),
        (last.position, last.leaf_hash, last.position)
    );
}

#[tokio::test]
async fn a_batch_lost_between_fold_and_commit_is_folded_again() {
    let (world, rows) = world(3);
    world.views.lost_commits.store(2, Ordering::SeqCst);
    let batches = world
        .relayed(&world.log.stored())
        .chunks(100)
        .map(<[_]>::to_vec)
        .collect::<Vec<_>>();
    tokio::time::pause();
    world
        .run_until(&mut ScriptedFeed::of(batches, Vec::new()), END)
        .await;
    assert_eq!(world.views.held().await.rows, rows);
}

#[tokio::test(start_paused = true)]
async fn a_log_and_a_feed_that_are_gone_for_a_while_are_waited_for() {
    let (world, rows) = world(3);
    let messages = world.relayed(&world.log.stored());
    world.log.failures.store(4, Ordering::SeqCst);
    let mut feed = ScriptedFeed::of(
        [Vec::new(), messages[200..].to_vec(), Vec::new(), Vec::new()],
        messages,
    );
    world.run_until(&mut feed, END).await;
    assert_eq!(world.views.held().await.rows, rows);
}

#[tokio::test]
async fn a_zombies_batch_changes_nothing() {
    let (world, _) = world(1);
    world.run_until(&mut log_feed(&world, 0).await, END).await;
    let before = world.views.held().await;
    let stored = world.log.stored();
    let stale = Checkpoint {
        partition: 0,
        position: 0,
        epoch: 1,
        log_id: LIFE.log_id,
        leaf_hash: [0; 32],
    };
    let last = &stored[49];
    let to = Checkpoint {
        position: last.position,
        leaf_hash: last.leaf_hash,
        ..stale.clone()
    };
    let work = Work {
        moves: vec![Move { from: stale, to }],
        events: stored[..50].to_vec(),
    };
    let applied = apply(
        world.views.as_ref(),
        world.decoder.as_ref(),
        world.partitions,
        work,
    )
    .await
    .expect("an answer");
    assert_eq!(applied, Applied::Superseded);
    assert_eq!(world.views.held().await, before);
}

#[tokio::test]
async fn two_projectors_of_the_same_partitions_make_the_rows_once() {
    let (world, rows) = world(4);
    let messages = world.relayed(&world.log.stored());
    let mut feeds = [7, 13].map(|len| {
        ScriptedFeed::of(
            messages.chunks(len).map(<[_]>::to_vec).collect::<Vec<_>>(),
            watermarks(&messages),
        )
    });
    let [first, second] = &mut feeds;
    tokio::join!(world.run_until(first, END), world.run_until(second, END));
    assert_eq!(world.views.held().await.rows, rows);
}

#[tokio::test]
async fn a_stop_ends_the_loop_while_nothing_comes() {
    let (world, _) = world(2);
    let (projection, _moved) = world.projection();
    let stop = CancellationToken::new();
    stop.cancel();
    let mut feed = ScriptedFeed::of([], Vec::new());
    let ended = tokio::time::timeout(Duration::from_secs(5), projection.run(&mut feed, &stop)).await;
    assert!(matches!(ended, Ok(Ok(()))));
}

/// A database that is at the end of the log, and the way it is spoilt.
async fn mismatch_after(spoil: impl FnOnce(&World, &mut Held)) -> LogMismatch {
    let (world, _) = world(1);
    world.run_until(&mut log_feed(&world, 0).await, END).await;
    let mut held = world.views.held().await;
    spoil(&world, &mut held);
    world.views.replace(held).await;
    match world.run_until_failure(&mut log_feed(&world, END).await).await {
        ProjectionError::Mismatch(mismatch) => mismatch,
        other => panic!("not a mismatch: {other}"),
    }
}

#[tokio::test]
async fn a_log_restored_to_an_earlier_state_stops_the_projector() {
    let found = mismatch_after(|world, _| world.log.events.lock().expect("not poisoned").truncate(300)).await;
    assert_eq!(
        found,
        LogMismatch::BeyondHead {
            partition: 0,
            position: END,
            head: 300
        }
    );
}

#[tokio::test]
async fn a_later_epoch_of_the_log_stops_the_projector() {
    let later = LogLife { epoch: 2, ..LIFE };
    let found = mismatch_after(|world, _| *world.log.life.lock().expect("not poisoned") = later).await;
    assert_eq!(
        found,
        LogMismatch::OtherEpoch {
            partition: 0,
            known: 1,
            found: 2
        }
    );
}

#[tokio::test]
async fn another_log_stops_the_projector() {
    let other = LogId(Uuid::from_u128(78));
    let found = mismatch_after(|world, _| world.log.life.lock().expect("not poisoned").log_id = other).await;
    assert_eq!(
        found,
        LogMismatch::OtherLog {
            partition: 0,
            known: LIFE.log_id,
            found: other
        }
    );
}

#[tokio::test]
async fn another_history_of_the_same_log_stops_the_projector() {
    let found =
        mismatch_after(|_, held| held.checkpoints.get_mut(&0).expect("one").leaf_hash = [9; 32]).await;
    assert_eq!(
        found,
        LogMismatch::OtherLeaf {
            partition: 0,
            position: END
        }
    );
}

/// As when log and rows were restored together, and the topic was not.
#[tokio::test]
async fn an_event_that_the_log_lacks_is_not_folded() {
    let (world, _) = world(1);
    let messages = world.relayed(&world.log.stored());
    world.log.events.lock().expect("not poisoned").truncate(300);
    let mut feed = ScriptedFeed::of([messages[..300].to_vec(), messages[300..].to_vec()], Vec::new());
    match world.run_until_failure(&mut feed).await {
        ProjectionError::Mismatch(LogMismatch::BeyondHead { head: 300, .. }) => {}
        other => panic!("not beyond the head: {other}"),
    }
    let held = world.views.held().await;
    assert_eq!(held.checkpoints.get(&0).expect("one").position, 300);
}

#[tokio::test]
async fn a_feed_ahead_of_its_log_stops_the_projector() {
    let (world, _) = world(1);
    let content = BusContent::Watermark {
        position: END + 2,
        leaf_hash: [1; 32],
    };
    let message = BusMessage {
        partition: 0,
        life: LIFE,
        prev: END + 1,
        content,
    };
    let failure = world
        .run_until_failure(&mut ScriptedFeed::of([vec![message]], Vec::new()))
        .await;
    let mismatch = LogMismatch::BeyondHead {
        partition: 0,
        position: END + 2,
        head: END,
    };
    assert!(matches!(failure, ProjectionError::Mismatch(found) if found == mismatch));
}

/// As when the topic was made anew with more partitions: what is passed over would be missing for good.
#[tokio::test]
async fn a_feed_of_more_partitions_than_the_rows_have_stops_the_projector() {
    let (mut world, _) = world(24);
    let messages = world.relayed(&world.log.stored());
    world.partitions = NonZeroU32::new(12).expect("not zero");
    let failure = world
        .run_until_failure(&mut ScriptedFeed::of([messages], Vec::new()))
        .await;
    assert!(
        matches!(
            failure,
            ProjectionError::Mismatch(LogMismatch::UnknownPartition { partition: 12.. })
        ),
        "{failure}"
    );
}

#[tokio::test]
async fn rows_made_of_another_number_of_partitions_stop_the_projector() {
    let (world, _) = world(3);
    let mut held = Held::default();
    held.checkpoints.insert(
        0,
        Checkpoint {
            partition: 0,
            position: 0,
            epoch: 1,
            log_id: LIFE.log_id,
            leaf_hash: [0; 32],
        },
    );
    world.views.replace(held).await;
    let failure = world
        .run_until_failure(&mut ScriptedFeed::of([], Vec::new()))
        .await;
    assert!(matches!(
        failure,
        ProjectionError::Partitions { found: 1, wanted: 3 }
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// Slices of what a relay sent in any order, repeated, left out; commits lost; then heartbeats.
    #[test]
    fn rows_equal_the_fold_of_the_log_whatever_the_feed_does(
        seed in any::<u64>(),
        partitions in 1_u32..6,
        slices in prop::collection::vec((0_usize..200, 1_usize..60), 0..25),
        lost_commits in 0_u32..4,
    ) {
        let events = history(seed, 200);
        let world = World::new(MemoryLog::of(&events), partitions);
        let messages = world.relayed(&world.log.stored());
        let batches: Vec<_> = slices
            .into_iter()
            .map(|(from, len)| messages[from..messages.len().min(from + len)].to_vec())
            .collect();
        world.views.lost_commits.store(lost_commits, Ordering::SeqCst);
        let mut feed = ScriptedFeed::of(batches, watermarks(&messages));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(world.run_until(&mut feed, 200));
        let held = runtime.block_on(world.views.held());
        prop_assert_eq!(held.rows, Rows::of(&events));
        let ends: BTreeMap<u32, u64> = held.checkpoints.iter().map(|(at, known)| (*at, known.position)).collect();
        prop_assert_eq!(ends, (0..partitions).map(|partition| (partition, 200)).collect::<BTreeMap<_, _>>());
    }
}
