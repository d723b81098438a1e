//! How is a router served on an address, and stopped without cutting requests off?

mod connection;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use http::{HeaderValue, header};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Connections held at once by one listener, if the process may open so many files: the rest wait to be accepted.
const CONNECTIONS_MAX: u64 = 16_384;

/// A listener gets this part of the files the process may open, so that two of them leave some for databases.
const FILES_SHARE: u64 = 4;

/// Most connections taken from a listener that closes; the system holds no more of them (Linux: `somaxconn`).
const WAITING_MAX: usize = 4_096;

/// How long accepting pauses when the process can open no more files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why serving ended other than by request.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The address could not be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Requests were still under way when the grace had passed; they were cut off.
    #[error("requests were still under way after {0:?}")]
    GraceOver(Duration),
}

/// A listener on that address; port 0 takes a free one, told by its `local_addr`.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Bind { address, source })
}

/// The router, whose answers end their connections once the process is leaving: a gateway that keeps connections open
/// then has none left when the listener closes, and no request of its meets a connection that is just closing.
pub fn closing(router: Router, leaving: CancellationToken) -> Router {
    router.layer(map_response(move |mut response: Response| {
        let leaving = leaving.is_cancelled();
        async move {
            if leaving {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            response
        }
    }))
}

/// Serves until `stop` is cancelled, then takes no new connection and waits at most `grace` for requests under way.
/// A connection that has sent no whole request is not waited for.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    grace: Duration,
) -> Result<(), ServeError> {
    let places = Arc::new(Semaphore::new(connections_max()));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, place)) = accepted else { continue };
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move {
            connection::serve(stream, router, stop).await;
            drop(place);
        });
    }
    for stream in waiting(listener) {
        connections.spawn(connection::serve(stream, router.clone(), stop.clone()));
    }
    let finish = async { while connections.join_next().await.is_some() {} };
    tokio::time::timeout(grace, finish)
        .await
        .map_err(|_| ServeError::GraceOver(grace))
}

/// Closes the listener, and gives the connections that the system had taken for it: closing would reset them, and with
/// them requests that were sent already.
fn waiting(listener: TcpListener) -> Vec<TcpStream> {
    let mut waiting = Vec::new();
    let Ok(listener) = listener.into_std() else {
        return waiting;
    };
    while waiting.len() < WAITING_MAX {
        let Ok((stream, _)) = listener.accept() else { break };
        let taken = stream
            .set_nonblocking(true)
            .and_then(|()| TcpStream::from_std(stream));
        waiting.extend(taken.ok());
    }
    waiting
}

