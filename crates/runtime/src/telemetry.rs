//! How does a process tell what it does: logs, metrics, traces?

pub mod logs;
pub mod otlp;
pub mod prometheus;
pub mod spans;

use std::time::Duration;

use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::config::values::{CollectorUrl, LogFilter, LogFormat};

/// How often samples of histograms are folded into their buckets, whether or not somebody scrapes.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// What telemetry is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program's name, as traces show it.
    pub program: &'static str,
    /// The version and, in brackets, the commit it was built from.
    pub version: &'static str,
    /// Which log lines are written.
    pub filter: LogFilter,
    /// Their form.
    pub format: LogFormat,
    /// Where traces are sent; nowhere if absent.
    pub collector: Option<CollectorUrl>,
}

/// Telemetry could not be started.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The log filter cannot be read.
    #[error("the log filter cannot be read")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// Something else in this process writes logs already.
    #[error("logs are written already")]
    Logs(#[source] TryInitError),
    /// Something else in this process counts already.
    #[error("metrics are recorded already")]
    Metrics,
    /// The exporter of traces cannot be made.
    #[error("the exporter of traces cannot be made")]
    Traces(#[source] otlp::OtlpError),
}

/// The telemetry of a process; started once, at the beginning of `main`, inside the runtime.
#[derive(Clone, Debug)]
pub struct Telemetry {
    metrics: prometheus::Metrics,
    traces: Option<spans::Exporter>,
}

impl Telemetry {
    /// Starts logs on standard error, metrics in memory, and traces if there is a collector; sets the panic hook.
    pub fn start(options: &Options) -> Result<Self, TelemetryError> {
        let filter = logs::filter(&options.filter).map_err(TelemetryError::Filter)?;
        let traces = match &options.collector {
            Some(collector) => {
                Some(otlp::exporter(options.program, collector).map_err(TelemetryError::Traces)?)
            }
            None => None,
        };
        // Each layer has its filter: fewer log lines must not mean fewer traces.
        let spans = traces
            .clone()
            .map(|traces| spans::layer(traces).with_filter(LevelFilter::INFO));
        let lines = logs::layer(options.format, std::io::stderr).with_filter(filter);
        let layers = Registry::default().with(lines).with(spans);
        layers.try_init().map_err(TelemetryError::Logs)?;
        logs::set_panic_hook();
        let metrics = prometheus::Metrics::install().map_err(|_| TelemetryError::Metrics)?;
        build_info(options.program, options.version);
        Ok(Self { metrics, traces })
    }

    /// The metrics as Prometheus reads them.
    pub fn render(&self) -> String {
        self.metrics.render()
    }

    /// Keeps the memory of metrics bounded while nobody scrapes; runs until stopped.
    pub async fn keep_up(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(UPKEEP_EVERY);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.metrics.keep_up();
        }
        Ok(())
    }

    /// Sends what spans still wait; blocks for at most a few seconds. Call last, on a thread that may block.
    pub fn flush(&self) {
        if let Some(traces) = &self.traces {
            traces.shut_down();
        }
    }
}

/// Always 1; its labels say what runs here.
fn build_info(component: &'static str, version: &'static str) {
    let (version, commit) = version.split_once(' ').unwrap_or((version, ""));
    let commit = commit.trim_start_matches('(').trim_end_matches(')');
    metrics::gauge!("praxis_build_info", "component" => component, "version" => version, "commit" => commit)
        .set(1.0);
}
