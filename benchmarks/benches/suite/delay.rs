//! (d) How long after its acknowledgement can a write be read, through Kafka, at a steady rate?
//!
//! Every write is followed: it is visible once its partition's checkpoint, which moves in the transaction of the rows,
//! is at its position. One client more reads its own writes over HTTP, with `Praxis-Min-Position`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use praxis_auth::claims::Role;
use praxis_event_store::partition::partition_of;
use praxis_testkit::servers::mysql_url;
use serde_json::Value;
use sqlx::Connection as _;
use sqlx::mysql::MySqlConnection;
use tokio::time::sleep_until;
use uuid::Uuid;

use crate::deployment::Services;
use crate::figure::{Figure, millis};
use crate::load::{Requests, WARM_UP, on_one_thread, settle};
use crate::people::People;
use crate::proc::CoreWatch;
use crate::report::Report;
use crate::servers::{drop_schema, pid_of_mysqld};
use crate::wire::{Connection, get_at};

/// Events per second.
const RATES: [u32; 2] = [500, 2_000];

/// More than are ever under way at once.
const CLIENTS: usize = 128;

/// How many clients load the servers before anything is measured.
const SETTLING_CLIENTS: usize = 16;

/// How long each rate is held, after the warm-up.
const MEASURED: Duration = Duration::from_secs(15);

/// How often checkpoints are looked at: what is measured is too long by this at most.
const LOOK_PERIOD: Duration = Duration::from_millis(4);

/// How often the reader of its own writes writes.
const OWN_WRITE_PERIOD: Duration = Duration::from_millis(100);

/// How long after the last write it may take until all are visible.
const CATCH_UP_MAX: Duration = Duration::from_secs(30);

const PATIENTS: usize = 4_000;
const THREADS_PER_DESK: usize = 16;
const BOOKED_PER_DESK_MAX: i32 = 1_000;

/// An acknowledged write.
#[derive(Clone, Copy)]
struct Written {
    position: u64,
    partition: u32,
    at: Instant,
}

/// What the checkpoints were at an instant, by partition.
struct Looked {
    at: Instant,
    positions: Vec<u64>,
}

/// All three services.
pub async fn on_mysql(report: &mut Report) -> Result<()> {
    let services = Services::found(&mysql_url()).await?;
    let command_api = services.command_api().await?;
    let projector = services.projector().await?;
    let query_api = services.query_api().await?;
    report.memory("projector", "idle", projector.pid())?;
    report.memory("query-api", "idle", query_api.pid())?;
    let mut people = People::register(
        command_api.address,
        &services.keys,
        CLIENTS,
        THREADS_PER_DESK,
        PATIENTS,
    )
    .await?;
    settle(command_api.address, people.senders(SETTLING_CLIENTS)).await?;
    let mut watched = vec![
        ("command-api", command_api.pid()),
        ("projector", projector.pid()),
        ("query-api", query_api.pid()),
    ];
    watched.extend(
        pid_of_mysqld(&services.events_url)
            .await
            .map(|pid| ("mysqld", pid)),
    );
    report.line(
        "| commit to visible | writes/s | row visible after, p50 / p99 / longest | own write read over HTTP after, p50 / p99 | cores |",
    );
    report.line("|---|---|---|---|---|");
    for rate in RATES {
        if !report.asked_for(&rate.to_string()) {
            continue;
        }
        let clients = clients_of(&mut people);
        let own = people.bookers(1, BOOKED_PER_DESK_MAX).pop().context("a client")?;
        let cores = CoreWatch::begin(&watched);
        let stop = Arc::new(AtomicBool::new(false));
        let looking = tokio::spawn(look(services.generation_url(1), Arc::clone(&stop)));
        let (address, reads) = (command_api.address, query_api.address);
        let token = services.keys.token(Role::Staff)?;
        let (written, own_reads) = on_one_thread(move || async move {
            let own = tokio::task::spawn_local(read_own_writes(address, reads, own, token));
            let written = open_loop(address, clients, rate).await?;
            anyhow::Ok((written, own.await??))
        })
        .await?;
        let cores = cores.cell();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let last = written
            .iter()
            .map(|written| written.position)
            .max()
            .unwrap_or_default();
        wait_until_visible(&services.generation_url(1), last).await?;
        stop.store(true, Ordering::Relaxed);
        let delay = delays(&written, &looking.await??)?;
        report.line(&format!(
            "| offered {rate}/s | {:.0} | {:.1} / {:.1} / {:.1} ms | {:.1} / {:.1} ms | {cores} |",
            delay.per_second,
            millis(delay.p50),
            millis(delay.p99),
            millis(delay.longest),
            millis(own_reads.p50),
            millis(own_reads.p99),
        ));
    }
    report.line("");
    report.memory("command-api", "after (d)", command_api.pid())?;
    report.memory("projector", "after (d)", projector.pid())?;
    report.memory("query-api", "after (d)", query_api.pid())?;
    query_api.stop().await?;
    projector.stop().await?;
    command_api.stop().await?;
    drop_schema(&services.generation_url(1)).await?;
    drop_schema(&services.views_url).await?;
    drop_schema(&services.events_url).await
}