/// The next connection and its place among those held; `None` if it was gone before it came.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) if is_of_one_connection(&error) => None,
        Err(error) => {
            tracing::warn!(%error, "cannot accept connections");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// How many connections a listener holds, after raising the limit on open files as far as this process may.
fn connections_max() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = CONNECTIONS_MAX.saturating_mul(FILES_SHARE);
    let raised = limit.maximum.map_or(wanted, |most| most.min(wanted));
    let before = limit.current.unwrap_or(wanted);
    let raise = Rlimit {
        current: Some(raised),
        maximum: limit.maximum,
    };
    let files = if before < raised && setrlimit(Resource::Nofile, raise).is_ok() {
        raised
    } else {
        before
    };
    usize::try_from((files / FILES_SHARE).clamp(1, CONNECTIONS_MAX)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;

    use super::*;

    /// Far more than any test here takes.
    const HANG: Duration = Duration::from_secs(30);

    /// Sends a request and gives the connection, its answer unread.
    async fn ask(address: SocketAddr, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn answer(mut stream: TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    /// A route that says when it has begun, and ends when told to.
    fn router(begun: &Arc<Notify>, finish: &Arc<Notify>) -> Router {
        let (begun, finish) = (Arc::clone(begun), Arc::clone(finish));
        let wait = move || async move {
            begun.notify_one();
            finish.notified().await;
            "done"
        };
        Router::new().route("/wait", get(wait))
    }

    #[tokio::test]
    async fn a_request_under_way_is_finished_after_the_stop() {
        let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = serve(
            listener,
            router(&begun, &finish),
            stop.clone(),
            Duration::from_secs(30),
        );
        let calling = async {
            let stream = ask(address, "/wait").await;
            begun.notified().await;
            stop.cancel();
            finish.notify_one();
            answer(stream).await
        };
        let (served, text) = tokio::join!(serving, calling);
        assert!(text.ends_with("done"), "{text}");
        assert!(served.is_ok(), "{served:?}");
    }

    #[tokio::test]
    async fn a_request_that_outlives_the_grace_is_cut_off_and_said_so() {
        let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = serve(
            listener,
            router(&begun, &finish),
            stop.clone(),
            Duration::from_millis(10),
        );
        let calling = async {
            let stream = ask(address, "/wait").await;
            begun.notified().await;
            stop.cancel();
            stream
        };
        let (served, _stream) = tokio::join!(serving, calling);
        assert!(matches!(served, Err(ServeError::GraceOver(_))), "{served:?}");
    }

    #[tokio::test]
    async fn a_half_sent_request_does_not_hold_up_the_stop() {
        let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let grace = Duration::from_secs(30);
        let serving = serve(listener, router(&begun, &finish), stop.clone(), grace);
        let calling = async {
            let silent = TcpStream::connect(address).await.unwrap();
            let mut half = TcpStream::connect(address).await.unwrap();
            half.write_all(b"GET /wait HTTP/1.1\r\nhost:").await.unwrap();
            let _under_way = ask(address, "/wait").await;
            begun.notified().await;
            stop.cancel();
            finish.notify_one();
            (silent, half)
        };
        let began = tokio::time::Instant::now();
        let (served, _connections) = tokio::join!(serving, calling);
        assert!(served.is_ok() && began.elapsed() < grace / 2, "{served:?}");
    }

    #[tokio::test]
    async fn connections_past_the_limit_wait_for_a_place() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let places = Arc::new(Semaphore::new(1));
        let (_first, _second) = (
            TcpStream::connect(address).await.unwrap(),
            TcpStream::connect(address).await.unwrap(),
        );
        let held = accept(&listener, &places).await.unwrap();
        assert!(
            tokio::time::timeout(Duration::from_millis(50), accept(&listener, &places))
                .await
                .is_err()
        );
        drop(held);
        assert!(accept(&listener, &places).await.is_some());
    }

    /// What gateways have seen so far: a place for each that was answered first, and for each that was told to close.
    struct Seen {
        kept: Semaphore,
        closed: Semaphore,
    }

    /// Calls as a gateway does that keeps a connection and opens another when that was ended, until none is taken. What
    /// fails after it was sent is a failure.
    async fn gateway(address: SocketAddr, seen: Arc<Seen>) {
        let (mut is_first, mut is_told) = (true, false);
        while let Ok(mut stream) = TcpStream::connect(address).await {
            loop {
                let request = b"POST /quick HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
                stream.write_all(request).await.unwrap();
                let mut answer = Vec::new();
                while !answer.ends_with(b"done") {
                    assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "cut off");
                }
                let closes = answer.windows(17).any(|text| text == b"connection: close");
                if std::mem::take(&mut is_first) {
                    assert!(!closes, "nobody leaves yet");
                    seen.kept.add_permits(1);
                }
                if closes {
                    if !std::mem::replace(&mut is_told, true) {
                        seen.closed.add_permits(1);
                    }
                    break;
                }
            }
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn callers_behind_a_gateway_notice_nothing_of_a_stop() {
        const GATEWAYS: u32 = 32;
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (leaving, stop) = (CancellationToken::new(), CancellationToken::new());
        let router = Router::new().route("/quick", post(|| async { "done" }));
        let router = closing(router, leaving.clone());
        let mut tasks = JoinSet::new();
        let serving = serve(listener, router, stop.clone(), HANG);
        tasks.spawn(async move { serving.await.unwrap() });
        let seen = Arc::new(Seen {
            kept: Semaphore::new(0),
            closed: Semaphore::new(0),
        });
        for _ in 0..GATEWAYS {
            tasks.spawn(gateway(address, Arc::clone(&seen)));
        }
        let stopping = async {
            let _all_call = seen.kept.acquire_many(GATEWAYS).await.unwrap();
            leaving.cancel();
            let _all_know = seen.closed.acquire_many(GATEWAYS).await.unwrap();
            stop.cancel();
            tasks.join_all().await
        };
        tokio::time::timeout(HANG, stopping).await.unwrap();
    }

    #[tokio::test]
    async fn an_address_in_use_is_named() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let error = bind(address).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {address}"));
    }
}
