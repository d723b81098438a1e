//! Where Kafka is, how to be let in, and what the topic is to look like.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use rdkafka::ClientConfig;

/// What the topic is called unless configured.
pub const TOPIC_NAME: &str = "praxis.events.v1";

/// How many partitions a new topic gets unless configured.
pub const PARTITIONS: NonZeroU32 = match NonZeroU32::new(12) {
    Some(count) => count,
    None => NonZeroU32::MIN,
};

/// How long a new topic keeps messages. Consumers that lag further read the log.
pub const RETENTION: Duration = Duration::from_hours(7 * 24);

/// What each setting that says how to be let in is called by librdkafka, and what of the way in it belongs to. Other client
/// properties decide durability and order and are not for configuring.
const SECURITY: [(&str, &str, Part); 7] = [
    ("PRAXIS_KAFKA_SECURITY", "security.protocol", Part::Protocol),
    ("PRAXIS_KAFKA_CA", "ssl.ca.pem", Part::Tls),
    ("PRAXIS_KAFKA_CERTIFICATE", "ssl.certificate.pem", Part::Tls),
    ("PRAXIS_KAFKA_CERTIFICATE_KEY", "ssl.key.pem", Part::Tls),
    ("PRAXIS_KAFKA_SASL_MECHANISM", "sasl.mechanism", Part::Sasl),
    ("PRAXIS_KAFKA_USERNAME", "sasl.username", Part::Sasl),
    ("PRAXIS_KAFKA_PASSWORD", "sasl.password", Part::Sasl),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Protocol,
    Tls,
    Sasl,
}

/// The cluster and the topic.
#[derive(Clone)]
pub struct KafkaSettings {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// The topic.
    pub topic: TopicSettings,
    security: Vec<(&'static str, String)>,
}

/// What the topic is called, and what it is made like if it is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSettings {
    /// Its name.
    pub name: String,
    /// How many partitions. Another count for a topic that exists is refused: streams would change partitions.
    pub partitions: NonZeroU32,
    /// How many replicas a new topic gets; unless given, three or as many as there are brokers.
    pub replication: Option<NonZeroU32>,
    /// How many of them must have a message before it is acknowledged; unless given, all but one.
    pub min_in_sync_replicas: Option<NonZeroU32>,
    /// How long a new topic keeps messages.
    pub retention: Duration,
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self {
            name: TOPIC_NAME.to_owned(),
            partitions: PARTITIONS,
            replication: None,
            min_in_sync_replicas: None,
            retention: RETENTION,
        }
    }
}

/// Settings that do not go together, or cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitSettings {
    /// One is needed and not there, or of no use as it is.
    #[error("{0} is not set, or cannot be read")]
    Missing(&'static str),
    /// It would be passed over, and who set it would believe otherwise.
    #[error("{name} is set, and PRAXIS_KAFKA_SECURITY is {protocol}")]
    Unused {
        /// Which.
        name: &'static str,
        /// What was chosen.
        protocol: String,
    },
    /// More replicas would have to have a message than there are.
    #[error("PRAXIS_KAFKA_MIN_IN_SYNC_REPLICAS is greater than PRAXIS_KAFKA_REPLICATION")]
    MoreInSyncThanReplicas,
}

impl KafkaSettings {
    /// The default topic of a cluster that lets everyone in.
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            topic: TopicSettings::default(),
            security: Vec::new(),
        }
    }

    /// The cluster and topic as set: `text` is asked for each setting by its name, and answers what it is or that it is
    /// not set. Every process of one log should have the same.
    ///
    /// # Errors
    /// [`UnfitSettings`].
    pub fn try_from_settings(text: impl Fn(&'static str) -> Option<String>) -> Result<Self, UnfitSettings> {
        let required = |name| text(name).ok_or(UnfitSettings::Missing(name));
        let number = |name| -> Result<Option<NonZeroU32>, UnfitSettings> {
            let number = text(name).map(|text| text.parse()).transpose();
            number.map_err(|_| UnfitSettings::Missing(name))
        };
        let required_number = |name| number(name)?.ok_or(UnfitSettings::Missing(name));
        let topic = TopicSettings {
            name: required("PRAXIS_KAFKA_TOPIC")?,
            partitions: required_number("PRAXIS_KAFKA_PARTITIONS")?,
            replication: number("PRAXIS_KAFKA_REPLICATION")?,
            min_in_sync_replicas: number("PRAXIS_KAFKA_MIN_IN_SYNC_REPLICAS")?,
            retention: Duration::from_hours(required_number("PRAXIS_KAFKA_RETENTION_HOURS")?.get().into()),
        };
        if let (Some(replication), Some(in_sync)) = (topic.replication, topic.min_in_sync_replicas)
            && in_sync > replication
        {
            return Err(UnfitSettings::MoreInSyncThanReplicas);
        }
        Ok(Self {
            brokers: required("PRAXIS_KAFKA_BROKERS")?,
            topic,
            security: security(&text)?,
        })
    }

    /// What every client of this cluster is configured with.
    pub(crate) fn client_config(&self, client_id: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", client_id)
            .set("socket.keepalive.enable", "true")
            .set("socket.connection.setup.timeout.ms", "5000")
            // A broker that comes back is found within a second (10 s by default).
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000")
            .set("statistics.interval.ms", "10000");
        for (property, value) in &self.security {
            config.set(*property, value);
        }
        config
    }
}

