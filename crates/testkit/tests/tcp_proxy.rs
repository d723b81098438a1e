//! Does the proxy fail exactly when and how it says?
#![allow(clippy::expect_used, reason = "a panic is how a test and its helpers report")]

use std::time::Duration;

use praxis_testkit::tcp_proxy::{Cut, TcpProxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(10);
/// Long enough for bytes to cross the loopback many times.
const A_WHILE: Duration = Duration::from_millis(100);

/// A server that answers every read with the same bytes and reports them.
struct Echo {
    port: u16,
    received: mpsc::UnboundedReceiver<Vec<u8>>,
    _serving: JoinSet<()>,
}

impl Echo {
    async fn open() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("listens");
        let port = listener.local_addr().expect("has an address").port();
        let (sender, received) = mpsc::unbounded_channel();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut stream, _) = listener.accept().await.expect("accepts");
                let sender = sender.clone();
                connections.spawn(async move {
                    let mut bytes = [0; 1024];
                    while let Ok(len @ 1..) = stream.read(&mut bytes).await {
                        sender.send(bytes[..len].to_vec()).expect("the test reads");
                        if stream.write_all(&bytes[..len]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self {
            port,
            received,
            _serving: serving,
        }
    }

    async fn next(&mut self) -> Vec<u8> {
        timeout(SOON, self.received.recv())
            .await
            .expect("soon")
            .expect("open")
    }
}

async fn connect(proxy: &TcpProxy) -> TcpStream {
    TcpStream::connect(("127.0.0.1", proxy.port()))
        .await
        .expect("the proxy listens")
}

async fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(bytes).await?;
    let mut answer = vec![0; bytes.len()];
    timeout(SOON, stream.read_exact(&mut answer))
        .await
        .expect("answered or closed soon")?;
    Ok(answer)
}

#[tokio::test]
async fn bytes_pass_both_ways() {
    let echo = Echo::open().await;
    let proxy = TcpProxy::open(echo.port).await.expect("opens");
    let mut stream = connect(&proxy).await;
    assert_eq!(exchange(&mut stream, b"hello").await.expect("passes"), b"hello");
    assert_eq!(proxy.fired(), 0);
}

#[tokio::test]
async fn cut_ends_open_connections_and_serves_new_ones() {
    let echo = Echo::open().await;
    let proxy = TcpProxy::open(echo.port).await.expect("opens");
    let mut old = connect(&proxy).await;
    exchange(&mut old, b"before").await.expect("passes");
    proxy.cut();
    exchange(&mut old, b"after").await.expect_err("is cut");
    exchange(&mut connect(&proxy).await, b"new")
        .await
        .expect("passes");
}

#[tokio::test]
async fn pause_holds_bytes_back_and_resume_lets_them_pass() {
    let mut echo = Echo::open().await;
    let proxy = TcpProxy::open(echo.port).await.expect("opens");
    let mut stream = connect(&proxy).await;
    exchange(&mut stream, b"before").await.expect("passes");
    assert_eq!(echo.next().await, b"before");
    proxy.pause();
    stream.write_all(b"held").await.expect("the connection is open");
    timeout(A_WHILE, echo.received.recv())
        .await
        .expect_err("nothing arrives while paused");
    proxy.resume();
    assert_eq!(echo.next().await, b"held");
}

#[tokio::test]
async fn refusal_closes_old_and_new_connections_until_resumed() {
    let echo = Echo::open().await;
    let proxy = TcpProxy::open(echo.port).await.expect("opens");
    let mut old = connect(&proxy).await;
    exchange(&mut old, b"before").await.expect("passes");
    proxy.refuse();
    exchange(&mut old, b"old").await.expect_err("is cut");
    exchange(&mut connect(&proxy).await, b"new")
        .await
        .expect_err("is cut");
    proxy.resume();
    exchange(&mut connect(&proxy).await, b"again")
        .await
        .expect("passes");
}

#[tokio::test]
async fn cut_after_bytes_forwards_exactly_that_many() {
    let mut echo = Echo::open().await;
    let proxy = TcpProxy::open(echo.port).await.expect("opens");
    proxy.arm(Cut::AfterClientBytes(8));
    let mut stream = connect(&proxy).await;
    exchange(&mut stream, b"12345").await.expect("passes");
    exchange(&mut stream, b"67890").await.expect_err("is cut");
    assert_eq!(echo.next().await, b"12345");
    assert_eq!(echo.next().await, b"678");
    assert_eq!(proxy.fired(), 1);
    exchange(&mut connect(&proxy).await, b"later")
        .await
        .expect("a plan is carried out once");
}

#[tokio::test]
async fn cut_before_forwarding_keeps_the_pattern_from_the_server() {
    let mut echo = Echo::open().await;
    let proxy = TcpProxy::open(echo.port).await.expect("opens");
    let mut stream = connect(&proxy).await;
    proxy.arm(Cut::BeforeForwarding(b"COMMIT".to_vec()));
    exchange(&mut stream, b"INSERT").await.expect("passes");
    exchange(&mut stream, b"COMMIT").await.expect_err("is cut");
    timeout(SOON, proxy.wait_fired(1)).await.expect("fires");
    exchange(&mut connect(&proxy).await, b"next")
        .await
        .expect("passes");
    assert_eq!(echo.next().await, b"INSERT");
    assert_eq!(echo.next().await, b"next");
}

#[tokio::test]
async fn cut_before_the_answer_lets_the_server_have_the_pattern() {
    let mut echo = Echo::open().await;
    let proxy = TcpProxy::open(echo.port).await.expect("opens");
    let mut stream = connect(&proxy).await;
    proxy.arm(Cut::BeforeAnswer(b"COMMIT".to_vec()));
    exchange(&mut stream, b"INSERT").await.expect("passes");
    exchange(&mut stream, b"COMMIT").await.expect_err("is cut");
    assert_eq!(echo.next().await, b"INSERT");
    assert_eq!(echo.next().await, b"COMMIT");
    assert_eq!(proxy.fired(), 1);
}

#[tokio::test]
async fn proxy_can_be_led_to_another_server() {
    let (first, mut second) = (Echo::open().await, Echo::open().await);
    let proxy = TcpProxy::open(first.port).await.expect("opens");
    proxy.lead_to(second.port);
    exchange(&mut connect(&proxy).await, b"moved")
        .await
        .expect("passes");
    assert_eq!(second.next().await, b"moved");
}
