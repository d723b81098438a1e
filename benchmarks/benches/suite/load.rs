//! How is a server loaded over HTTP? By clients on one thread, each with a connection of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::LocalSet;

use crate::figure::Figure;
use crate::wire::Connection;

/// How long a load runs before it is measured.
pub const WARM_UP: Duration = Duration::from_secs(1);

/// How long a load over HTTP is measured.
pub const MEASURED: Duration = Duration::from_secs(5);

/// Makes a client's requests, one after the other.
pub type Requests = Box<dyn FnMut() -> Result<Vec<u8>> + Send>;

/// How long servers run under load before the first measurement: a Kafka broker that has just been started compiles its
/// code on the cores of what is measured, and takes twice what it takes later.
const SETTLING: Duration = Duration::from_secs(15);

/// A load that nobody measures.
pub async fn settle(address: SocketAddr, clients: Vec<Requests>) -> Result<()> {
    closed_loop(address, clients, SETTLING).await?;
    Ok(())
}

/// Each client sends its next request as soon as the last is answered; every answer must be a success.
pub async fn closed_loop(address: SocketAddr, clients: Vec<Requests>, measured: Duration) -> Result<Figure> {
    on_one_thread(move || async move {
        let began = Instant::now();
        let (warm, over) = (began + WARM_UP, began + WARM_UP + measured);
        let mut loops = Vec::with_capacity(clients.len());
        for mut requests in clients {
            loops.push(tokio::task::spawn_local(async move {
                let mut connection = Connection::open(address).await?;
                let mut waited = Vec::new();
                loop {
                    let request = requests()?;
                    let asked = Instant::now();
                    connection.exchange(&request).await?.require_success()?;
                    let answered = Instant::now();
                    if answered >= over {
                        return anyhow::Ok(waited);
                    }
                    if answered >= warm {
                        waited.push(answered - asked);
                    }
                }
            }));
        }
        let mut waited = Vec::new();
        for one in loops {
            waited.extend(one.await??);
        }
        Ok(Figure::of(waited, measured))
    })
    .await
}

/// Sends all of them over a few connections and gives the ids answered, in order.
pub async fn all(address: SocketAddr, requests: Vec<Vec<u8>>) -> Result<Vec<uuid::Uuid>> {
    const CONNECTIONS: usize = 128;
    on_one_thread(move || async move {
        let requests = Arc::new(requests);
        let mut loops = Vec::with_capacity(CONNECTIONS);
        for first in 0..CONNECTIONS {
            let requests = Arc::clone(&requests);
            loops.push(tokio::task::spawn_local(async move {
                let mut connection = Connection::open(address).await?;
                let mut ids = Vec::new();
                for (place, request) in requests.iter().enumerate().skip(first).step_by(CONNECTIONS) {
                    let document = connection
                        .exchange(request)
                        .await?
                        .require_success()?
                        .document()?;
                    let id: uuid::Uuid = document["id"].as_str().unwrap_or_default().parse()?;
                    ids.push((place, id));
                }
                anyhow::Ok(ids)
            }));
        }
        let mut ids = Vec::with_capacity(requests.len());
        for one in loops {
            ids.extend(one.await??);
        }
        ids.sort_unstable();
        Ok(ids.into_iter().map(|(_, id)| id).collect())
    })
    .await
}

/// Runs a load on a thread of its own, away from the runtime that looks after the servers.
pub async fn on_one_thread<F, W, T>(work: F) -> Result<T>
where
    F: FnOnce() -> W + Send + 'static,
    W: Future<Output = Result<T>>,
    T: Send + 'static,
{
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        LocalSet::new().block_on(&runtime, work())
    })
    .await?
}