/// The client properties that let a process in.
fn security(
    text: impl Fn(&'static str) -> Option<String>,
) -> Result<Vec<(&'static str, String)>, UnfitSettings> {
    let protocol = text("PRAXIS_KAFKA_SECURITY").unwrap_or_else(|| "plaintext".to_owned());
    let (tls, sasl) = (protocol.ends_with("ssl"), protocol.starts_with("sasl"));
    let mut properties = Vec::new();
    for (name, property, part) in SECURITY {
        let Some(value) = text(name) else { continue };
        let used = match part {
            Part::Protocol => true,
            Part::Tls => tls,
            Part::Sasl => sasl,
        };
        if !used {
            return Err(UnfitSettings::Unused { name, protocol });
        }
        properties.push((property, value));
    }
    let is_set = |wanted: &str| properties.iter().any(|(property, _)| *property == wanted);
    if sasl {
        let needed = SECURITY.iter().filter(|(_, _, part)| *part == Part::Sasl);
        if let Some((name, ..)) = needed.into_iter().find(|(_, property, _)| !is_set(property)) {
            return Err(UnfitSettings::Missing(name));
        }
    }
    Ok(properties)
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let security: Vec<&str> = self.security.iter().map(|(property, _)| *property).collect();
        f.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("topic", &self.topic)
            .field("security", &security)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a configuration without anything but these would answer.
    fn settings(set: &[(&'static str, &str)]) -> Result<KafkaSettings, UnfitSettings> {
        let defaults = [
            ("PRAXIS_KAFKA_BROKERS", "kafka:9093"),
            ("PRAXIS_KAFKA_TOPIC", TOPIC_NAME),
            ("PRAXIS_KAFKA_PARTITIONS", "12"),
            ("PRAXIS_KAFKA_RETENTION_HOURS", "168"),
        ];
        let all = set.iter().chain(&defaults);
        KafkaSettings::try_from_settings(|name| {
            let found = all.clone().find(|(known, _)| *known == name);
            found.map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn what_nobody_sets_is_the_default_topic_of_a_cluster_that_lets_everyone_in() {
        let settings = settings(&[]).expect("fit");
        assert_eq!(settings.topic, TopicSettings::default());
        assert_eq!(settings.client_config("x").get("security.protocol"), None);
    }

    #[test]
    fn every_setting_of_the_way_in_reaches_every_client() {
        let set = [
            ("PRAXIS_KAFKA_SECURITY", "sasl_ssl"),
            ("PRAXIS_KAFKA_CA", "ca"),
            ("PRAXIS_KAFKA_CERTIFICATE", "certificate"),
            ("PRAXIS_KAFKA_CERTIFICATE_KEY", "key"),
            ("PRAXIS_KAFKA_SASL_MECHANISM", "SCRAM-SHA-512"),
            ("PRAXIS_KAFKA_USERNAME", "praxis"),
            ("PRAXIS_KAFKA_PASSWORD", "hunter2"),
        ];
        let config = settings(&set).expect("fit").client_config("x");
        for ((name, value), (_, property, _)) in set.iter().zip(SECURITY) {
            assert_eq!(config.get(property), Some(*value), "{name}");
        }
    }

    #[test]
    fn the_topic_is_made_as_set() {
        let settings = settings(&[
            ("PRAXIS_KAFKA_REPLICATION", "5"),
            ("PRAXIS_KAFKA_MIN_IN_SYNC_REPLICAS", "3"),
            ("PRAXIS_KAFKA_RETENTION_HOURS", "48"),
        ]);
        let topic = settings.expect("fit").topic;
        assert_eq!(topic.replication, NonZeroU32::new(5));
        assert_eq!(topic.min_in_sync_replicas, NonZeroU32::new(3));
        assert_eq!(topic.retention, Duration::from_hours(48));
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused() {
        let unused = |name, protocol: &str| UnfitSettings::Unused {
            name,
            protocol: protocol.to_owned(),
        };
        let cases = [
            (
                &[("PRAXIS_KAFKA_PASSWORD", "x")][..],
                unused("PRAXIS_KAFKA_PASSWORD", "plaintext"),
            ),
            (
                &[("PRAXIS_KAFKA_SECURITY", "ssl"), ("PRAXIS_KAFKA_USERNAME", "x")],
                unused("PRAXIS_KAFKA_USERNAME", "ssl"),
            ),
            (
                &[
                    ("PRAXIS_KAFKA_SECURITY", "sasl_plaintext"),
                    ("PRAXIS_KAFKA_CA", "x"),
                ],
                unused("PRAXIS_KAFKA_CA", "sasl_plaintext"),
            ),
            (
                &[
                    ("PRAXIS_KAFKA_SECURITY", "sasl_ssl"),
                    ("PRAXIS_KAFKA_SASL_MECHANISM", "PLAIN"),
                    ("PRAXIS_KAFKA_USERNAME", "x"),
                ],
                UnfitSettings::Missing("PRAXIS_KAFKA_PASSWORD"),
            ),
            (
                &[
                    ("PRAXIS_KAFKA_REPLICATION", "2"),
                    ("PRAXIS_KAFKA_MIN_IN_SYNC_REPLICAS", "3"),
                ],
                UnfitSettings::MoreInSyncThanReplicas,
            ),
        ];
        for (set, expected) in cases {
            assert_eq!(settings(set).err(), Some(expected));
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let settings = settings(&[
            ("PRAXIS_KAFKA_SECURITY", "sasl_plaintext"),
            ("PRAXIS_KAFKA_SASL_MECHANISM", "PLAIN"),
            ("PRAXIS_KAFKA_USERNAME", "praxis"),
            ("PRAXIS_KAFKA_PASSWORD", "hunter2"),
        ]);
        let shown = format!("{:?}", settings.expect("fit"));
        assert!(
            shown.contains("sasl.password") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
