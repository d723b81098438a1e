//! Is the topic there, and is it the one we mean?
//!
//! Made on first use by whoever comes first, relay or projector. One that exists is taken as it is, but for the number
//! of partitions: with another number every stream would be somewhere else.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::types::RDKafkaRespErr;
use tokio::time::{Instant, sleep};

use crate::client::{EndsElsewhere, PlainContext};
use crate::settings::{KafkaSettings, TopicSettings};

/// A cluster that has not answered by then is not there.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// How long a new topic may take until every partition has a leader.
const LEADERS_TIME_MAX: Duration = Duration::from_secs(15);
const LEADERS_POLL: Duration = Duration::from_millis(50);
/// Three replicas survive the loss of one while a second is being replaced.
const REPLICATION_MAX: u32 = 3;

/// Why the topic cannot be used. Split by what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The cluster does not answer, or not as wanted: try again.
    #[error("kafka is unavailable")]
    Unavailable(#[source] KafkaError),
    /// The topic was made, but is not ready to be used: try again.
    #[error("topic {name} has partitions without a leader")]
    NotReady {
        /// The topic.
        name: String,
    },
    /// The topic is another than the one configured: stop, or delete it.
    #[error("topic {name} has {found} partitions, and {configured} are configured")]
    OtherPartitions {
        /// The topic.
        name: String,
        /// How many it has.
        found: usize,
        /// How many are configured.
        configured: NonZeroU32,
    },
}

/// Makes sure that the topic exists with the configured number of partitions, all of them led.
///
/// # Errors
/// [`TopicError`].
pub async fn ensure(settings: &KafkaSettings) -> Result<(), TopicError> {
    let started = Instant::now();
    let clients = Clients::open(settings).map_err(TopicError::Unavailable)?;
    loop {
        let seen = clients
            .look(&settings.topic.name)
            .await
            .map_err(TopicError::Unavailable)?;
        match judge(&seen, &settings.topic)? {
            Standing::Ready => return Ok(()),
            Standing::Absent => clients.create(&settings.topic, seen.broker_count).await?,
            Standing::Leaderless if started.elapsed() < LEADERS_TIME_MAX => sleep(LEADERS_POLL).await,
            Standing::Leaderless => {
                return Err(TopicError::NotReady {
                    name: settings.topic.name.clone(),
                });
            }
        }
    }
}

/// What the cluster says of the topic.
#[derive(Debug)]
pub(crate) struct Seen {
    broker_count: usize,
    /// Whether each partition has a leader; none when there is no such topic.
    led: Option<Vec<bool>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Ready,
    Absent,
    Leaderless,
}

fn judge(seen: &Seen, wanted: &TopicSettings) -> Result<Standing, TopicError> {
    let Some(led) = &seen.led else {
        return Ok(Standing::Absent);
    };
    if led.is_empty() {
        // Being made or deleted: no topic has no partitions.
        return Ok(Standing::Leaderless);
    }
    if u32::try_from(led.len()).ok() != Some(wanted.partitions.get()) {
        return Err(TopicError::OtherPartitions {
            name: wanted.name.clone(),
            found: led.len(),
            configured: wanted.partitions,
        });
    }
    Ok(if led.iter().all(|led| *led) {
        Standing::Ready
    } else {
        Standing::Leaderless
    })
}

/// A consumer without a group asks: unlike a producer, its questions never make a broker create the topic by default.
pub(crate) fn asking_client(settings: &KafkaSettings) -> Result<BaseConsumer<PlainContext>, KafkaError> {
    settings
        .client_config("praxis-probe")
        .create_with_context(PlainContext("probe"))
}

/// Asks the cluster about a topic; blocks up to `within`.
pub(crate) fn look_blocking(
    client: &BaseConsumer<PlainContext>,
    topic: &str,
    within: Duration,
) -> Result<Seen, KafkaError> {
    let metadata = client.fetch_metadata(Some(topic), within)?;
    read_metadata(&metadata, topic)
}

fn read_metadata(metadata: &Metadata, topic: &str) -> Result<Seen, KafkaError> {
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let led = match found.map(|found| (found, found.error())) {
        None | Some((_, Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART))) => None,
        Some((found, None | Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE))) => Some(
            found
                .partitions()
                .iter()
                .map(|partition| partition.leader() >= 0)
                .collect(),
        ),
        Some((_, Some(error))) => return Err(KafkaError::MetadataFetch(error.into())),
    };
    Ok(Seen {
        broker_count: metadata.brokers().len(),
        led,
    })
}