/// Half send messages, half book.
fn clients_of(people: &mut People) -> Vec<Requests> {
    let senders = people.senders(CLIENTS);
    let bookers = people.bookers(CLIENTS, BOOKED_PER_DESK_MAX);
    let pairs = senders.into_iter().zip(bookers).enumerate();
    pairs
        .map(|(place, (sender, booker))| if place % 2 == 0 { sender } else { booker })
        .collect()
}

/// Sends at a steady rate, whatever the answers take; the writes acknowledged after the warm-up.
async fn open_loop(address: SocketAddr, clients: Vec<Requests>, rate: u32) -> Result<Vec<Written>> {
    let partitions = NonZeroU32::new(Services::PARTITIONS).context("a topic has partitions")?;
    let began = Instant::now();
    let (warm, over) = (began + WARM_UP, began + WARM_UP + MEASURED);
    let (count, period) = (clients.len() as u32, Duration::from_secs(1) / rate);
    let mut loops = Vec::with_capacity(clients.len());
    for (place, mut requests) in (0_u32..).zip(clients) {
        loops.push(tokio::task::spawn_local(async move {
            let mut connection = Connection::open(address).await?;
            let mut written = Vec::new();
            for turn in 0.. {
                let due = began + period * (place + turn * count);
                if due >= over {
                    break;
                }
                sleep_until(due.into()).await;
                let document = connection
                    .exchange(&requests()?)
                    .await?
                    .require_success()?
                    .document()?;
                let at = Instant::now();
                if at >= warm && at < over {
                    let (id, position) = named(&document)?;
                    let partition = partition_of(id, partitions);
                    written.push(Written {
                        position,
                        partition,
                        at,
                    });
                }
            }
            anyhow::Ok(written)
        }));
    }
    let mut written = Vec::new();
    for one in loops {
        written.extend(one.await??);
    }
    Ok(written)
}

/// Writes now and then, and reads at once what it wrote; how long after the answer it had it.
async fn read_own_writes(
    address: SocketAddr,
    reads: SocketAddr,
    mut requests: Requests,
    token: String,
) -> Result<Figure> {
    let (mut writes, mut reads) = (Connection::open(address).await?, Connection::open(reads).await?);
    let (began, mut waited) = (Instant::now(), Vec::new());
    while began.elapsed() < WARM_UP + MEASURED {
        let document = writes
            .exchange(&requests()?)
            .await?
            .require_success()?
            .document()?;
        let at = Instant::now();
        let (id, _) = named(&document)?;
        let position = document["position"]
            .as_str()
            .context("an answer has a position")?;
        let request = get_at(&format!("/appointments/{id}"), &token, position);
        reads.exchange(&request).await?.require_success()?;
        if began.elapsed() >= WARM_UP {
            waited.push(at.elapsed());
        }
        tokio::time::sleep(OWN_WRITE_PERIOD).await;
    }
    Ok(Figure::of(waited, MEASURED))
}

/// The record and the position of an answer.
fn named(document: &Value) -> Result<(Uuid, u64)> {
    let id = document["id"].as_str().context("an answer has an id")?.parse()?;
    let position = document["position"]
        .as_str()
        .context("an answer has a position")?;
    let (_, position) = position.split_once('-').context("a position has an epoch")?;
    Ok((id, position.parse()?))
}

/// Looks at the checkpoints of a generation until it is told to stop; every change.
async fn look(url: String, stop: Arc<AtomicBool>) -> Result<Vec<Looked>> {
    let mut connection = MySqlConnection::connect(&url).await?;
    let mut looks: Vec<Looked> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let positions = positions(&mut connection).await?;
        let at = Instant::now();
        if looks.last().is_none_or(|last| last.positions != positions) {
            looks.push(Looked { at, positions });
        }
        tokio::time::sleep(LOOK_PERIOD).await;
    }
    Ok(looks)
}

async fn positions(connection: &mut MySqlConnection) -> Result<Vec<u64>> {
    let rows: Vec<(u32, u64)> = sqlx::query_as("SELECT partition_number, position FROM checkpoints")
        .fetch_all(connection)
        .await?;
    let mut positions = vec![0; Services::PARTITIONS as usize];
    for (partition, position) in rows {
        if let Some(slot) = positions.get_mut(partition as usize) {
            *slot = position;
        }
    }
    Ok(positions)
}

async fn wait_until_visible(url: &str, position: u64) -> Result<()> {
    let mut connection = MySqlConnection::connect(url).await?;
    let began = Instant::now();
    while positions(&mut connection).await?.into_iter().min() < Some(position) {
        ensure!(
            began.elapsed() < CATCH_UP_MAX,
            "the projector has not caught up in {CATCH_UP_MAX:?}"
        );
        tokio::time::sleep(LOOK_PERIOD).await;
    }
    Ok(())
}

fn delays(written: &[Written], looks: &[Looked]) -> Result<Figure> {
    let mut waited = Vec::with_capacity(written.len());
    for one in written {
        let first = looks.partition_point(|look| look.positions[one.partition as usize] < one.position);
        let seen = looks.get(first).context("a write never became visible")?;
        waited.push(seen.at.saturating_duration_since(one.at));
    }
    Ok(Figure::of(waited, MEASURED))
}
