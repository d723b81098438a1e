//! How is one connection served, and when is it let go?

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// How long a connection may take to send a request's head, and stay idle between two. Longer than the minute for which
/// common gateways keep theirs, so that it is they who close first and no request meets a closing connection.
const HEAD_MAX: Duration = Duration::from_secs(75);

/// How long a connection may go on without a request under way once the server is to stop: time to flush an answer, none
/// to wait for the rest of a half-sent head.
const LINGER: Duration = Duration::from_secs(1);

/// Serves a connection's requests until it ends; after the stop only the one under way.
pub(super) async fn serve(stream: TcpStream, router: Router, stop: CancellationToken) {
    // Without it a small answer can wait 40 ms for the peer's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "tcp_nodelay could not be set");
    }
    let under_way = Arc::new(());
    let begun = Notify::new();
    let answer = service_fn(|request: Request<Incoming>| {
        begun.notify_one();
        let (router, held) = (router.clone(), Arc::clone(&under_way));
        async move {
            let answered = router.oneshot(request.map(Body::new)).await;
            answered.map(|response| response.map(|body| Held { body, _held: held }))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return log(ended),
        () = stop.cancelled() => {}
    }
    // The first request of a new connection may be on its way, and would meet a closed one.
    tokio::select! {
        ended = connection.as_mut() => return log(ended),
        () = begun.notified() => {}
        () = tokio::time::sleep(LINGER) => {}
    }
    connection.as_mut().graceful_shutdown();
    loop {
        tokio::select! {
            ended = connection.as_mut() => return log(ended),
            () = tokio::time::sleep(LINGER) => {}
        }
        if Arc::strong_count(&under_way) == 1 {
            return tracing::debug!("connection without a request cut off");
        }
    }
}

/// An answer's body, which tells by what it holds that it is not sent yet.
struct Held {
    body: Body,
    _held: Arc<()>,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A peer that goes away is its own affair.
fn log(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}
