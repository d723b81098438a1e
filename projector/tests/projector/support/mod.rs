//! What the projector's tests run it on: a log, views and feeds in memory, with faults to order.

pub mod feeds;
pub mod log;
pub mod registry;
pub mod views;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use praxis_event_store::bus::{BusContent, BusMessage, LogLife};
use praxis_event_store::feed::EventFeed;
use praxis_event_store::partition::partition_of;
use praxis_event_store::port::StoredEvent;
use praxis_events::ids::LogId;
use praxis_projector::failure::ProjectionError;
use praxis_projector::project::Projection;
use praxis_testkit::plain::PlainDecoder;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use log::MemoryLog;
use views::MemoryViews;

/// The log of these tests.
pub const LIFE: LogLife = LogLife {
    log_id: LogId(Uuid::from_u128(77)),
    epoch: 1,
};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A projector's world.
pub struct World {
    pub log: Arc<MemoryLog>,
    pub views: Arc<MemoryViews>,
    pub decoder: Arc<PlainDecoder>,
    pub partitions: NonZeroU32,
}

impl World {
    pub fn new(log: MemoryLog, partitions: u32) -> Self {
        Self {
            log: Arc::new(log),
            views: Arc::new(MemoryViews::default()),
            decoder: Arc::new(PlainDecoder::default()),
            partitions: NonZeroU32::new(partitions).expect("not zero"),
        }
    }

    pub fn projection(&self) -> (Projection, watch::Receiver<u64>) {
        let (moved, receiver) = watch::channel(0);
        let projection = Projection {
            generation: 1,
            views: Arc::<MemoryViews>::clone(&self.views),
            reader: Arc::<MemoryLog>::clone(&self.log),
            decoder: Arc::<PlainDecoder>::clone(&self.decoder),
            partitions: self.partitions,
            now_micros: || 0,
            moved,
        };
        (projection, receiver)
    }

    /// Runs a projector on a feed until every partition is at a position, and stops it.
    pub async fn run_until(&self, feed: &mut dyn EventFeed, position: u64) {
        let (projection, mut moved) = self.projection();
        let stop = CancellationToken::new();
        let reached = async {
            moved
                .wait_for(|known| *known >= position)
                .await
                .expect("the projector runs");
            stop.cancel();
        };
        let both = async { tokio::join!(projection.run(feed, &stop), reached) };
        let (ended, ()) = tokio::time::timeout(PATIENCE, both)
            .await
            .expect("the position is reached in time");
        ended.expect("it stops when it is told to");
    }

    /// Runs a projector until it gives up.
    pub async fn run_until_failure(&self, feed: &mut dyn EventFeed) -> ProjectionError {
        let (projection, _moved) = self.projection();
        let stop = CancellationToken::new();
        let ended = tokio::time::timeout(PATIENCE, projection.run(feed, &stop))
            .await
            .expect("it gives up in time");
        ended.expect_err("it gives up")
    }

    /// What a relay sends of these events: each with the position before it in its partition, then watermarks.
    pub fn relayed(&self, events: &[StoredEvent]) -> Vec<BusMessage> {
        let mut last = vec![0; usize::try_from(self.partitions.get()).expect("few")];
        let mut messages = Vec::new();
        for event in events {
            let partition = partition_of(event.stream_id, self.partitions);
            let prev = &mut last[usize::try_from(partition).expect("few")];
            messages.push(BusMessage {
                partition,
                life: LIFE,
                prev: *prev,
                content: BusContent::Event(Box::new(event.clone())),
            });
            *prev = event.position;
        }
        let (position, leaf_hash) = events
            .last()
            .map_or((0, [0; 32]), |last| (last.position, last.leaf_hash));
        for (partition, prev) in (0..).zip(last) {
            let content = BusContent::Watermark { position, leaf_hash };
            messages.push(BusMessage {
                partition,
                life: LIFE,
                prev,
                content,
            });
        }
        messages
    }
}
