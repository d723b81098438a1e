//! Does a process get its telemetry, once? A test of its own process, since logs and metrics are global.

use praxis_runtime::config::values::{CollectorUrl, LogFilter, LogFormat};
use praxis_runtime::tasks::Tasks;
use praxis_runtime::telemetry::{Options, Telemetry, TelemetryError};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telemetry_starts_once_counts_and_ends_though_the_collector_is_away() {
    let options = Options {
        program: "praxis-test",
        version: "0.0.1 (0123456789ab)",
        filter: LogFilter("warn".to_owned()),
        format: LogFormat::Json,
        // Port 9 (discard) answers nobody: a collector that is away must not keep a process from stopping.
        collector: Some(CollectorUrl("http://127.0.0.1:9".to_owned())),
    };
    let telemetry = Telemetry::start(&options).unwrap();
    assert!(matches!(Telemetry::start(&options), Err(TelemetryError::Logs(_))));

    tracing::info_span!("request", trace_id = "4bf92f3577b34da6a3ce929d0e0e4736").in_scope(|| ());
    metrics::counter!("praxis_test_total").increment(3);
    let rendered = telemetry.render();
    for told in [
        r#"praxis_build_info{component="praxis-test",version="0.0.1",commit="0123456789ab"} 1"#,
        "process_open_fds ",
        "process_resident_memory_bytes ",
        "process_cpu_seconds_total ",
        "process_start_time_seconds ",
    ] {
        assert!(rendered.contains(told), "{told} is not in\n{rendered}");
    }
    assert!(
        telemetry.render().contains("praxis_test_total 3"),
        "{}",
        telemetry.render()
    );

    let tasks = Tasks::new();
    tasks.spawn("telemetry", telemetry.clone().keep_up(tasks.stop().clone()));
    tasks.stop().cancel();
    assert!(tasks.wait(std::time::Duration::from_secs(30)).await.is_ok());
    tokio::task::spawn_blocking(move || telemetry.flush())
        .await
        .unwrap();
}
