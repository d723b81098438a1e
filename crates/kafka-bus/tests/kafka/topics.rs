//! The topic is made as configured, once, and another one is refused by name.

use std::num::NonZeroU32;

use praxis_kafka_bus::probe::KafkaProbe;
use praxis_kafka_bus::settings::KafkaSettings;
use praxis_kafka_bus::topic::{self, TopicError};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;

use crate::support::settings;

async fn topic_config(settings: &KafkaSettings, names: &[&str]) -> anyhow::Result<Vec<Option<String>>> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &settings.brokers)
        .create()?;
    let asked = [ResourceSpecifier::Topic(&settings.topic.name)];
    let mut answers = admin.describe_configs(&asked, &AdminOptions::new()).await?;
    let topic = answers.remove(0).map_err(|code| anyhow::anyhow!("{code}"))?;
    Ok(names
        .iter()
        .map(|name| topic.get(name).and_then(|entry| entry.value.clone()))
        .collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_made_as_configured() -> anyhow::Result<()> {
    let mut settings = settings();
    settings.topic.partitions = NonZeroU32::new(5).expect("not zero");
    topic::ensure(&settings).await?;
    let names = [
        "cleanup.policy",
        "message.timestamp.type",
        "min.insync.replicas",
        "retention.ms",
    ];
    let found = topic_config(&settings, &names).await?;
    let found: Vec<&str> = found.iter().flatten().map(String::as_str).collect();
    assert_eq!(found, ["delete", "CreateTime", "1", "604800000"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn making_it_again_and_at_the_same_time_is_fine() -> anyhow::Result<()> {
    let settings = settings();
    let (one, other) = tokio::join!(topic::ensure(&settings), topic::ensure(&settings));
    one?;
    other?;
    topic::ensure(&settings).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_with_another_number_of_partitions_is_refused() -> anyhow::Result<()> {
    let mut settings = settings();
    topic::ensure(&settings).await?;
    settings.topic.partitions = NonZeroU32::new(13).expect("not zero");
    let refused = topic::ensure(&settings).await.expect_err("12 are not 13");
    assert!(
        matches!(refused, TopicError::OtherPartitions { found: 12, .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains(&settings.topic.name), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_hears_an_answer_with_and_without_the_topic() -> anyhow::Result<()> {
    let settings = settings();
    let probe = KafkaProbe::open(&settings)?;
    probe.check().await?;
    topic::ensure(&settings).await?;
    probe.check().await?;
    Ok(())
}
