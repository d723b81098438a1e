//! A broker that speaks TLS and asks who is there lets in who was told its certificate, a name and a password.

use praxis_kafka_bus::settings::{KafkaSettings, UnfitSettings};
use praxis_kafka_bus::topic::{self, TopicError};
use praxis_testkit::servers::KafkaServer;

/// What a process would be set to.
fn settings(
    brokers: &str,
    certificate: &str,
    mechanism: &str,
    password: &str,
) -> Result<KafkaSettings, UnfitSettings> {
    KafkaSettings::try_from_settings(|name| {
        let text = match name {
            "PRAXIS_KAFKA_BROKERS" => brokers,
            "PRAXIS_KAFKA_TOPIC" => "praxis.test",
            "PRAXIS_KAFKA_PARTITIONS" => "3",
            "PRAXIS_KAFKA_RETENTION_HOURS" => "1",
            "PRAXIS_KAFKA_SECURITY" => "sasl_ssl",
            "PRAXIS_KAFKA_CA" => certificate,
            "PRAXIS_KAFKA_SASL_MECHANISM" => mechanism,
            "PRAXIS_KAFKA_USERNAME" => "praxis",
            "PRAXIS_KAFKA_PASSWORD" => password,
            _ => return None,
        };
        Some(text.to_owned())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_and_a_password_let_a_process_in_and_a_wrong_one_does_not() -> anyhow::Result<()> {
    let (_kafka, brokers, certificate) = KafkaServer::start_secured().await?;
    // The second is what MSK asks for.
    for mechanism in ["PLAIN", "SCRAM-SHA-512"] {
        topic::ensure(&settings(&brokers, &certificate, mechanism, "invented")?).await?;
        let refused = topic::ensure(&settings(&brokers, &certificate, mechanism, "guessed")?).await;
        assert!(
            matches!(refused, Err(TopicError::Unavailable(_))),
            "{mechanism}: {refused:?}"
        );
    }
    Ok(())
}
