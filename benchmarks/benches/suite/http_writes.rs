//! (c) How many commands a second over HTTP, with tokens, validation and encryption?

use std::path::Path;

use anyhow::Result;
use praxis_testkit::servers::mysql_url;

use crate::Kind;
use crate::appends::baseline::{Baseline, Order};
use crate::appends::rounds::{self, Rounds};
use crate::deployment::{Running, Services, one_process};
use crate::keys::Keys;
use crate::load::{MEASURED, closed_loop, settle};
use crate::people::People;
use crate::proc::CoreWatch;
use crate::report::Report;
use crate::servers::{drop_schema, pid_of_mysqld};

const CLIENTS: [usize; 2] = [64, 256];

/// With so many clients the systems are compared in rounds.
const COMPARED: usize = 256;

/// As many as its client needs, or nearly.
const THREADS_PER_DESK: usize = 24;

/// More than can be booked within the measured time, in all of it.
const PATIENTS: usize = 8_000;

/// More than one client books while it is measured.
const BOOKED_PER_DESK_MAX: i32 = 2_000;

/// A real `command-api` on MySQL, with its relay publishing to Kafka.
pub async fn on_mysql(report: &mut Report) -> Result<()> {
    let services = Services::found(&mysql_url()).await?;
    let running = services.command_api().await?;
    report.memory("command-api", "idle", running.pid())?;
    let mysqld = pid_of_mysqld(&services.events_url).await;
    let mut watched = vec![("command-api", running.pid())];
    watched.extend(mysqld.map(|pid| ("mysqld", pid)));
    report.line("| over HTTP, MySQL | clients | per second (p50 / p99) | cores |");
    report.line("|---|---|---|---|");
    let people = measure(report, &running, &services.keys, &watched).await?;
    report.line("");
    if report.asked_for(Kind::SendMessage.name()) && report.asked_for(&COMPARED.to_string()) {
        compare(report, &services, &running, &people).await?;
    }
    report.memory("command-api", "after (c)", running.pid())?;
    running.stop().await?;
    drop_schema(&services.views_url).await?;
    drop_schema(&services.events_url).await
}

/// Messages over HTTP, and in turn B2, which is without HTTP: no order, one transaction each.
async fn compare(report: &mut Report, services: &Services, running: &Running, people: &People) -> Result<()> {
    let baseline = Baseline::open(&services.events_url).await?;
    let connected = baseline.connect(COMPARED).await?;
    let mut rounds = Rounds::new(["over HTTP", "B2, without HTTP"]);
    for _ in 0..rounds::ROUNDS {
        rounds::rest().await;
        let over_http = closed_loop(running.address, people.senders(COMPARED), rounds::MEASURED).await?;
        rounds::rest().await;
        let free = connected
            .measure(Kind::SendMessage, Order::None, rounds::MEASURED)
            .await?;
        rounds.add([over_http, free]);
    }
    rounds.print(
        report,
        &format!("SendMessage, MySQL, {COMPARED} clients or writers"),
    );
    Ok(())
}

/// A real `praxis serve` on SQLite files.
pub async fn on_sqlite(report: &mut Report, scratch: &Path) -> Result<()> {
    let keys = Keys::made()?;
    let data = scratch.join("http-writes");
    let running = one_process(&data, &keys).await?;
    report.memory("praxis serve", "idle", running.pid())?;
    report.line("| over HTTP, SQLite (praxis serve) | clients | per second (p50 / p99) | cores |");
    report.line("|---|---|---|---|");
    measure(report, &running, &keys, &[("praxis", running.pid())]).await?;
    report.line("");
    report.memory("praxis serve", "after (c)", running.pid())?;
    running.stop().await
}

async fn measure(
    report: &mut Report,
    running: &Running,
    keys: &Keys,
    watched: &[(&'static str, u32)],
) -> Result<People> {
    let desks = CLIENTS.into_iter().max().unwrap_or_default();
    let mut people = People::register(running.address, keys, desks, THREADS_PER_DESK, PATIENTS).await?;
    settle(running.address, people.senders(desks)).await?;
    for kind in [Kind::SendMessage, Kind::BookAppointment] {
        for clients in CLIENTS {
            if !report.asked_for(kind.name()) || !report.asked_for(&clients.to_string()) {
                continue;
            }
            let requests = match kind {
                Kind::SendMessage => people.senders(clients),
                Kind::BookAppointment => people.bookers(clients, BOOKED_PER_DESK_MAX),
            };
            let watch = CoreWatch::begin(watched);
            let figure = closed_loop(running.address, requests, MEASURED).await?;
            report.line(&format!(
                "| {} | {clients} | {} | {} |",
                kind.name(),
                figure.cell(),
                watch.cell()
            ));
        }
    }
    Ok(people)
}
