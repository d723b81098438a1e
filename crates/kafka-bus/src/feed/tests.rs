//! A consumer that is there and gets nothing is noticed.

use praxis_event_store::bus::{BusContent, EventPublisher as _, LogLife};
use praxis_events::ids::LogId;
use rdkafka::consumer::Consumer as _;
use uuid::Uuid;

use super::*;
use crate::publisher::KafkaPublisher;

fn watermarks(partitions: NonZeroU32, position: u64) -> Vec<BusMessage> {
    let life = LogLife {
        log_id: LogId(Uuid::nil()),
        epoch: 1,
    };
    let content = BusContent::Watermark {
        position,
        leaf_hash: [0; 32],
    };
    (0..partitions.get())
        .map(|partition| BusMessage {
            partition,
            life,
            prev: 0,
            content: content.clone(),
        })
        .collect()
}

async fn reach(feed: &mut KafkaFeed, position: u64) {
    let mut reached = std::collections::BTreeSet::new();
    while reached.len() < 12 {
        let messages = feed.next(100).await.expect("the broker is there");
        let there = messages.iter().filter(|message| message.position() == position);
        reached.extend(there.map(|message| message.partition));
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "names on a shared broker must differ between runs"
)]
async fn reading() -> (KafkaPublisher, KafkaFeed) {
    let mut settings = KafkaSettings::new(praxis_testkit::servers::kafka_brokers());
    settings.topic.name = format!("praxis.test.{}", Uuid::new_v4());
    let publisher = KafkaPublisher::open(&settings)
        .await
        .expect("the broker is there");
    let mut feed = KafkaFeed::open(
        settings.clone(),
        settings.topic.name.clone(),
        GroupProtocol::Consumer,
    )
    .await
    .expect("the broker is there");
    feed.silence_max = Duration::from_secs(1);
    publisher
        .publish(watermarks(feed.partitions(), 1))
        .await
        .expect("the broker is there");
    reach(&mut feed, 1).await;
    (publisher, feed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_silently_stalls_is_replaced() {
    let (publisher, mut feed) = reading().await;
    let consumer = feed.member().expect("has joined");
    let assigned = consumer.stream().assignment().expect("has joined");
    consumer.stream().pause(&assigned).expect("can be paused");
    drop(consumer);
    publisher
        .publish(watermarks(feed.partitions(), 2))
        .await
        .expect("the broker is there");
    tokio::time::timeout(Duration::from_mins(1), reach(&mut feed, 2))
        .await
        .expect("the feed goes on");
    feed.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_no_longer_of_the_group_is_replaced() {
    let (publisher, mut feed) = reading().await;
    feed.member().expect("has joined").stream().unsubscribe();
    publisher
        .publish(watermarks(feed.partitions(), 2))
        .await
        .expect("the broker is there");
    tokio::time::timeout(Duration::from_mins(1), reach(&mut feed, 2))
        .await
        .expect("the feed goes on");
    feed.close().await;
}
