//! How messages get into the topic: in order, without gaps, acknowledged by all in-sync replicas, or not at all any more.
//!
//! The idempotent producer keeps the order of a partition through retries. What it does not keep by itself is that
//! nothing follows a message it gave up: hence `enable.gapless.guarantee`, and a publisher that failed once never
//! sends again. So each publisher leaves an unbroken run of each partition's messages, and however many of them
//! overlap (a relay's late batch among them), first occurrences stay in order.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use praxis_event_store::bus::{BusMessage, EventPublisher, PublishError, PublisherFactory};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer, PurgeConfig};

use crate::client::{EndsElsewhere, PlainContext};
use crate::ends::last_blocking;
use crate::envelope::{headers, key, value};
use crate::settings::KafkaSettings;
use crate::topic::{self, TopicError};

/// A message that is not acknowledged by then never counts as sent. The relay tries again with another producer.
const DELIVERY_TIME_MAX_MS: &str = "5000";
/// How long the leader may wait for its replicas; below the former.
const REPLICATION_TIME_MAX_MS: &str = "4000";
/// If librdkafka were not to keep its own limit.
const PUBLISH_TIME_MAX: Duration = Duration::from_secs(15);
/// How long a message waits for company: batches form by themselves while earlier ones await their acks.
const LINGER_MS: &str = "1";

/// Why messages were not acknowledged.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    #[error(transparent)]
    Topic(#[from] TopicError),
    #[error("producer refused or lost a message")]
    Kafka(#[source] KafkaError),
    #[error("topic cannot be looked at")]
    Look(#[source] KafkaError),
    #[error("partition {0} is beyond the topic's")]
    Partition(u32),
    #[error("acknowledgements did not come in time")]
    Late,
    #[error("publisher has failed before and sends no more")]
    Spent,
}

impl From<NotSent> for PublishError {
    fn from(error: NotSent) -> Self {
        Self(Box::new(error))
    }
}

/// Makes publishers for one topic.
#[derive(Clone, Debug)]
pub struct KafkaPublishers {
    settings: KafkaSettings,
}

impl KafkaPublishers {
    /// For that topic; nothing is connected yet.
    pub const fn new(settings: KafkaSettings) -> Self {
        Self { settings }
    }
}

#[async_trait]
impl PublisherFactory for KafkaPublishers {
    async fn open(&self) -> Result<Box<dyn EventPublisher>, PublishError> {
        Ok(Box::new(KafkaPublisher::open(&self.settings).await?))
    }
}

/// One idempotent producer, from its first message to its first failure.
pub struct KafkaPublisher {
    producer: EndsElsewhere<FutureProducer<PlainContext>>,
    settings: KafkaSettings,
    topic: String,
    partitions: NonZeroU32,
    spent: AtomicBool,
}

impl KafkaPublisher {
    /// A new producer for the topic, which is made if it is not there.
    ///
    /// # Errors
    /// [`PublishError`] while the broker cannot be reached, or if the topic is another than configured.
    pub async fn open(settings: &KafkaSettings) -> Result<Self, PublishError> {
        topic::ensure(settings).await.map_err(NotSent::Topic)?;
        let mut config = settings.client_config("praxis-relay");
        config
            // A producer asks for its topic again and again; by default a broker makes one that was deleted anew at
            // such a question, with a number of partitions of its own. Making it is up to `topic::ensure`.
            .set("allow.auto.create.topics", "false")
            .set("enable.idempotence", "true")
            .set("enable.gapless.guarantee", "true")
            .set("acks", "all")
            .set("compression.type", "zstd")
            .set("linger.ms", LINGER_MS)
            .set("request.timeout.ms", REPLICATION_TIME_MAX_MS)
            .set("message.timeout.ms", DELIVERY_TIME_MAX_MS);
        let producer = config
            .create_with_context(PlainContext("producer"))
            .map_err(NotSent::Kafka)?;
        Ok(Self {
            producer: EndsElsewhere::new(producer),
            settings: settings.clone(),
            topic: settings.topic.name.clone(),
            partitions: settings.topic.partitions,
            spent: AtomicBool::new(false),
        })
    }

    async fn send_all(&self, messages: &[BusMessage]) -> Result<(), NotSent> {
        let mut acks = Vec::with_capacity(messages.len());
        for message in messages {
            if message.partition >= self.partitions.get() {
                return Err(NotSent::Partition(message.partition));
            }
            let partition =
                i32::try_from(message.partition).map_err(|_| NotSent::Partition(message.partition))?;
            let key = key(message);
            let mut record = FutureRecord::<str, [u8]>::to(&self.topic)
                .partition(partition)
                .headers(kafka_headers(message, self.partitions))
                .payload(value(message));
            if let Some(key) = &key {
                record = record.key(key);
            }
            acks.push(
                self.producer
                    .send_result(record)
                    .map_err(|(error, _)| NotSent::Kafka(error))?,
            );
        }
        for ack in acks {
            match ack.await {
                Ok(Ok(_)) => {}
                Ok(Err((error, _))) => return Err(NotSent::Kafka(error)),
                Err(_) => return Err(NotSent::Kafka(KafkaError::Canceled)),
            }
        }
        Ok(())
    }
}

fn kafka_headers(message: &BusMessage, partitions: NonZeroU32) -> OwnedHeaders {
    let headers = headers(message, partitions);
    let empty = OwnedHeaders::new_with_capacity(headers.len());
    headers.iter().fold(empty, |all, (name, value)| {
        all.insert(Header {
            key: name,
            value: Some(value),
        })
    })
}

/// Unless told that all went well, gives up everything that waits: also when the caller no longer does.
struct Attempt<'a> {
    publisher: &'a KafkaPublisher,
    went_well: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.went_well {
            self.publisher.spent.store(true, Ordering::Release);
            self.publisher
                .producer
                .purge(PurgeConfig::default().queue().inflight().non_blocking());
        }
    }
}

#[async_trait]
impl EventPublisher for KafkaPublisher {
    fn partitions(&self) -> u32 {
        self.partitions.get()
    }

    async fn publish(&self, messages: Vec<BusMessage>) -> Result<(), PublishError> {
        if self.spent.load(Ordering::Acquire) {
            return Err(NotSent::Spent.into());
        }
        let started = Instant::now();
        let mut attempt = Attempt {
            publisher: self,
            went_well: false,
        };
        match tokio::time::timeout(PUBLISH_TIME_MAX, self.send_all(&messages)).await {
            Ok(sent) => sent?,
            Err(_) => return Err(NotSent::Late.into()),
        }
        attempt.went_well = true;
        metrics::histogram!("praxis_kafka_publish_seconds").record(started.elapsed().as_secs_f64());
        Ok(())
    }

    async fn last(&self) -> Result<Vec<BusMessage>, PublishError> {
        let settings = self.settings.clone();
        let looked = tokio::task::spawn_blocking(move || last_blocking(&settings)).await;
        Ok(looked
            .unwrap_or(Err(KafkaError::Canceled))
            .map_err(NotSent::Look)?)
    }
}
