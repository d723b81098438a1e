//! How does a test make the network between a process and its server fail, at a chosen moment?
//!
//! TLS hides what is sent, so [`Cut::BeforeForwarding`] and [`Cut::BeforeAnswer`] need a connection in the clear:
//! [`MySqlServer::url_without_tls`](crate::servers::MySqlServer::url_without_tls).

mod plan;

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use plan::Cut;
use plan::{Plan, Verdict};

const CHUNK_LEN_MAX: usize = 16 * 1024;

/// A port on 127.0.0.1 that leads to another one until told otherwise. Dropping it cuts every connection.
#[derive(Debug)]
pub struct TcpProxy {
    port: u16,
    shared: Arc<Shared>,
    /// Owns the accepting task, which owns the connections.
    _accepting: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    upstream_port: AtomicU16,
    flow: watch::Sender<Flow>,
    /// Counts the calls to cut everything; a connection ends when it changes.
    cuts: watch::Sender<u64>,
    plan: Mutex<Option<Plan>>,
    /// Counts the plans carried out.
    fired: watch::Sender<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Open,
    Paused,
    Refusing,
}

impl TcpProxy {
    /// Listens on a free port and leads to `upstream_port` on 127.0.0.1, which need not be served yet.
    pub async fn open(upstream_port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("listen for the proxy")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            upstream_port: AtomicU16::new(upstream_port),
            flow: watch::Sender::new(Flow::Open),
            cuts: watch::Sender::new(0),
            plan: Mutex::new(None),
            fired: watch::Sender::new(0),
        });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            port,
            shared,
            _accepting: accepting,
        })
    }

    /// The port on 127.0.0.1 that clients are given.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where connections made from now on lead: a port on 127.0.0.1.
    pub fn lead_to(&self, upstream_port: u16) {
        self.shared.upstream_port.store(upstream_port, Ordering::SeqCst);
    }

    /// Nothing passes in either direction, and nothing is closed: a network that swallows packets.
    pub fn pause(&self) {
        self.shared.flow.send_replace(Flow::Paused);
    }

    /// Ends [`pause`](Self::pause), letting what has waited pass, or [`refuse`](Self::refuse).
    pub fn resume(&self) {
        self.shared.flow.send_replace(Flow::Open);
    }

    /// Cuts every connection, and each new one at once, until [`resume`](Self::resume): a server that is gone.
    pub fn refuse(&self) {
        self.shared.flow.send_replace(Flow::Refusing);
        self.cut();
    }

    /// Cuts every connection there is; new ones are served.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|count| *count += 1);
    }

    /// Cuts one connection, once, at the moment that `cut` describes; replaces a plan not carried out.
    pub fn arm(&self, cut: Cut) {
        *self.shared.plan() = Some(Plan::new(cut));
    }

    /// How many armed cuts were carried out so far.
    pub fn fired(&self) -> u64 {
        *self.shared.fired.borrow()
    }

    /// Waits until `count` armed cuts were carried out.
    pub async fn wait_fired(&self, count: u64) {
        let mut fired = self.shared.fired.subscribe();
        fired
            .wait_for(|so_far| *so_far >= count)
            .await
            .expect("the proxy holds the sender");
    }
}

impl Shared {
    fn plan(&self) -> std::sync::MutexGuard<'_, Option<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while paused.
    async fn passes(&self) {
        let mut flow = self.flow.subscribe();
        flow.wait_for(|flow| *flow != Flow::Paused)
            .await
            .expect("the proxy holds the sender");
    }

    fn carried_out(&self) {
        self.fired.send_modify(|count| *count += 1);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                if *shared.flow.borrow() != Flow::Refusing {
                    // Subscribed before the task runs, so that a cut in between is not missed.
                    let cuts = shared.cuts.subscribe();
                    connections.spawn(connection(client, cuts, Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Returning drops both sockets, which is the cut.
async fn connection(client: TcpStream, mut cuts: watch::Receiver<u64>, shared: Arc<Shared>) {
    let relay = async {
        shared.passes().await;
        let upstream_port = shared.upstream_port.load(Ordering::SeqCst);
        let Ok(server) = TcpStream::connect(("127.0.0.1", upstream_port)).await else {
            return;
        };
        // A proxy that delays small packets would slow every transaction down by a delayed acknowledgement.
        if client.set_nodelay(true).is_err() || server.set_nodelay(true).is_err() {
            return;
        }
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let withholding = AtomicBool::new(false);
        tokio::select! {
            () = forward_requests(from_client, to_server, &shared, &withholding) => {}
            () = forward_answers(from_server, to_client, &shared, &withholding) => {}
        }
    };
    tokio::select! {
        () = relay => {}
        _ = cuts.changed() => {}
    }
}

async fn forward_requests(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    shared: &Shared,
    withholding: &AtomicBool,
) {
    let mut chunk = vec![0; CHUNK_LEN_MAX];
    let mut seen = Vec::new();
    loop {
        let Some(bytes) = read(&mut client, &mut chunk).await else {
            return answer_will_not_come(shared, withholding);
        };
        shared.passes().await;
        let verdict = plan::judge(&mut shared.plan(), &mut seen, bytes);
        let forwarded = match verdict {
            Verdict::Forward => bytes,
            Verdict::ForwardAndWithholdAnswer => {
                // Set before the server can see the request, hence before it can answer.
                withholding.store(true, Ordering::SeqCst);
                bytes
            }
            Verdict::CutAfter(len) => &bytes[..len],
        };
        let written = server.write_all(forwarded).await;
        if let Verdict::CutAfter(_) = verdict {
            return shared.carried_out();
        }
        if written.is_err() {
            return answer_will_not_come(shared, withholding);
        }
    }
}

async fn forward_answers(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    shared: &Shared,
    withholding: &AtomicBool,
) {
    let mut chunk = vec![0; CHUNK_LEN_MAX];
    loop {
        let bytes = read(&mut server, &mut chunk).await;
        if withholding.load(Ordering::SeqCst) {
            return shared.carried_out();
        }
        let Some(bytes) = bytes else { return };
        shared.passes().await;
        if client.write_all(bytes).await.is_err() {
            return;
        }
    }
}

/// The client or the server left before the answer that was to be withheld: the client did not get it.
fn answer_will_not_come(shared: &Shared, withholding: &AtomicBool) {
    if withholding.load(Ordering::SeqCst) {
        shared.carried_out();
    }
}

/// The next bytes, or none at the end and on an error, which a proxy passes on alike.
async fn read<'a>(from: &mut OwnedReadHalf, chunk: &'a mut [u8]) -> Option<&'a [u8]> {
    match from.read(chunk).await {
        Ok(0) | Err(_) => None,
        Ok(len) => Some(&chunk[..len]),
    }
}
