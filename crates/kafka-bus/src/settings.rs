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

/// Client properties that say how to be let in; the others decide durability and order and are not for configuring.
const SECURITY_PREFIXES: [&str; 3] = ["security.", "sasl.", "ssl."];

/// The cluster and the topic.
#[derive(Clone)]
pub struct KafkaSettings {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// The topic.
    pub topic: TopicSettings,
    security: Vec<(String, String)>,
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

/// A client property that may not be configured.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("kafka property {0} may not be configured: only security.*, sasl.* and ssl.* may")]
pub struct ForbiddenProperty(pub String);

impl KafkaSettings {
    /// The default topic of a cluster that lets everyone in.
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            topic: TopicSettings::default(),
            security: Vec::new(),
        }
    }

    /// The same with librdkafka's properties `security.*`, `sasl.*`, `ssl.*`; values may be secret and are never shown.
    ///
    /// # Errors
    /// [`ForbiddenProperty`] for any other name.
    pub fn secured_by(mut self, properties: Vec<(String, String)>) -> Result<Self, ForbiddenProperty> {
        let forbidden = |name: &str| !SECURITY_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        if let Some((name, _)) = properties.iter().find(|(name, _)| forbidden(name)) {
            return Err(ForbiddenProperty(name.clone()));
        }
        self.security = properties;
        Ok(self)
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
        for (name, value) in &self.security {
            config.set(name, value);
        }
        config
    }
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let security: Vec<&str> = self.security.iter().map(|(name, _)| name.as_str()).collect();
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

    #[test]
    fn only_security_can_be_configured() {
        let settings = |name: &str| {
            KafkaSettings::new("localhost:9092").secured_by(vec![(name.to_owned(), "x".to_owned())])
        };
        for name in ["security.protocol", "sasl.username", "ssl.ca.location"] {
            assert!(settings(name).is_ok(), "{name}");
        }
        for name in ["acks", "enable.idempotence", "bootstrap.servers", "sslx"] {
            assert_eq!(settings(name).err(), Some(ForbiddenProperty(name.to_owned())));
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let settings = KafkaSettings::new("localhost:9092")
            .secured_by(vec![("sasl.password".to_owned(), "hunter2".to_owned())])
            .expect("may be configured");
        let shown = format!("{settings:?}");
        assert!(
            shown.contains("sasl.password") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
