//! What tests of the bus send, and how they wait for it.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::{Context as _, bail};
use praxis_event_store::bus::{BusContent, BusMessage, LogLife};
use praxis_event_store::feed::{EventFeed as _, FeedError};
use praxis_event_store::partition::partition_of;
use praxis_event_store::port::StoredEvent;
use praxis_events::ids::LogId;
use praxis_kafka_bus::feed::{GroupProtocol, KafkaFeed};
use praxis_kafka_bus::settings::KafkaSettings;
use praxis_testkit::servers::kafka_brokers;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

/// More than any wait of these tests takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
pub(crate) const MESSAGES_MAX: usize = 1_000;
/// A value that stands for personal data in payloads.
pub(crate) const MARKER: &str = "marker-6f1c";

/// The shared broker, with a topic of this test alone.
pub(crate) fn settings() -> KafkaSettings {
    settings_at(&kafka_brokers())
}

/// The same at another broker.
pub(crate) fn settings_at(brokers: &str) -> KafkaSettings {
    let mut settings = KafkaSettings::new(brokers);
    settings.topic.name = unique("praxis.test");
    settings
}

/// A name that no other test and no other run has.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}.{}", Uuid::new_v4())
}

pub(crate) async fn open_feed(settings: &KafkaSettings, group: &str) -> anyhow::Result<KafkaFeed> {
    Ok(KafkaFeed::open(settings.clone(), group, GroupProtocol::Consumer).await?)
}

/// A log and what a relay makes of it: events of a few streams, each message with the position before it.
pub(crate) struct Log {
    life: LogLife,
    partitions: NonZeroU32,
    last: Vec<u64>,
    position: u64,
}

impl Log {
    pub(crate) fn new(settings: &KafkaSettings) -> Self {
        let partitions = settings.topic.partitions;
        let count = usize::try_from(partitions.get()).expect("fits");
        let life = LogLife {
            log_id: LogId(Uuid::from_u128(0x0192_f0c1)),
            epoch: 1,
        };
        Self {
            life,
            partitions,
            last: vec![0; count],
            position: 0,
        }
    }

    /// The next events, over streams `0..streams` in turn.
    pub(crate) fn append(&mut self, count: u64, streams: u64) -> Vec<BusMessage> {
        (0..count).map(|_| self.append_one(streams)).collect()
    }

    fn append_one(&mut self, streams: u64) -> BusMessage {
        self.position += 1;
        let (stream, version) = (self.position % streams, self.position.div_ceil(streams));
        let stored = stored(self.position, stream_id(stream), version);
        let partition = partition_of(stored.stream_id, self.partitions);
        let last = &mut self.last[usize::try_from(partition).expect("fits")];
        let prev = std::mem::replace(last, self.position);
        BusMessage {
            partition,
            life: self.life,
            prev,
            content: BusContent::Event(Box::new(stored)),
        }
    }

    /// A watermark for every partition.
    pub(crate) fn watermarks(&self) -> Vec<BusMessage> {
        let content = BusContent::Watermark {
            position: self.position,
            leaf_hash: [3; 32],
        };
        (0..self.partitions.get())
            .zip(&self.last)
            .map(|(partition, prev)| BusMessage {
                partition,
                life: self.life,
                prev: *prev,
                content: content.clone(),
            })
            .collect()
    }
}

fn stream_id(stream: u64) -> Uuid {
    Uuid::from_u128(0x0192_f0c1_2b3d_7e4f_8a5b_0000_0000_0000 + u128::from(stream))
}

fn stored(position: u64, stream_id: Uuid, stream_version: u64) -> StoredEvent {
    let id = Uuid::from_u128(0x0192_f0c1_0000_7000_8000_0000_0000_0000 + u128::from(position));
    let trace = r#""trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331""#;
    StoredEvent {
        position,
        event_id: id,
        stream_type: "patient".to_owned(),
        stream_id,
        stream_version,
        event_type: "patient.registered".to_owned(),
        schema_version: 1,
        recorded_at: 1_700_000_000_000_000 + i64::try_from(position).expect("fits"),
        subject_id: position.is_multiple_of(2).then_some(stream_id),
        metadata: format!(r#"{{"event_id":"{id}",{trace}}}"#).into_bytes(),
        payload: format!(r#"{{"name":"{MARKER}-{position}"}}"#).into_bytes(),
        leaf_format: 1,
        leaf_hash: [u8::try_from(position % 256).expect("fits"); 32],
    }
}

/// The positions of events among messages.
pub(crate) fn positions<'a>(messages: impl IntoIterator<Item = &'a BusMessage>) -> Vec<u64> {
    let event = |message: &&BusMessage| matches!(message.content, BusContent::Event(_));
    messages
        .into_iter()
        .filter(event)
        .map(BusMessage::position)
        .collect()
}

/// Receives until that many different events have come; everything that came, in order.
pub(crate) async fn receive(feed: &mut KafkaFeed, count: usize) -> anyhow::Result<Vec<BusMessage>> {
    receive_until(feed, |all| {
        positions(all).into_iter().collect::<BTreeSet<_>>().len() >= count
    })
    .await
    .with_context(|| format!("waited for {count} events"))
}

/// Receives until `enough` is true of everything that came.
pub(crate) async fn receive_until(
    feed: &mut KafkaFeed,
    enough: impl Fn(&[BusMessage]) -> bool,
) -> anyhow::Result<Vec<BusMessage>> {
    let deadline = Instant::now() + PATIENCE;
    let mut all = Vec::new();
    while !enough(&all) {
        let left = deadline.saturating_duration_since(Instant::now());
        match timeout(left, feed.next(MESSAGES_MAX)).await {
            Ok(Ok(messages)) => {
                assert!(messages.len() <= MESSAGES_MAX, "{} messages", messages.len());
                all.extend(messages);
                feed.applied().await?;
            }
            // As the projector does: wait and try again.
            Ok(Err(FeedError::Unavailable(_))) => tokio::time::sleep(Duration::from_millis(100)).await,
            Ok(Err(corrupt @ FeedError::Corrupt(_))) => return Err(corrupt.into()),
            Err(_) => bail!(
                "only {} messages came, {} of them events",
                all.len(),
                positions(&all).len()
            ),
        }
    }
    Ok(all)
}
