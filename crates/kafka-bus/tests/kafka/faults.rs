//! The broker stops, hangs and returns; the topic is deleted and made again.

use std::time::Duration;

use praxis_event_store::bus::{EventPublisher as _, PublisherFactory as _};
use praxis_event_store::feed::EventFeed as _;
use praxis_kafka_bus::probe::KafkaProbe;
use praxis_kafka_bus::publisher::{KafkaPublisher, KafkaPublishers};
use praxis_testkit::servers::KafkaServer;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Log, PATIENCE, open_feed, positions, receive, settings_at, unique};

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_went_away_fails_the_publisher_in_time_and_the_next_one_works() -> anyhow::Result<()> {
    let mut kafka = KafkaServer::start().await?;
    let settings = settings_at(&kafka.brokers());
    let factory = KafkaPublishers::new(settings.clone());
    let publisher = factory.open().await?;
    let mut log = Log::new(&settings);
    publisher.publish(log.append(10, 10)).await?;
    let probe = KafkaProbe::open(&settings)?;
    probe.check().await?;
    let mut feed = open_feed(&settings, &unique("group")).await?;
    receive(&mut feed, 10).await?;

    kafka.kill_9();
    let lost = log.append(10, 10);
    let started = Instant::now();
    publisher
        .publish(lost.clone())
        .await
        .expect_err("nobody acknowledges");
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    let started = Instant::now();
    probe.check().await.expect_err("nobody answers");
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    let started = Instant::now();
    assert!(factory.open().await.is_err());
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );

    kafka.restart().await?;
    let started = Instant::now();
    publisher
        .publish(lost.clone())
        .await
        .expect_err("who failed once sends no more");
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    let next = factory.open().await?;
    next.publish(lost).await?;
    next.publish(log.append(10, 10)).await?;
    probe.check().await?;
    let mut came = positions(&receive(&mut feed, 20).await?);
    came.sort_unstable();
    came.dedup();
    assert_eq!(came, (11..=30).collect::<Vec<_>>());
    feed.close().await;
    Ok(())
}

/// As a projector that pauses after each error: what librdkafka queued during the outage must not be paid for one by one.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_heard_of_once_after_its_end() -> anyhow::Result<()> {
    const LONG_ENOUGH_FOR_MANY_ATTEMPTS: Duration = Duration::from_secs(10);
    const ERRORS_MAX: usize = 3;
    let mut kafka = KafkaServer::start().await?;
    let settings = settings_at(&kafka.brokers());
    let factory = KafkaPublishers::new(settings.clone());
    let mut log = Log::new(&settings);
    factory.open().await?.publish(log.append(10, 10)).await?;
    let mut feed = open_feed(&settings, &unique("group")).await?;
    receive(&mut feed, 10).await?;

    kafka.kill_9();
    sleep(LONG_ENOUGH_FOR_MANY_ATTEMPTS).await;
    kafka.restart().await?;
    factory.open().await?.publish(log.append(10, 10)).await?;
    let mut errors = 0;
    let came = timeout(PATIENCE, async {
        loop {
            match feed.next(100).await {
                Ok(messages) if positions(&messages).iter().any(|position| *position > 10) => break,
                Ok(_) => {}
                Err(_) => errors += 1,
            }
        }
    });
    came.await?;
    assert!(errors <= ERRORS_MAX, "{errors} errors before the first message");
    feed.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_hangs_fails_probe_and_publisher_in_time_and_holds_up_no_close() -> anyhow::Result<()> {
    let kafka = KafkaServer::start().await?;
    let settings = settings_at(&kafka.brokers());
    let publisher = KafkaPublisher::open(&settings).await?;
    let mut log = Log::new(&settings);
    publisher.publish(log.append(10, 10)).await?;
    let probe = KafkaProbe::open(&settings)?;
    probe.check().await?;
    let mut feed = open_feed(&settings, &unique("group")).await?;
    receive(&mut feed, 10).await?;

    kafka.pause()?;
    let started = Instant::now();
    publisher
        .publish(log.append(10, 10))
        .await
        .expect_err("nobody acknowledges");
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    let started = Instant::now();
    probe.check().await.expect_err("nobody answers");
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    let started = Instant::now();
    drop(publisher);
    feed.close().await;
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    kafka.resume()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_deleted_and_made_again_is_consumed_again() -> anyhow::Result<()> {
    let kafka = KafkaServer::start().await?;
    let settings = settings_at(&kafka.brokers());
    let factory = KafkaPublishers::new(settings.clone());
    let publisher = factory.open().await?;
    let mut log = Log::new(&settings);
    publisher.publish(log.append(600, 60)).await?;
    let mut feed = open_feed(&settings, &unique("group")).await?;
    receive(&mut feed, 600).await?;

    kafka
        .topics(&["--delete", "--topic", &settings.topic.name])
        .await?;
    // As the relay does: a publisher that fails is replaced, and replacing it makes the topic.
    let mut lost = log.append(60, 60);
    let mut publisher = publisher;
    let republished = timeout(PATIENCE, async {
        while publisher.publish(lost.clone()).await.is_err() {
            while let Err(error) = factory.open().await.map(|new| publisher = new) {
                drop(error);
            }
        }
    });
    let receive_all = async {
        let more = receive(&mut feed, 60).await;
        (feed, more)
    };
    let (republished, (mut feed, came)) = tokio::join!(republished, receive_all);
    republished?;
    let mut came = positions(&came?);
    came.retain(|position| *position > 600);
    came.sort_unstable();
    came.dedup();
    assert_eq!(came, (601..=660).collect::<Vec<_>>());

    lost = log.append(60, 60);
    publisher.publish(lost).await?;
    assert_eq!(receive(&mut feed, 60).await?.len(), 60);
    feed.close().await;
    Ok(())
}
