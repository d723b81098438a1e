//! (a) How many commands a second become durable, and how long does each wait? On MySQL beside two baselines: the same
//! rows by one transaction per command with the head row (B1) and without any order (B2).

pub mod baseline;
pub mod bound;
mod practice;
pub mod rounds;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::Kind;
use crate::figure::Figure;
use crate::report::Report;
use crate::servers::{allow_connections, drop_schema};
use baseline::{Baseline, Order};
use practice::Practice;

/// How long a figure is measured that stands alone, after a warm-up of a quarter of it.
pub const MEASURED: Duration = Duration::from_secs(4);

/// How many commands are under way at once.
const WRITERS: [usize; 5] = [1, 16, 64, 256, 1_024];

/// With so many writers the systems are compared in rounds.
const COMPARED: usize = 256;

/// Connections that are not the baselines' own.
const OTHER_CONNECTIONS: usize = 100;

/// Runs `writers` loops of `one` at once and counts what ended within the measured time.
pub async fn measure<F, W>(writers: usize, measured: Duration, one: F) -> Result<Figure>
where
    F: Fn(usize) -> W + Send + Sync + 'static,
    W: Future<Output = Result<()>> + Send,
{
    let one = Arc::new(one);
    let stop = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    let (warm, over) = (began + measured / 4, began + measured / 4 + measured);
    let mut loops = Vec::with_capacity(writers);
    for writer in 0..writers {
        let (one, stop) = (Arc::clone(&one), Arc::clone(&stop));
        loops.push(tokio::spawn(async move {
            let mut waited = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let asked = Instant::now();
                one(writer).await?;
                let answered = Instant::now();
                if answered >= warm && answered < over {
                    waited.push(answered - asked);
                }
            }
            anyhow::Ok(waited)
        }));
    }
    tokio::time::sleep_until(over.into()).await;
    stop.store(true, Ordering::Relaxed);
    let mut waited = Vec::new();
    for one in loops {
        waited.extend(one.await??);
    }
    Ok(Figure::of(waited, measured))
}

/// On MySQL with its binary log, `sync_binlog=1`.
pub async fn on_mysql(report: &mut Report) -> Result<()> {
    let writers_max = WRITERS.into_iter().max().unwrap_or_default();
    let practice = Arc::new(Practice::on_mysql(writers_max).await?);
    allow_connections(&practice.url, writers_max + OTHER_CONNECTIONS).await?;
    let baseline = Baseline::open(&practice.url).await?;
    for kind in [Kind::SendMessage, Kind::BookAppointment] {
        if !report.asked_for(kind.name()) {
            continue;
        }
        let name = kind.name();
        report.line(&format!(
            "| {name}, MySQL | Praxis | B1: head row, one transaction each | B2: no order |"
        ));
        report.line("|---|---|---|---|");
        for writers in WRITERS {
            if !report.asked_for(&writers.to_string()) || writers == COMPARED {
                continue;
            }
            let praxis = commands(&practice, kind, writers, MEASURED).await?;
            if report.asked_for("baselines") {
                let connected = baseline.connect(writers).await?;
                let ordered = connected.measure(kind, Order::HeadRow, MEASURED).await?;
                let free = connected.measure(kind, Order::None, MEASURED).await?;
                report.line(&format!(
                    "| {writers} writers | {} | {} | {} |",
                    praxis.cell(),
                    ordered.cell(),
                    free.cell()
                ));
            } else {
                report.line(&format!("| {writers} writers | {} | | |", praxis.cell()));
            }
        }
        report.line("");
        if report.asked_for(&COMPARED.to_string()) {
            compare(report, &practice, &baseline, kind).await?;
        }
    }
    drop_schema(&practice.url).await
}

/// The systems in turn, so that what the machine does besides falls on all of them.
async fn compare(
    report: &mut Report,
    practice: &Arc<Practice>,
    baseline: &Baseline,
    kind: Kind,
) -> Result<()> {
    let bound = bound::Bound::open(kind).await?;
    let connected = baseline.connect(COMPARED).await?;
    let names = ["Praxis", "B1", "B2", "bulk bound, made by a client"];
    let mut rounds = rounds::Rounds::new(names);
    for _ in 0..rounds::ROUNDS {
        rounds::rest().await;
        let praxis = commands(practice, kind, COMPARED, rounds::MEASURED).await?;
        rounds::rest().await;
        let ordered = connected.measure(kind, Order::HeadRow, rounds::MEASURED).await?;
        rounds::rest().await;
        let free = connected.measure(kind, Order::None, rounds::MEASURED).await?;
        rounds::rest().await;
        rounds.add([praxis, ordered, free, bound.by_client(rounds::MEASURED).await?]);
    }
    bound.end().await?;
    rounds.print(report, &format!("{}, MySQL, {COMPARED} writers", kind.name()));
    Ok(())
}

/// On a SQLite file, WAL and `synchronous=FULL`.
pub async fn on_sqlite(report: &mut Report, scratch: &Path) -> Result<()> {
    let writers_max = WRITERS.into_iter().max().unwrap_or_default();
    let practice = Arc::new(Practice::on_sqlite(&scratch.join("appends.db"), writers_max).await?);
    report.line("| appends, SQLite | SendMessage | BookAppointment |");
    report.line("|---|---|---|");
    for writers in WRITERS {
        if !report.asked_for(&writers.to_string()) {
            continue;
        }
        let sent = commands(&practice, Kind::SendMessage, writers, MEASURED).await?;
        let booked = commands(&practice, Kind::BookAppointment, writers, MEASURED).await?;
        report.line(&format!(
            "| {writers} writers | {} | {} |",
            sent.cell(),
            booked.cell()
        ));
    }
    report.line("");
    Ok(())
}

async fn commands(
    practice: &Arc<Practice>,
    kind: Kind,
    writers: usize,
    measured: Duration,
) -> Result<Figure> {
    let practice = Arc::clone(practice);
    measure(writers, measured, move |writer| {
        let practice = Arc::clone(&practice);
        async move { practice.command(kind, writer).await }
    })
    .await
}
