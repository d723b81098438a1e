//! How many requests come, how long do they take, how many are under way?

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use crate::context::{method_of, route_of};

/// Counts and times a request by route template, method and status, and logs one line about it.
pub async fn observe(request: Request, next: Next) -> Response {
    let route = route_of(&request);
    let method = method_of(&request);
    let started = Instant::now();
    let under_way = UnderWay::enter();
    let response = next.run(request).await;
    drop(under_way);
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    let labels = [
        ("route", route),
        ("method", method.to_owned()),
        ("status", status.to_string()),
    ];
    metrics::counter!("praxis_http_requests_total", &labels).increment(1);
    metrics::histogram!("praxis_http_request_duration_seconds", &labels).record(elapsed);
    tracing::Span::current().record("status", status);
    let duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    if response.status().is_server_error() {
        tracing::warn!(target: "praxis::request", duration_us, "request failed");
    } else {
        tracing::info!(target: "praxis::request", duration_us, "request served");
    }
    response
}

/// Counts one request under way until dropped, also when the caller goes away and the future is dropped midway.
struct UnderWay;

impl UnderWay {
    fn enter() -> Self {
        metrics::gauge!("praxis_http_requests_under_way").increment(1);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        metrics::gauge!("praxis_http_requests_under_way").decrement(1);
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tower::ServiceExt as _;

    use super::*;

    #[test]
    fn requests_are_counted_by_template_and_never_by_path() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        metrics::with_local_recorder(&recorder, || {
            runtime.block_on(async {
                let router = Router::new()
                    .route("/patients/{id}", get(|| async {}))
                    .layer(from_fn(observe));
                for (method, path) in [("GET", "/patients/Marker"), ("BREW", "/Marker")] {
                    let request = Request::builder()
                        .method(method)
                        .uri(path)
                        .body(Body::empty())
                        .unwrap();
                    router.clone().oneshot(request).await.unwrap();
                }
            });
        });
        let text = recorder.handle().render();
        let served = r#"praxis_http_requests_total{route="/patients/{id}",method="GET",status="200"} 1"#;
        let unmatched = r#"praxis_http_requests_total{route="unmatched",method="OTHER",status="404"} 1"#;
        assert!(text.contains(served) && text.contains(unmatched), "{text}");
        assert!(
            text.contains("praxis_http_request_duration_seconds") && !text.contains("Marker"),
            "{text}"
        );
        assert!(text.contains("praxis_http_requests_under_way 0"), "{text}");
    }
}
