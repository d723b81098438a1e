use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};

use super::*;

fn context(group: &str) -> Context {
    Context {
        topic: "praxis.test".to_owned(),
        group: group.to_owned(),
        assignment: Mutex::default(),
    }
}

/// Gauges as scraped, in order.
fn gauges(recorder: &PrometheusRecorder) -> Vec<String> {
    let rendered = recorder.handle().render();
    let mut gauges: Vec<String> = rendered
        .lines()
        .filter(|line| line.starts_with("praxis_"))
        .map(str::to_owned)
        .collect();
    gauges.sort();
    gauges
}

#[test]
fn each_group_tells_its_own_lag() {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        let (old, new) = (context("views-1"), context("views-2"));
        old.note_assigned(vec![0, 1]);
        new.note_assigned(vec![0]);
        old.note_lags([(0, 0), (1, 2)].into_iter());
        new.note_lags([(0, 7_000)].into_iter());
    });
    assert_eq!(
        gauges(&recorder),
        [
            r#"praxis_feed_partitions_assigned{group="views-1"} 2"#,
            r#"praxis_feed_partitions_assigned{group="views-2"} 1"#,
            r#"praxis_kafka_consumer_lag_messages{group="views-1",partition="0"} 0"#,
            r#"praxis_kafka_consumer_lag_messages{group="views-1",partition="1"} 2"#,
            r#"praxis_kafka_consumer_lag_messages{group="views-2",partition="0"} 7000"#,
        ]
    );
}

#[test]
fn a_partition_that_was_taken_away_has_no_lag_any_more() {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        let member = context("views-1");
        member.note_assigned(vec![0, 1]);
        member.note_lags([(0, 5), (1, 9), (-1, 3)].into_iter());
        member.note_revoked(vec![1]);
        // What librdkafka counted before.
        member.note_lags([(0, 4), (1, 9)].into_iter());
        assert_eq!(member.assignment().revoked, [1]);
    });
    assert_eq!(
        gauges(&recorder),
        [
            r#"praxis_feed_partitions_assigned{group="views-1"} 1"#,
            r#"praxis_kafka_consumer_lag_messages{group="views-1",partition="0"} 4"#,
            r#"praxis_kafka_consumer_lag_messages{group="views-1",partition="1"} 0"#,
        ]
    );
}
