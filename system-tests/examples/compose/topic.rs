//! Did every event reach the topic, and within a stream the first time in order? Read without the product's own consumer.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use praxis_events::recorded::RecordedEvent;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::metadata::MetadataPartition;
use rdkafka::{Offset, TopicPartitionList};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// Where docker/compose.e2e.yaml publishes the broker.
const BROKERS: &str = "127.0.0.1:19092";
const TOPIC: &str = "praxis.events.v1";
const KAFKA_TIME_MAX: Duration = Duration::from_secs(30);
/// The relay has published by then what was appended before.
const PUBLISHED_TIME_MAX: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// What a message says of its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    position: u64,
    stream_id: Uuid,
    stream_version: u64,
}

/// That the topic has every event, within a stream first in order; how many messages it has beyond them.
pub async fn assert_each_event_is_there(events: &[RecordedEvent]) -> anyhow::Result<usize> {
    let deadline = Instant::now() + PUBLISHED_TIME_MAX;
    loop {
        let places = tokio::task::spawn_blocking(read_topic).await??;
        match judge(events, &places) {
            Ok(more) => return Ok(more),
            Err(error) if Instant::now() >= deadline => return Err(error),
            Err(_) => sleep(POLL_INTERVAL).await,
        }
    }
}

fn judge(events: &[RecordedEvent], places: &[Place]) -> anyhow::Result<usize> {
    let mut first: HashMap<Uuid, u64> = HashMap::new();
    let mut known = vec![false; events.len()];
    for place in places {
        let next = first.entry(place.stream_id).or_default();
        ensure!(
            place.stream_version <= *next + 1,
            "{place:?} came before version {} of its stream",
            *next + 1
        );
        *next = (*next).max(place.stream_version);
        let index = usize::try_from(place.position)?.checked_sub(1);
        let event = index.and_then(|index| events.get(index));
        let event = event.with_context(|| format!("{place:?} is not in the log"))?;
        ensure!(
            (event.stream.id, event.stream_version) == (place.stream_id, place.stream_version),
            "{place:?} is another event in the log"
        );
        known[index.unwrap_or_default()] = true;
    }
    let missing = known.iter().filter(|known| !**known).count();
    ensure!(
        missing == 0,
        "{missing} of {} events are not in the topic",
        events.len()
    );
    Ok(places.len() - events.len())
}

/// Every event of every partition, in the order of its partition.
fn read_topic() -> anyhow::Result<Vec<Place>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", BROKERS)
        .set("group.id", "praxis-e2e")
        .set("enable.auto.commit", "false")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(TOPIC), KAFKA_TIME_MAX)?;
    let topic = metadata.topics().first().context("the topic is there")?;
    let mut places = Vec::new();
    for partition in topic.partitions().iter().map(MetadataPartition::id) {
        let (begin, end) = consumer.fetch_watermarks(TOPIC, partition, KAFKA_TIME_MAX)?;
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(TOPIC, partition, Offset::Beginning)?;
        consumer.assign(&assignment)?;
        let mut next = begin;
        while next < end {
            let message = consumer
                .poll(KAFKA_TIME_MAX)
                .context("the topic's messages come")??;
            next = message.offset() + 1;
            // Watermarks have no key.
            if message.key().is_some() {
                places.push(place(&message)?);
            }
        }
    }
    Ok(places)
}

fn place(message: &BorrowedMessage<'_>) -> anyhow::Result<Place> {
    let headers = message.headers().context("a message has headers")?;
    let header = |name: &str| {
        let found = headers.iter().find(|header| header.key == name);
        let value = found.and_then(|header| header.value);
        let text = value.with_context(|| format!("a message has no {name}"))?;
        anyhow::Ok(std::str::from_utf8(text)?)
    };
    Ok(Place {
        position: header("ce_position")?.parse()?,
        stream_id: header("ce_subject")?.parse()?,
        stream_version: header("ce_streamversion")?.parse()?,
    })
}
