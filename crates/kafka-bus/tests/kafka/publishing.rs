//! What is published arrives as it was, in order, and shows nothing of the payload outside the payload.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use praxis_event_store::bus::{BusContent, BusMessage, EventPublisher as _, PublisherFactory as _};
use praxis_event_store::feed::{EventFeed as _, FeedError};
use praxis_kafka_bus::envelope::{header, headers};
use praxis_kafka_bus::publisher::{KafkaPublisher, KafkaPublishers};
use praxis_kafka_bus::settings::KafkaSettings;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Header, Headers as _, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use uuid::Uuid;

use crate::support::{
    Log, MARKER, MESSAGES_MAX, open_feed, positions, receive, receive_until, settings, unique,
};

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_back_equal_and_in_order_within_their_partition() -> anyhow::Result<()> {
    let settings = settings();
    let publisher = KafkaPublishers::new(settings.clone()).open().await?;
    assert_eq!(publisher.partitions(), settings.topic.partitions.get());
    let mut log = Log::new(&settings);
    let mut sent = Vec::new();
    for batch in 0..5_u32 {
        let mut messages = log.append(400, 50);
        messages.extend(log.watermarks());
        sent.extend(messages.clone());
        publisher
            .publish(messages)
            .await
            .map_err(|error| anyhow::anyhow!("batch {batch}: {error:?}"))?;
    }

    let mut feed = open_feed(&settings, &unique("group")).await?;
    let last = log.watermarks();
    let came = receive_until(&mut feed, |all| {
        last.iter().all(|watermark| all.contains(watermark))
    })
    .await?;

    assert_eq!(events_by_partition(&came), events_by_partition(&sent));
    feed.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_topic_ends_with_is_told_to_whoever_publishes_next() -> anyhow::Result<()> {
    let settings = settings();
    let factory = KafkaPublishers::new(settings.clone());
    let publisher = factory.open().await?;
    assert!(publisher.last().await?.is_empty(), "nobody has published");
    let mut log = Log::new(&settings);
    let mut messages = log.append(400, 50);
    messages.extend(log.watermarks());
    publisher.publish(messages).await?;
    let last = factory.open().await?.last().await?;
    for watermark in log.watermarks() {
        assert!(last.contains(&watermark), "{watermark:?} is told");
    }
    assert!(last.len() < 400, "only the end is read: {}", last.len());
    Ok(())
}

fn events_by_partition(messages: &[BusMessage]) -> BTreeMap<u32, Vec<BusMessage>> {
    let mut of = BTreeMap::<u32, Vec<_>>::new();
    for message in messages {
        if let BusContent::Event(_) = message.content {
            of.entry(message.partition).or_default().push(message.clone());
        }
    }
    of
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_of_a_stream_arrive_in_order() -> anyhow::Result<()> {
    let settings = settings();
    let publisher = KafkaPublisher::open(&settings).await?;
    let mut log = Log::new(&settings);
    for _ in 0..10 {
        publisher.publish(log.append(100, 7)).await?;
    }
    let mut feed = open_feed(&settings, &unique("group")).await?;
    let came = receive(&mut feed, 1_000).await?;
    let mut versions = BTreeMap::<Uuid, u64>::new();
    for message in &came {
        if let BusContent::Event(event) = &message.content {
            let version = versions.entry(event.stream_id).or_default();
            assert_eq!(event.stream_version, *version + 1, "stream {}", event.stream_id);
            *version = event.stream_version;
        }
    }
    assert_eq!(versions.len(), 7);
    feed.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_messages_come_at_once_than_were_asked_for() -> anyhow::Result<()> {
    let settings = settings();
    let publisher = KafkaPublisher::open(&settings).await?;
    publisher.publish(Log::new(&settings).append(500, 50)).await?;
    let mut feed = open_feed(&settings, &unique("group")).await?;
    let mut all = Vec::new();
    while all.len() < 500 {
        let messages = feed.next(7).await?;
        assert!((1..=7).contains(&messages.len()), "{}", messages.len());
        all.extend(messages);
    }
    let mut positions = positions(&all);
    positions.sort_unstable();
    assert_eq!(positions, (1..=500).collect::<Vec<_>>());
    feed.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_wire_only_the_value_holds_payload_and_every_header_is_listed() -> anyhow::Result<()> {
    let settings = settings();
    let publisher = KafkaPublisher::open(&settings).await?;
    let mut log = Log::new(&settings);
    let mut messages = log.append(2, 1);
    let partition = i32::try_from(messages[0].partition)?;
    messages.extend(log.watermarks());
    publisher.publish(messages).await?;

    let raw: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &settings.brokers)
        .set("group.id", unique("raw"))
        .create()?;
    let mut from_start = TopicPartitionList::new();
    from_start.add_partition_offset(&settings.topic.name, partition, Offset::Beginning)?;
    raw.assign(&from_start)?;

    tokio::task::spawn_blocking(move || {
        for (is_event, position) in [(true, 1), (true, 2), (false, 2)] {
            let message = loop {
                match raw.poll(Duration::from_secs(20)) {
                    Some(Ok(message)) => break message,
                    Some(Err(_)) => {}
                    None => panic!("no message at position {position}"),
                }
            };
            let value = String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned();
            assert_eq!(value.contains(MARKER), is_event);
            assert_eq!(message.key().is_some(), is_event);
            let key = String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned();
            assert!(!key.contains(MARKER));
            let headers = message.headers().expect("has headers");
            for found in headers.iter() {
                let text = std::str::from_utf8(found.value.expect("has a value")).expect("is text");
                assert!(header::ALL.contains(&found.key), "{}", found.key);
                assert!(!text.contains(MARKER), "{}", found.key);
                if found.key == header::SUBJECT {
                    assert_eq!(text, key);
                }
                if found.key == header::POSITION {
                    assert_eq!(text, position.to_string());
                }
            }
        }
    })
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_messages_are_passed_over() -> anyhow::Result<()> {
    let settings = settings();
    let publisher = KafkaPublisher::open(&settings).await?;
    let mut log = Log::new(&settings);
    let stranger = plain_producer(&settings)?;
    for partition in 0..i32::try_from(settings.topic.partitions.get())? {
        let record = FutureRecord::<str, str>::to(&settings.topic.name)
            .partition(partition)
            .payload("hello");
        stranger
            .send(record, Duration::from_secs(20))
            .await
            .map_err(|(error, _)| error)?;
    }
    publisher.publish(log.append(24, 24)).await?;
    let mut feed = open_feed(&settings, &unique("group")).await?;
    let came = receive(&mut feed, 24).await?;
    assert_eq!(came.len(), 24);
    feed.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_sent_for_another_number_of_partitions_stop_the_feed() -> anyhow::Result<()> {
    let settings = settings();
    KafkaPublisher::open(&settings)
        .await?
        .publish(Log::new(&settings).watermarks())
        .await?;
    let mut feed = open_feed(&settings, &unique("group")).await?;
    receive_until(&mut feed, |all| !all.is_empty()).await?;

    // What a relay left over from before the topic was made anew would send.
    let eleven = NonZeroU32::new(11).expect("not zero");
    let record = FutureRecord::<str, str>::to(&settings.topic.name)
        .partition(0)
        .headers(watermark_for(&settings, eleven))
        .payload("");
    plain_producer(&settings)?
        .send(record, Duration::from_secs(20))
        .await
        .map_err(|(error, _)| error)?;
    let stopped = loop {
        match feed.next(MESSAGES_MAX).await {
            Ok(_) | Err(FeedError::Unavailable(_)) => {}
            Err(corrupt) => break corrupt,
        }
    };
    assert!(matches!(stopped, FeedError::Corrupt(_)), "{stopped}");
    feed.close().await;
    Ok(())
}

fn plain_producer(settings: &KafkaSettings) -> anyhow::Result<FutureProducer> {
    Ok(ClientConfig::new()
        .set("bootstrap.servers", &settings.brokers)
        .create()?)
}

/// The headers of a watermark sent with that many partitions in mind.
fn watermark_for(settings: &KafkaSettings, partitions: NonZeroU32) -> OwnedHeaders {
    let watermark = Log::new(settings).watermarks().remove(0);
    let headers = headers(&watermark, partitions);
    headers.iter().fold(OwnedHeaders::new(), |all, (key, value)| {
        all.insert(Header {
            key,
            value: Some(value),
        })
    })
}
