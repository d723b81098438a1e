//! Relays over a log, a lease and a broker in memory, on a clock that moves only when all wait.

use std::collections::BTreeSet;

use praxis_event_store::bus::{BusContent, BusMessage};
use praxis_event_store::record::frontier::Frontier;
use tokio::time::timeout;

use super::publish::POLL_PERIOD;
use super::*;

mod fakes;
mod observed;

use fakes::{Cluster, Trouble, drive, relay};
use observed::{Gauges, Roots};

/// Until everything is published, or the clock says that it never will be.
async fn published(cluster: &Cluster, position: u64) {
    let all = timeout(Duration::from_mins(10), async {
        while cluster.stored().position < position {
            sleep(Duration::from_millis(5)).await;
        }
    });
    all.await.expect("all is published within ten minutes");
}

fn event_positions(messages: &[BusMessage]) -> Vec<u64> {
    let event = |message: &&BusMessage| matches!(message.content, BusContent::Event(_));
    messages.iter().filter(event).map(BusMessage::position).collect()
}

/// What a consumer at the beginning makes of a partition by the rule: the events it applied. A gap is a failure.
fn applied_without_gap(messages: &[BusMessage]) -> Vec<u64> {
    let (mut checkpoint, mut applied) = (0, Vec::new());
    for message in messages {
        if message.position() > checkpoint {
            assert!(
                message.prev <= checkpoint,
                "{} after {checkpoint} has prev {}",
                message.position(),
                message.prev
            );
            checkpoint = message.position();
            if let BusContent::Event(event) = &message.content {
                applied.push(event.position);
            }
        }
    }
    applied
}

