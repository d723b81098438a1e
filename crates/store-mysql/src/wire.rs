//! How does a large statement leave at once, though sqlx does not set `TCP_NODELAY`?
//!
//! TLS cuts a statement into records of 16 KiB, each a write of its own; the kernel keeps the next small segment back
//! until the last is acknowledged, and the server's kernel delays that by 40 ms: 256 events took 68 ms instead of 18.
//! sqlx gives no access to its socket, so it is led through a socket pair to a TCP connection of ours. No task does
//! that: whoever waits for sqlx polls the relay, too.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;

use sqlx::Connection;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};

/// Runs until one end closes; the other is closed then.
type Relay = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// A connection, and what carries its bytes.
pub(crate) struct Wire {
    conn: MySqlConnection,
    relay: Option<Relay>,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire")
            .field("relayed", &self.relay.is_some())
            .finish_non_exhaustive()
    }
}

impl Wire {
    /// Connects as sqlx does.
    pub(crate) async fn direct(options: &MySqlConnectOptions) -> Result<Self, sqlx::Error> {
        Ok(Self {
            conn: MySqlConnection::connect_with(options).await?,
            relay: None,
        })
    }

    /// Connects so that nothing is held back; as sqlx does where that is not needed (a Unix socket) or not known.
    #[cfg(target_os = "linux")]
    pub(crate) async fn prompt(options: &MySqlConnectOptions) -> Result<Self, sqlx::Error> {
        if options.get_socket().is_some() {
            return Self::direct(options).await;
        }
        let (name, relay) = relay::to(options).await?;
        let mut relay = Some(relay);
        let options = options.clone().socket(name);
        let conn = alongside(&mut relay, MySqlConnection::connect_with(&options)).await?;
        Ok(Self { conn, relay })
    }

    /// Connects as sqlx does: there is no abstract Unix socket to lead it through.
    #[cfg(not(target_os = "linux"))]
    pub(crate) async fn prompt(options: &MySqlConnectOptions) -> Result<Self, sqlx::Error> {
        Self::direct(options).await
    }

    /// Whether the server still answers.
    pub(crate) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        alongside(&mut self.relay, self.conn.ping()).await
    }

    /// Does something with the connection.
    pub(crate) async fn run<T: Send>(&mut self, work: impl AsyncFnOnce(&mut MySqlConnection) -> T) -> T {
        alongside(&mut self.relay, work(&mut self.conn)).await
    }
}

/// Polls the relay whenever the work waits.
async fn alongside<T>(relay: &mut Option<Relay>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Poll::Ready(output) = work.as_mut().poll(context) {
            return Poll::Ready(output);
        }
        if let Some(running) = relay
            && running.as_mut().poll(context).is_ready()
        {
            // Both ends close, and the work finds out by itself.
            *relay = None;
            return work.as_mut().poll(context);
        }
        Poll::Pending
    })
    .await
}

#[cfg(target_os = "linux")]
mod relay {
    use std::ffi::OsStr;
    use std::hash::{BuildHasher, RandomState};
    use std::io;
    use std::os::unix::ffi::OsStrExt;
    use std::path::PathBuf;

    use sqlx::mysql::MySqlConnectOptions;
    use tokio::io::copy_bidirectional_with_sizes;
    use tokio::net::{TcpStream, UnixListener, UnixStream};

    use super::Relay;

    /// Four TLS records, or one segment of the loopback interface.
    const TO_SERVER_BYTES: usize = 64 * 1024;
    const FROM_SERVER_BYTES: usize = 16 * 1024;

    /// Connects to the server, and names the socket that leads there. The name is of Linux's abstract kind: it is no
    /// file, ends with the listener, and cannot be guessed.
    pub(super) async fn to(options: &MySqlConnectOptions) -> io::Result<(PathBuf, Relay)> {
        let server = TcpStream::connect((options.get_host(), options.get_port())).await?;
        server.set_nodelay(true)?;
        let random = RandomState::new();
        let name = format!("\0praxis-{:016x}{:016x}", random.hash_one(0), random.hash_one(1));
        let name = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        let listener = UnixListener::bind(&name)?;
        Ok((name, Box::pin(carry(listener, server))))
    }

    async fn carry(listener: UnixListener, mut server: TcpStream) -> io::Result<()> {
        let mut client = accept_own(&listener).await?;
        drop(listener);
        copy_bidirectional_with_sizes(&mut client, &mut server, TO_SERVER_BYTES, FROM_SERVER_BYTES).await?;
        Ok(())
    }

    /// Another process that should have guessed the name is turned away.
    async fn accept_own(listener: &UnixListener) -> io::Result<UnixStream> {
        let own = i32::try_from(std::process::id()).ok();
        loop {
            let (stream, _) = listener.accept().await?;
            if stream.peer_cred()?.pid() == own {
                return Ok(stream);
            }
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use praxis_testkit::servers::{in_schema, mysql_url};
    use praxis_testkit::tcp_proxy::TcpProxy;
    use sqlx::Row;

    use super::*;

    const MEGABYTE: usize = 1 << 20;

    async fn relayed(options: &MySqlConnectOptions) -> Wire {
        let wire = Wire::prompt(options).await.unwrap();
        assert!(wire.relay.is_some());
        wire
    }

    fn options() -> MySqlConnectOptions {
        in_schema(&mysql_url(), "information_schema").parse().unwrap()
    }

    #[tokio::test]
    async fn statements_and_answers_larger_than_any_buffer_pass_whole() {
        let mut wire = relayed(&options()).await;
        let sent: Vec<u8> = (0..=250).cycle().take(4 * MEGABYTE).collect();
        let statement = sqlx::query("SELECT ?").bind(&sent[..]);
        let row = wire
            .run(async |conn| statement.fetch_one(conn).await)
            .await
            .unwrap();
        assert!(row.try_get_unchecked::<Vec<u8>, _>(0).unwrap() == sent);
        wire.ping().await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_that_is_cut_fails_instead_of_hanging() {
        let options = options();
        let proxy = TcpProxy::open(options.get_port()).await.unwrap();
        let mut wire = relayed(&options.host("127.0.0.1").port(proxy.port())).await;
        proxy.cut();
        wire.ping().await.unwrap_err();
    }

    #[tokio::test]
    async fn a_port_that_nobody_serves_is_an_error() {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        assert!(matches!(
            Wire::prompt(&options().port(port)).await,
            Err(sqlx::Error::Io(_))
        ));
    }
}
