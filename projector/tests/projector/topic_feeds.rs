//! Are rows filled when the topic is another one, or cannot be had: from the log, until it can.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use praxis_event_store::feed::{EventFeed, FeedError};
use praxis_projector::feeds::TopicFeeds;
use praxis_projector::generations::Feeds;
use praxis_read_models::fingerprint::Fingerprint;
use praxis_read_models::registry::{Generation, GenerationState};
use praxis_testkit::history::history;
use praxis_testkit::rows::Rows;
use tokio::time::sleep;

use crate::support::World;
use crate::support::feeds::ScriptedFeed;
use crate::support::log::MemoryLog;

const LEN: usize = 400;
const END: u64 = 400;

/// A topic that cannot be had so many times.
struct Topic {
    failures: AtomicU32,
    feed: Mutex<Option<ScriptedFeed>>,
}

impl Topic {
    fn new(failures: u32, feed: ScriptedFeed) -> Arc<Self> {
        Arc::new(Self {
            failures: AtomicU32::new(failures),
            feed: Mutex::new(Some(feed)),
        })
    }

    fn was_opened(&self) -> bool {
        self.feed.lock().expect("not poisoned").is_none()
    }
}

#[async_trait]
impl Feeds for Topic {
    async fn open(&self, _: &Generation, _: u64) -> Result<Box<dyn EventFeed>, FeedError> {
        sleep(Duration::from_millis(300)).await;
        let failing = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if failing.is_ok() {
            return Err(FeedError::Unavailable("told to fail".into()));
        }
        let feed = self.feed.lock().expect("not poisoned").take();
        Ok(Box::new(feed.expect("opened once")))
    }
}

fn world(partitions: u32) -> (World, Rows) {
    let events = history(5, LEN);
    (World::new(MemoryLog::of(&events), partitions), Rows::of(&events))
}

async fn open(world: &World, topic: &Arc<Topic>, partitions: u32) -> Box<dyn EventFeed> {
    let feeds = TopicFeeds {
        topic: Arc::<Topic>::clone(topic),
        partitions: NonZeroU32::new(partitions).expect("not zero"),
        reader: Arc::<MemoryLog>::clone(&world.log),
    };
    let generation = Generation {
        number: 1,
        fingerprint: Fingerprint([7; 8]),
        partitions: world.partitions,
        state: GenerationState::Ready,
        created_at: 0,
    };
    feeds
        .open(&generation, 0)
        .await
        .expect("it does not wait for the topic")
}

#[tokio::test(start_paused = true)]
async fn rows_of_another_number_of_partitions_than_the_topics_are_filled_from_the_log() {
    for (rows_of, topic_of) in [(12, 24), (24, 12)] {
        let (world, rows) = world(rows_of);
        let topic = Topic::new(0, ScriptedFeed::of([], Vec::new()));
        let mut feed = open(&world, &topic, topic_of).await;
        world.run_until(feed.as_mut(), END).await;
        assert_eq!(world.views.held().await.rows, rows);
        assert!(!topic.was_opened());
    }
}

#[tokio::test(start_paused = true)]
async fn rows_are_filled_from_the_log_while_the_topic_cannot_be_had() {
    let (world, rows) = world(12);
    let topic = Topic::new(u32::MAX, ScriptedFeed::of([], Vec::new()));
    let last = world.log.events.lock().expect("not poisoned").split_off(LEN - 50);
    let mut feed = open(&world, &topic, 12).await;
    world.run_until(feed.as_mut(), END - 50).await;
    world.log.events.lock().expect("not poisoned").extend(last);
    world.run_until(feed.as_mut(), END).await;
    assert_eq!(world.views.held().await.rows, rows);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_can_be_had_again_feeds_the_rows() {
    let (world, rows) = world(12);
    let messages = world.relayed(&world.log.stored());
    let topic = Topic::new(20, ScriptedFeed::of([messages], Vec::new()));
    let last = world.log.events.lock().expect("not poisoned").split_off(LEN - 50);
    let mut feed = open(&world, &topic, 12).await;
    world.run_until(feed.as_mut(), END - 50).await;
    assert!(!topic.was_opened());
    let came = loop {
        let came = feed.next(1_000).await.expect("log and topic answer");
        if topic.was_opened() {
            break came;
        }
    };
    assert!(
        came.iter().any(|message| message.position() == END),
        "the topic's messages came"
    );
    world.log.events.lock().expect("not poisoned").extend(last);
    world
        .run_until(&mut ScriptedFeed::of([came], Vec::new()), END)
        .await;
    assert_eq!(world.views.held().await.rows, rows);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_can_be_had_soon_is_not_anticipated() {
    let (world, rows) = world(12);
    let messages = world.relayed(&world.log.stored());
    let topic = Topic::new(2, ScriptedFeed::of([messages], Vec::new()));
    let mut feed = open(&world, &topic, 12).await;
    world.run_until(feed.as_mut(), END).await;
    assert_eq!(world.views.held().await.rows, rows);
    // Rows and log are compared now and then.
    let compared = world.log.slices_read.load(Ordering::SeqCst);
    assert!(compared <= 1, "{compared} slices were read from the log");
}
