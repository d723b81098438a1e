//! Members of a group share the partitions, come and go, and nothing is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use praxis_event_store::bus::{BusMessage, EventPublisher as _};
use praxis_event_store::feed::EventFeed as _;
use praxis_kafka_bus::feed::{GroupProtocol, KafkaFeed};
use praxis_kafka_bus::publisher::KafkaPublisher;
use praxis_kafka_bus::settings::KafkaSettings;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep};

use crate::support::{Log, MESSAGES_MAX, PATIENCE, open_feed, positions, receive, settings, unique};

/// A projector without a database: it remembers which events came to any member.
struct Projector {
    stop: watch::Sender<bool>,
    running: tokio::task::JoinHandle<anyhow::Result<()>>,
    assigned: watch::Receiver<Vec<u32>>,
}

impl Projector {
    async fn start(
        settings: &KafkaSettings,
        group: &str,
        protocol: GroupProtocol,
        seen: &Arc<Mutex<BTreeSet<u64>>>,
    ) -> anyhow::Result<Self> {
        let feed = KafkaFeed::open(settings.clone(), group, protocol).await?;
        let (stop, stopped) = watch::channel(false);
        let (tell, assigned) = watch::channel(Vec::new());
        let running = tokio::task::spawn(run(feed, Arc::clone(seen), stopped, tell));
        Ok(Self {
            stop,
            running,
            assigned,
        })
    }

    async fn leave(self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        self.running.await?
    }
}

async fn run(
    mut feed: KafkaFeed,
    seen: Arc<Mutex<BTreeSet<u64>>>,
    mut stopped: watch::Receiver<bool>,
    tell: watch::Sender<Vec<u32>>,
) -> anyhow::Result<()> {
    loop {
        let messages: Vec<BusMessage> = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => break,
            messages = feed.next(MESSAGES_MAX) => messages?,
        };
        let assigned = feed.assigned();
        ensure!(
            messages
                .iter()
                .all(|message| assigned.contains(&message.partition)),
            "a message of a partition of another member"
        );
        seen.lock().await.extend(positions(&messages));
        tell.send_replace(assigned);
        feed.applied().await?;
    }
    feed.close().await;
    Ok(())
}

async fn until(what: &str, mut reached: impl AsyncFnMut() -> bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !reached().await {
        ensure!(Instant::now() < deadline, "{what} did not happen");
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn nothing_is_lost(protocol: GroupProtocol) -> anyhow::Result<()> {
    let (settings, group) = (settings(), unique("group"));
    let publisher = KafkaPublisher::open(&settings).await?;
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let (finish, mut finished) = watch::channel(false);
    let sent = tokio::task::spawn({
        let settings = settings.clone();
        async move {
            let mut log = Log::new(&settings);
            let mut count = 0;
            loop {
                let mut messages = log.append(20, 60);
                messages.extend(log.watermarks());
                publisher.publish(messages).await?;
                count += 20;
                let stop =
                    tokio::time::timeout(Duration::from_millis(10), finished.wait_for(|finished| *finished));
                if stop.await.is_ok() {
                    return anyhow::Ok(count);
                }
            }
        }
    });

    let first = Projector::start(&settings, &group, protocol, &seen).await?;
    until("one member having all", async || {
        first.assigned.borrow().len() == 12
    })
    .await?;
    let second = Projector::start(&settings, &group, protocol, &seen).await?;
    until("two members sharing", async || {
        let (one, other) = (first.assigned.borrow().clone(), second.assigned.borrow().clone());
        one.len() + other.len() == 12
            && one.iter().all(|partition| !other.contains(partition))
            && !other.is_empty()
    })
    .await?;
    first.leave().await?;
    until("the second having all", async || {
        second.assigned.borrow().len() == 12
    })
    .await?;
    let third = Projector::start(&settings, &group, protocol, &seen).await?;
    until("the third having some", async || {
        !third.assigned.borrow().is_empty()
    })
    .await?;

    finish.send_replace(true);
    let sent: u64 = sent.await??;
    until("everything coming", async || {
        seen.lock().await.len() == usize::try_from(sent).unwrap_or(0)
    })
    .await?;
    assert!(seen.lock().await.iter().copied().eq(1..=sent));
    second.leave().await?;
    third.leave().await
}

#[tokio::test(flavor = "multi_thread")]
async fn members_join_and_leave_under_load_and_nothing_is_lost() -> anyhow::Result<()> {
    nothing_is_lost(GroupProtocol::Consumer).await
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_the_classic_protocol_do_so_too() -> anyhow::Result<()> {
    nothing_is_lost(GroupProtocol::Classic).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_begins_where_the_last_one_said_all_was_applied() -> anyhow::Result<()> {
    let (settings, group) = (settings(), unique("group"));
    let publisher = KafkaPublisher::open(&settings).await?;
    let mut log = Log::new(&settings);
    publisher.publish(log.append(300, 60)).await?;
    let mut feed = open_feed(&settings, &group).await?;
    receive(&mut feed, 300).await?;
    feed.close().await;

    publisher.publish(log.append(60, 60)).await?;
    let mut feed = open_feed(&settings, &group).await?;
    let mut came = positions(&receive(&mut feed, 60).await?);
    came.sort_unstable();
    assert_eq!(came, (301..=360).collect::<Vec<_>>());
    feed.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_said_to_be_applied_comes_again() -> anyhow::Result<()> {
    let (settings, group) = (settings(), unique("group"));
    let publisher = KafkaPublisher::open(&settings).await?;
    publisher.publish(Log::new(&settings).append(30, 30)).await?;
    let mut feed = open_feed(&settings, &group).await?;
    while positions(&feed.next(MESSAGES_MAX).await?).is_empty() {}
    feed.close().await;

    let mut feed = open_feed(&settings, &group).await?;
    let mut came = positions(&receive(&mut feed, 30).await?);
    came.sort_unstable();
    assert_eq!(came, (1..=30).collect::<Vec<_>>());
    feed.close().await;
    Ok(())
}
