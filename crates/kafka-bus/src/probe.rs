//! Does Kafka answer, right now?

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;

use crate::client::{EndsElsewhere, PlainContext};
use crate::settings::KafkaSettings;
use crate::topic::{asking_client, look_blocking};

/// An answer that takes longer is none.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(1);

/// Kafka did not answer in time, or not about our topic.
#[derive(Debug, thiserror::Error)]
#[error("kafka does not answer")]
pub struct NoAnswer(#[source] KafkaError);

/// A client kept for readiness checks, so that a check opens no connection.
pub struct KafkaProbe {
    client: Arc<EndsElsewhere<BaseConsumer<PlainContext>>>,
    topic: String,
}

impl KafkaProbe {
    /// A probe of that cluster; connects in the background.
    ///
    /// # Errors
    /// [`NoAnswer`] if the settings are refused by librdkafka.
    pub fn open(settings: &KafkaSettings) -> Result<Self, NoAnswer> {
        let client = asking_client(settings).map_err(NoAnswer)?;
        Ok(Self {
            client: Arc::new(EndsElsewhere::new(client)),
            topic: settings.topic.name.clone(),
        })
    }

    /// Asks for the topic's metadata. An absent topic is an answer: the relay makes it.
    ///
    /// # Errors
    /// [`NoAnswer`] after [`ANSWER_TIME_MAX`] at the latest.
    pub async fn check(&self) -> Result<(), NoAnswer> {
        let (client, topic) = (Arc::clone(&self.client), self.topic.clone());
        tokio::task::spawn_blocking(move || look_blocking(&client, &topic, ANSWER_TIME_MAX))
            .await
            .unwrap_or(Err(KafkaError::Canceled))
            .map(|_| ())
            .map_err(NoAnswer)
    }
}
