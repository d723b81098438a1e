//! What does the topic end with? Whoever is about to publish asks, because the topic is out of the database's reach: it
//! knows what a log told before it was restored to an earlier state.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use praxis_event_store::bus::BusMessage;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Message as _, Offset, TopicPartitionList};

use crate::client::PlainContext;
use crate::feed::open_message;
use crate::settings::KafkaSettings;

/// Of each partition. More than one: a former leader's late message may come after the newest.
const MESSAGES_MAX: i64 = 20;
/// A broker that has not answered by then is not there.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
const RETRY_PAUSE: Duration = Duration::from_millis(50);
const POLL_TIME_MAX: Duration = Duration::from_millis(200);

/// The last messages of every partition that can be read. Blocks.
pub(crate) fn last_blocking(settings: &KafkaSettings) -> Result<Vec<BusMessage>, KafkaError> {
    let mut config = settings.client_config("praxis-relay-look");
    // The partitions are assigned by hand, so the group has no members and nothing is committed to it.
    config
        .set("group.id", "praxis-relay-look")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "10");
    let consumer: BaseConsumer<PlainContext> = config.create_with_context(PlainContext("look"))?;
    let mut missing = assign_ends(&consumer, settings)?;
    let deadline = Instant::now() + ANSWER_TIME_MAX;
    let mut last = Vec::new();
    while !missing.is_empty() {
        if Instant::now() >= deadline {
            return Err(KafkaError::MessageConsumption(
                RDKafkaErrorCode::OperationTimedOut,
            ));
        }
        let message = match consumer.poll(POLL_TIME_MAX) {
            None => continue,
            Some(message) => message?,
        };
        let end = missing.get(&message.partition()).copied();
        if end.is_some_and(|end| message.offset() + 1 >= end) {
            missing.remove(&message.partition());
        }
        last.extend(open_message(&message, settings.topic.partitions).ok());
    }
    Ok(last)
}

/// Places the consumer shortly before the end of each partition that holds something; where each ends.
fn assign_ends(
    consumer: &BaseConsumer<PlainContext>,
    settings: &KafkaSettings,
) -> Result<BTreeMap<i32, i64>, KafkaError> {
    let topic = settings.topic.name.as_str();
    let mut ends = BTreeMap::new();
    let mut places = TopicPartitionList::new();
    for partition in 0..i32::try_from(settings.topic.partitions.get()).unwrap_or(i32::MAX) {
        let (begin, end) = begin_and_end(consumer, topic, partition)?;
        if end > begin {
            let place = Offset::Offset(begin.max(end - MESSAGES_MAX));
            places.add_partition_offset(topic, partition, place)?;
            ends.insert(partition, end);
        }
    }
    consumer.assign(&places)?;
    Ok(ends)
}

/// Where a partition begins and ends. Of a topic just made, or after a broker's return, its leader may not know yet that it
/// leads.
fn begin_and_end(
    consumer: &BaseConsumer<PlainContext>,
    topic: &str,
    partition: i32,
) -> Result<(i64, i64), KafkaError> {
    let deadline = Instant::now() + ANSWER_TIME_MAX;
    loop {
        match consumer.fetch_watermarks(topic, partition, ANSWER_TIME_MAX) {
            Err(KafkaError::MetadataFetch(
                RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::UnknownTopicOrPartition,
            )) if Instant::now() < deadline => std::thread::sleep(RETRY_PAUSE),
            answer => return answer,
        }
    }
}
