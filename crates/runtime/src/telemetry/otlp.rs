//! How do spans get to a collector (OTLP over HTTP, protobuf)?
//!
//! The exporter runs on a thread of its own. Its HTTP client is given here, without TLS, so that traces bring no second
//! TLS stack into the binaries; a collector is an agent on the host or in the cluster.

use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanProcessor as _};
use thiserror::Error;
use tokio::runtime::{Handle, TryCurrentError};
use tokio_util::context::TokioContext;

use super::spans::Exporter;
use crate::config::values::CollectorUrl;

/// Longest wait for a collector's answer.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// The exporter of traces cannot be made.
#[derive(Debug, Error)]
pub enum OtlpError {
    /// No runtime drives the connections.
    #[error("no runtime drives the exporter's connections")]
    NoRuntime(#[from] TryCurrentError),
    /// The HTTP client cannot be made.
    #[error("the exporter's http client cannot be made")]
    Client(#[from] reqwest::Error),
    /// The exporter refuses its settings.
    #[error("the exporter refuses its settings")]
    Exporter(#[from] ExporterBuildError),
}

/// An exporter that sends the spans of that program to that collector, in batches; must be called inside a runtime.
pub fn exporter(program: &'static str, collector: &CollectorUrl) -> Result<Exporter, OtlpError> {
    let client = Client {
        http: reqwest::Client::builder()
            .timeout(EXPORT_TIMEOUT)
            .no_proxy()
            .build()?,
        runtime: Handle::try_current()?,
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(EXPORT_TIMEOUT)
        .with_endpoint(format!("{}/v1/traces", collector.0))
        .build()?;
    let mut processor = BatchSpanProcessor::builder(exporter).build();
    processor.set_resource(&Resource::builder_empty().with_service_name(program).build());
    Ok(Exporter::new(processor))
}

/// The client asks the main runtime to drive its connections: the exporter's own thread has none.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let http = self.http.clone();
        let exchange = async move {
            let response = http.execute(request).await?;
            let status = response.status();
            Ok::<_, reqwest::Error>((status, response.bytes().await?))
        };
        let (status, body) = TokioContext::new(exchange, self.runtime.clone()).await?;
        Ok(Response::builder().status(status).body(body)?)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::telemetry::spans;

    const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    /// One request, head and body, answered with 200.
    fn receive(mut stream: TcpStream) -> (String, Vec<u8>) {
        let mut received = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let count = stream.read(&mut chunk).unwrap();
            received.extend_from_slice(&chunk[..count]);
            let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = String::from_utf8(received[..end].to_vec())
                .unwrap()
                .to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            let body_end = end + 4 + length.parse::<usize>().unwrap();
            if received.len() >= body_end {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    .unwrap();
                return (head, received[end + 4..body_end].to_vec());
            }
        }
    }

    fn contains(body: &[u8], part: &[u8]) -> bool {
        body.windows(part.len()).any(|window| window == part)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn spans_arrive_at_the_collector_with_the_ids_our_own_logs_carry() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let collector = CollectorUrl(format!("http://{}", listener.local_addr().unwrap()));
        let received = thread::spawn(move || receive(listener.accept().unwrap().0));
        let exporter = exporter("praxis-test", &collector).unwrap();
        let layers = Registry::default().with(spans::layer(exporter.clone()));
        tracing::subscriber::with_default(layers, || {
            let span = tracing::info_span!("request", trace_id = TRACE_ID, span_id = "00f067aa0ba902b7");
            span.in_scope(|| tracing::info_span!("append", position = 7).in_scope(|| ()));
        });
        tokio::task::spawn_blocking(move || exporter.shut_down())
            .await
            .unwrap();
        let (head, body) = received.join().unwrap();
        assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        let trace_id = u128::from_str_radix(TRACE_ID, 16).unwrap().to_be_bytes();
        for part in [&trace_id[..], b"request", b"append", b"position", b"praxis-test"] {
            assert!(contains(&body, part), "the body lacks {part:?}");
        }
    }

    #[test]
    fn outside_a_runtime_there_is_no_exporter() {
        let collector = CollectorUrl("http://127.0.0.1:1".to_owned());
        assert!(matches!(
            exporter("praxis-test", &collector),
            Err(OtlpError::NoRuntime(_))
        ));
    }
}