/// Every partition shows every event of its streams, first occurrences in order, and the rule finds no gap.
fn assert_complete(cluster: &Cluster) {
    let log = cluster.positions_by_partition();
    let topic = cluster.topic();
    assert!(log.keys().eq(topic.keys()), "every partition has messages");
    for (partition, messages) in &topic {
        let mut seen = BTreeSet::new();
        let mut firsts = event_positions(messages);
        firsts.retain(|position| seen.insert(*position));
        let expected = log[partition].clone();
        assert_eq!(firsts, expected, "first occurrences in partition {partition}");
        assert_eq!(
            applied_without_gap(messages),
            expected,
            "applied from partition {partition}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn each_message_names_the_event_before_it_in_its_partition() {
    let cluster = Cluster::default();
    cluster.append(2_500, 40);
    drive([relay(&cluster, 1)], published(&cluster, 2_500)).await;

    for (partition, messages) in &cluster.topic() {
        let log = &cluster.positions_by_partition()[partition];
        let before = |position: u64| {
            log.iter()
                .copied()
                .filter(|other| *other < position)
                .max()
                .unwrap_or(0)
        };
        for message in messages {
            match &message.content {
                BusContent::Event(event) => assert_eq!(message.prev, before(event.position)),
                BusContent::Watermark { position, leaf_hash } => {
                    assert_eq!(message.prev, before(position + 1));
                    assert_eq!(*leaf_hash, cluster.leaf_hash(*position));
                }
            }
        }
    }
    assert_complete(&cluster);
}

#[tokio::test(start_paused = true)]
async fn every_batch_and_every_idle_second_ends_with_a_watermark_for_each_partition() {
    let cluster = Cluster::default();
    cluster.append(3, 3);
    drive([relay(&cluster, 1)], async {
        published(&cluster, 3).await;
        sleep(Duration::from_millis(2_100)).await;
    })
    .await;
    assert_eq!(cluster.topic().len(), 12);
    for messages in cluster.topic().values() {
        let marks = messages
            .iter()
            .filter(|message| matches!(message.content, BusContent::Watermark { .. }));
        assert_eq!(marks.map(BusMessage::position).collect::<Vec<_>>(), [3, 3, 3]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_append_of_this_process_is_published_at_once_and_anothers_within_the_poll_period() {
    let cluster = Cluster::default();
    drive([relay(&cluster, 1)], async {
        sleep(Duration::from_secs(3)).await;
        for wakes in [true, false] {
            let started = Instant::now();
            let position = if wakes {
                cluster.append(1, 1)
            } else {
                cluster.append_elsewhere(1, 1)
            };
            while cluster.stored().position < position {
                tokio::task::yield_now().await;
                if !wakes {
                    sleep(Duration::from_millis(1)).await;
                }
            }
            let delay_max = if wakes {
                Duration::ZERO
            } else {
                POLL_PERIOD + Duration::from_millis(2)
            };
            assert!(started.elapsed() <= delay_max, "{:?}", started.elapsed());
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_closed_wake_up_channel_does_not_make_the_relay_spin() {
    let cluster = Cluster::default();
    let relay = relay(&cluster, 1);
    cluster.close_wake_ups();
    drive([relay], async {
        sleep(Duration::from_secs(2)).await;
        let before = cluster.heads_asked();
        sleep(Duration::from_secs(1)).await;
        let asked = cluster.heads_asked() - before;
        assert!(
            (20..=60).contains(&asked),
            "{asked} looks at the head in a second"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_sleeps_through_its_lease_does_no_harm_when_it_wakes() {
    let cluster = Cluster::default();
    cluster.append(10, 5);
    drive([relay(&cluster, 1), relay(&cluster, 2)], async {
        published(&cluster, 10).await;
        let leader = cluster.leader();
        cluster.next_publish(leader, Trouble::Sleeps(Duration::from_secs(20)));
        cluster.append(50, 5);
        published(&cluster, 60).await;
        assert_ne!(cluster.leader(), leader, "the other took over");
        cluster.append(50, 5);
        published(&cluster, 110).await;
        // The late batch arrives, behind what the other sent long ago.
        sleep(Duration::from_secs(30)).await;
    })
    .await;
    let total: usize = cluster
        .topic()
        .values()
        .map(|messages| event_positions(messages).len())
        .sum();
    assert!(
        total > 110,
        "the late batch repeats events, and only {total} came"
    );
    assert_eq!(cluster.stored().position, 110);
    assert_complete(&cluster);
}

#[tokio::test(start_paused = true)]
async fn a_failed_delivery_discards_the_publisher_and_begins_again_from_the_stored_position() {
    let cluster = Cluster::default();
    cluster.append(30, 5);
    cluster.next_publish(Uuid::from_u128(1), Trouble::Fails { arriving: 17 });
    drive([relay(&cluster, 1)], published(&cluster, 30)).await;
    assert_eq!(cluster.publishers_opened(), 2);
    let total: usize = cluster
        .topic()
        .values()
        .map(|messages| event_positions(messages).len())
        .sum();
    assert!(total > 30, "what arrived before the failure is sent again");
    assert_complete(&cluster);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_know_the_partitions_says_the_position_before() {
    let cluster = Cluster::default();
    cluster.append(20, 5);
    drive([relay(&cluster, 1)], published(&cluster, 20)).await;
    cluster.forget_topic_and_partitions();
    cluster.append(5, 5);
    drive([relay(&cluster, 2)], published(&cluster, 25)).await;
    for messages in cluster.topic().values() {
        let mut last = None;
        for message in messages {
            match (&message.content, last) {
                (BusContent::Event(event), None) => assert_eq!(message.prev, event.position - 1),
                (BusContent::Watermark { position, .. }, None) => assert_eq!(message.prev, *position),
                (BusContent::Event(_) | BusContent::Watermark { .. }, Some(last)) => {
                    assert_eq!(message.prev, last);
                }
            }
            if let BusContent::Event(event) = &message.content {
                last = Some(event.position);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_not_use_the_log_any_more_leaves_the_lease_to_others() {
    let cluster = Cluster::default();
    cluster.append(20, 5);
    drive([relay(&cluster, 1)], async {
        published(&cluster, 20).await;
        cluster.make_log_unfit();
        sleep(Duration::from_secs(7)).await;
        let lapsed = cluster.lease(Uuid::from_u128(2), 1_000).await;
        assert!(lapsed.is_ok_and(|lease| lease.is_some()), "another can lead");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_relay_beyond_the_head_stops_and_says_so() {
    let cluster = Cluster::default();
    cluster.append(20, 5);
    let running = tokio::time::timeout(
        Duration::from_mins(1),
        relay(&cluster, 1).run(std::future::pending()),
    );
    let (ended, before) = tokio::join!(running, async {
        published(&cluster, 20).await;
        cluster.restore_to(15);
        cluster.topic()
    });
    let mismatch = ended.expect("it ends").expect_err("by itself");
    assert_eq!(
        mismatch,
        LogMismatch::BeyondHead {
            published: 20,
            head: 15
        }
    );
    assert_eq!(
        cluster.topic(),
        before,
        "not even a watermark speaks of position 20 any more"
    );
}

/// The row was restored with the log, and the process is new: only the topic knows.
#[tokio::test(start_paused = true)]
async fn a_new_relay_stops_when_the_topic_has_what_the_log_lacks() {
    let cluster = Cluster::default();
    cluster.append(20, 5);
    drive([relay(&cluster, 1)], published(&cluster, 20)).await;
    cluster.restore_to(15);
    cluster.restore_row();
    let before = cluster.topic();
    let beyond = relay(&cluster, 2).run(std::future::pending()).await;
    assert_eq!(
        beyond,
        Err(LogMismatch::BeyondHead {
            published: 20,
            head: 15
        })
    );

    cluster.append_otherwise(10);
    let other = relay(&cluster, 3).run(std::future::pending()).await;
    assert_eq!(other, Err(LogMismatch::OtherEvent(20)));
    assert_eq!(cluster.topic(), before, "nothing is published of another history");
}

fn frontier_of(cluster: &Cluster, size: u64) -> Frontier {
    let mut frontier = Frontier::default();
    for position in 1..=size {
        frontier
            .append(position, cluster.leaf_hash(position))
            .expect("dense");
    }
    frontier
}

#[tokio::test(start_paused = true)]
async fn without_a_broker_the_frontier_is_kept_all_the_same() {
    let cluster = Cluster::default();
    cluster.append(2_500, 5);
    let mut relay = relay(&cluster, 1);
    relay.publishers = None;
    drive([relay], sleep(Duration::from_secs(5))).await;
    assert_eq!(cluster.stored().frontier, frontier_of(&cluster, 2_500).to_bytes());
    assert!(cluster.topic().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_published_is_in_the_frontier_at_once() {
    let cluster = Cluster::default();
    cluster.append(2_500, 5);
    drive([relay(&cluster, 1)], published(&cluster, 2_500)).await;
    assert_eq!(cluster.stored().frontier, frontier_of(&cluster, 2_500).to_bytes());
}

#[tokio::test(start_paused = true)]
async fn while_the_broker_is_away_the_frontier_goes_on_and_its_root_is_logged_each_minute() {
    let cluster = Cluster::default();
    let (roots, _listening) = Roots::listen();
    cluster.append(10, 5);
    drive([relay(&cluster, 1)], async {
        published(&cluster, 10).await;
        cluster.take_broker_away();
        for _ in 0..10 {
            cluster.append(100, 5);
            sleep(Duration::from_mins(1)).await;
        }
        assert_eq!(cluster.stored().position, 10, "nothing is published");
        assert_eq!(cluster.stored().frontier, frontier_of(&cluster, 1_010).to_bytes());
        cluster.bring_broker_back();
        published(&cluster, 1_010).await;
    })
    .await;
    let logged = roots.logged();
    assert!(logged.len() >= 10, "{} roots in ten minutes", logged.len());
    for (size, root) in logged {
        let root_of_size = frontier_of(&cluster, size).root();
        assert_eq!(root, root_of_size.map(|byte| format!("{byte:02x}")).concat());
    }
    assert_complete(&cluster);
}

#[tokio::test(start_paused = true)]
async fn a_minute_between_roots_goes_on_over_the_ends_of_terms() {
    let cluster = Cluster::default();
    let (roots, _listening) = Roots::listen();
    drive([relay(&cluster, 1)], async {
        for _ in 0..15 {
            sleep(Duration::from_secs(40)).await;
            cluster.end_term();
        }
    })
    .await;
    let logged = roots.logged().len();
    assert!((10..=11).contains(&logged), "{logged} roots in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn the_lag_is_told_while_the_broker_is_away_also_by_a_new_leader() {
    let cluster = Cluster::default();
    let gauges = Gauges::default();
    let _collecting = gauges.collect();
    cluster.append(10, 5);
    drive([relay(&cluster, 1)], async {
        published(&cluster, 10).await;
        cluster.take_broker_away();
        cluster.append(7, 5);
        sleep(Duration::from_secs(3)).await;
        assert_eq!(gauges.read("praxis_relay_lag_events"), Some(7.0));
    })
    .await;
    drive([relay(&cluster, 2)], async {
        cluster.append(5, 5);
        sleep(Duration::from_secs(3)).await;
        assert_eq!(gauges.read("praxis_relay_lag_events"), Some(12.0));
        cluster.bring_broker_back();
        published(&cluster, 22).await;
        sleep(Duration::from_secs(3)).await;
        assert_eq!(gauges.read("praxis_relay_lag_events"), Some(0.0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_stands_by_tells_no_lag() {
    let cluster = Cluster::default();
    let gauges = Gauges::default();
    let _collecting = gauges.collect();
    cluster.take_broker_away();
    cluster.append(7, 5);
    drive([relay(&cluster, 1)], async {
        sleep(Duration::from_secs(3)).await;
        assert_eq!(gauges.read("praxis_relay_lag_events"), Some(7.0));
        cluster.give_lease_to_another();
        sleep(Duration::from_secs(3)).await;
        assert_eq!(gauges.read("praxis_relay_lag_events"), Some(0.0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_stops_hands_over_without_waiting_for_its_lease_to_lapse() {
    let cluster = Cluster::default();
    cluster.append(1, 1);
    drive([relay(&cluster, 1)], published(&cluster, 1)).await;
    cluster.append(1, 1);
    let started = Instant::now();
    drive([relay(&cluster, 2)], published(&cluster, 2)).await;
    assert!(
        started.elapsed() < Duration::from_millis(100),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn first_occurrences_stay_in_order_whatever_befalls_three_relays() {
    for seed in 1..=60 {
        let cluster = Cluster::seeded(seed);
        drive(
            [relay(&cluster, 1), relay(&cluster, 2), relay(&cluster, 3)],
            async {
                for _ in 0..30 {
                    cluster.append_some();
                    cluster.trouble_someone();
                    sleep(cluster.some_time()).await;
                }
                cluster.end_troubles();
                published(&cluster, cluster.append(1, 1)).await;
                sleep(Duration::from_mins(1)).await;
            },
        )
        .await;
        assert_complete(&cluster);
    }
}
