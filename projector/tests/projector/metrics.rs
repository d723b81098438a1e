//! What a projector lets its operators see, in just those hours when they need it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use praxis_projector::project::Projection;
use praxis_testkit::history::history;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::World;
use crate::support::feeds::ScriptedFeed;
use crate::support::log::MemoryLog;

const LEN: usize = 400;
const END: u64 = 400;
const SOME_TIME: Duration = Duration::from_secs(5);

fn world(partitions: u32) -> World {
    World::new(MemoryLog::of(&history(5, LEN)), partitions)
}

fn read(recorder: &PrometheusRecorder, name: &str) -> Option<f64> {
    let rendered = recorder.handle().render();
    rendered
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

fn lag(recorder: &PrometheusRecorder, partition: u32) -> Option<f64> {
    let labels = format!(r#"{{generation="1",partition="{partition}"}}"#);
    read(recorder, &format!("praxis_projection_lag_events{labels}"))
}

fn delays(recorder: &PrometheusRecorder) -> Option<f64> {
    read(
        recorder,
        r#"praxis_projection_delay_seconds_count{generation="1"}"#,
    )
}

async fn run_for_some_time(projection: &Projection, feed: &mut ScriptedFeed) {
    let stop = CancellationToken::new();
    timeout(SOME_TIME, projection.run(feed, &stop))
        .await
        .expect_err("it goes on");
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_brings_nothing_shows_as_lag() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _collecting = metrics::set_default_local_recorder(&recorder);
    let world = world(3);
    let (projection, _moved) = world.projection();
    run_for_some_time(&projection, &mut ScriptedFeed::of([], Vec::new())).await;
    for partition in 0..3 {
        assert_eq!(lag(&recorder, partition), Some(400.0));
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_take_nothing_show_as_lag() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _collecting = metrics::set_default_local_recorder(&recorder);
    let world = world(1);
    let messages = world.relayed(&world.log.stored());
    world.views.lost_commits.store(u32::MAX, Ordering::SeqCst);
    let (projection, _moved) = world.projection();
    run_for_some_time(&projection, &mut ScriptedFeed::of([messages], Vec::new())).await;
    assert_eq!(lag(&recorder, 0), Some(400.0));
}

#[tokio::test(start_paused = true)]
async fn the_last_lag_known_is_told_while_the_log_does_not_answer() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _collecting = metrics::set_default_local_recorder(&recorder);
    let world = world(1);
    let (projection, _moved) = world.projection();
    run_for_some_time(&projection, &mut ScriptedFeed::of([], Vec::new())).await;
    world.log.failures.store(u32::MAX, Ordering::SeqCst);
    run_for_some_time(&projection, &mut ScriptedFeed::of([], Vec::new())).await;
    assert_eq!(lag(&recorder, 0), Some(400.0));
}

#[tokio::test(start_paused = true)]
async fn rows_that_are_filled_no_longer_have_no_lag() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _collecting = metrics::set_default_local_recorder(&recorder);
    let world = world(2);
    let (projection, _moved) = world.projection();
    let mut feed = ScriptedFeed::of([], Vec::new());
    run_for_some_time(&projection, &mut feed).await;
    assert_eq!(lag(&recorder, 1), Some(400.0));
    let stop = CancellationToken::new();
    stop.cancel();
    projection
        .run(&mut feed, &stop)
        .await
        .expect("it was told to stop");
    assert_eq!((lag(&recorder, 0), lag(&recorder, 1)), (Some(0.0), Some(0.0)));
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_that_of_an_event_and_not_of_its_repetitions() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _collecting = metrics::set_default_local_recorder(&recorder);
    let world = world(3);
    let messages = world.relayed(&world.log.stored());
    let again = [messages.clone(), messages[100..300].to_vec(), messages];
    let (projection, moved) = world.projection();
    run_for_some_time(&projection, &mut ScriptedFeed::of(again, Vec::new())).await;
    assert_eq!(*moved.borrow(), END);
    assert_eq!(delays(&recorder), Some(400.0));
}

#[tokio::test(start_paused = true)]
async fn events_read_from_the_log_have_a_delay_too() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _collecting = metrics::set_default_local_recorder(&recorder);
    let world = world(3);
    let mut heartbeat = world.relayed(&world.log.stored());
    heartbeat.drain(..LEN);
    let (projection, moved) = world.projection();
    run_for_some_time(&projection, &mut ScriptedFeed::of([heartbeat], Vec::new())).await;
    assert_eq!(*moved.borrow(), END);
    assert_eq!(delays(&recorder), Some(400.0));
}
