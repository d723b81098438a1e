//! What do the counters, gauges and histograms of this process say?

use metrics::SetRecorderError;
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use metrics_process::Collector;
use thiserror::Error;

/// Upper bounds of durations, seconds: from an append's tenth of a millisecond to a rebuild's minute.
const SECONDS: &[f64] = &[
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    30.0, 60.0,
];
/// Upper bounds of sizes, bytes.
const BYTES: &[f64] = &[
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
];
/// Upper bounds of counts, such as members of a batch.
const COUNTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];

/// Metrics cannot be recorded.
#[derive(Debug, Error)]
pub enum MetricsError {
    /// A list of bounds is empty.
    #[error("a histogram has no bounds")]
    Bounds(#[from] BuildError),
    /// Another recorder is in place.
    #[error("metrics are recorded already")]
    Taken(#[from] SetRecorderError<PrometheusRecorder>),
}

/// The metrics of a process. Histograms are told apart by the unit at the end of their names.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// Records the metrics of this process from now on.
    pub fn install() -> Result<Self, MetricsError> {
        let recorder = recorder()?;
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder)?;
        Ok(Self { handle })
    }

    /// The metrics in Prometheus' text form, with those of the process as it is now.
    pub fn render(&self) -> String {
        Collector::default().collect();
        self.handle.render()
    }

    /// Folds samples into buckets.
    pub fn keep_up(&self) {
        self.handle.run_upkeep();
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let builder = PrometheusBuilder::new()
        .set_buckets(COUNTS)?
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), BYTES)?;
    Ok(builder.build_recorder())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_have_buckets_of_their_unit() {
        let recorder = recorder().unwrap();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("praxis_append_duration_seconds").record(0.003);
            metrics::histogram!("praxis_event_size_bytes").record(300.0);
            metrics::histogram!("praxis_batch_members").record(3.0);
            metrics::counter!("praxis_appends_total", "outcome" => "accepted").increment(2);
        });
        let text = recorder.handle().render();
        for line in [
            r#"praxis_append_duration_seconds_bucket{le="0.0025"} 0"#,
            r#"praxis_append_duration_seconds_bucket{le="0.005"} 1"#,
            r#"praxis_event_size_bytes_bucket{le="1024"} 1"#,
            r#"praxis_batch_members_bucket{le="4"} 1"#,
            r#"praxis_appends_total{outcome="accepted"} 2"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn bounds_rise() {
        for bounds in [SECONDS, BYTES, COUNTS] {
            assert!(bounds.is_sorted_by(|lower, upper| lower < upper));
        }
    }
}
