//! How is a router served on an address, and stopped without cutting requests off?

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

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
    /// Accepting connections failed for good.
    #[error("serving failed")]
    Serve(#[source] io::Error),
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

/// Serves until `stop` is cancelled, then takes no new connection and waits at most `grace` for requests under way.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    grace: Duration,
) -> Result<(), ServeError> {
    // Without TCP_NODELAY a small answer can wait 40 ms for the peer's delayed acknowledgement.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "tcp_nodelay could not be set");
        }
    });
    let stopped = stop.clone().cancelled_owned();
    let serving = axum::serve(listener, router).with_graceful_shutdown(stopped);
    let grace_over = async {
        stop.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        result = serving => result.map_err(ServeError::Serve),
        () = grace_over => Err(ServeError::GraceOver(grace)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;

    use super::*;

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
    async fn an_address_in_use_is_named() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let error = bind(address).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {address}"));
    }
}