struct Clients {
    asking: Arc<EndsElsewhere<BaseConsumer<PlainContext>>>,
    config: ClientConfig,
}

impl Clients {
    fn open(settings: &KafkaSettings) -> Result<Self, KafkaError> {
        Ok(Self {
            asking: Arc::new(EndsElsewhere::new(asking_client(settings)?)),
            config: settings.client_config("praxis-topic"),
        })
    }

    async fn look(&self, topic: &str) -> Result<Seen, KafkaError> {
        let (client, topic) = (Arc::clone(&self.asking), topic.to_owned());
        tokio::task::spawn_blocking(move || look_blocking(&client, &topic, ANSWER_TIME_MAX))
            .await
            .unwrap_or(Err(KafkaError::Canceled))
    }

    async fn create(&self, topic: &TopicSettings, broker_count: usize) -> Result<(), TopicError> {
        let admin: AdminClient<PlainContext> = self
            .config
            .create_with_context(PlainContext("topic"))
            .map_err(TopicError::Unavailable)?;
        let admin = EndsElsewhere::new(admin);
        let (replication, in_sync) = replicas(topic, broker_count);
        let (in_sync, retention) = (in_sync.to_string(), topic.retention.as_millis().to_string());
        let partitions = i32::try_from(topic.partitions.get()).unwrap_or(i32::MAX);
        let replication = TopicReplication::Fixed(i32::try_from(replication).unwrap_or(i32::MAX));
        let new = NewTopic::new(&topic.name, partitions, replication)
            .set("cleanup.policy", "delete")
            .set("message.timestamp.type", "CreateTime")
            .set("min.insync.replicas", &in_sync)
            .set("retention.ms", &retention);
        let options = AdminOptions::new()
            .operation_timeout(Some(ANSWER_TIME_MAX))
            .request_timeout(Some(ANSWER_TIME_MAX));
        let answers = admin
            .create_topics([&new], &options)
            .await
            .map_err(TopicError::Unavailable)?;
        for answer in answers {
            match answer {
                Ok(name) => tracing::info!(topic = name, partitions, "topic created"),
                // Another process was faster; the next look tells whether it made what is wanted.
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => return Err(TopicError::Unavailable(KafkaError::AdminOp(code))),
            }
        }
        Ok(())
    }
}

/// Replication factor and `min.insync.replicas` of a new topic.
fn replicas(topic: &TopicSettings, broker_count: usize) -> (u32, u32) {
    let brokers = u32::try_from(broker_count).unwrap_or(u32::MAX).max(1);
    let replication = topic
        .replication
        .map_or(brokers.min(REPLICATION_MAX), NonZeroU32::get);
    let all_but_one = replication.saturating_sub(1).max(1);
    (
        replication,
        topic.min_in_sync_replicas.map_or(all_but_one, NonZeroU32::get),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(led: Option<Vec<bool>>) -> Seen {
        Seen { broker_count: 1, led }
    }

    #[test]
    fn a_topic_is_ready_when_every_partition_is_led() {
        let wanted = TopicSettings {
            partitions: NonZeroU32::new(2).expect("not zero"),
            ..TopicSettings::default()
        };
        assert_eq!(judge(&seen(None), &wanted).expect("fits"), Standing::Absent);
        assert_eq!(
            judge(&seen(Some(vec![])), &wanted).expect("fits"),
            Standing::Leaderless
        );
        assert_eq!(
            judge(&seen(Some(vec![true, false])), &wanted).expect("fits"),
            Standing::Leaderless
        );
        assert_eq!(
            judge(&seen(Some(vec![true, true])), &wanted).expect("fits"),
            Standing::Ready
        );
    }

    #[test]
    fn another_number_of_partitions_is_named() {
        let refused = judge(&seen(Some(vec![true; 3])), &TopicSettings::default()).expect_err("3 is not 12");
        assert_eq!(
            refused.to_string(),
            "topic praxis.events.v1 has 3 partitions, and 12 are configured"
        );
    }

    #[test]
    fn replicas_follow_the_number_of_brokers_unless_configured() {
        let topic = TopicSettings::default();
        let of = |brokers| replicas(&topic, brokers);
        assert_eq!(
            [of(0), of(1), of(2), of(3), of(9)],
            [(1, 1), (1, 1), (2, 1), (3, 2), (3, 2)]
        );
        let configured = TopicSettings {
            replication: NonZeroU32::new(5),
            min_in_sync_replicas: NonZeroU32::new(3),
            ..TopicSettings::default()
        };
        assert_eq!(replicas(&configured, 9), (5, 3));
    }
}
