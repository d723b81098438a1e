//! (c) How many commands a second over HTTP, with tokens, validation and encryption?

use std::path::Path;

use anyhow::Result;
use praxis_testkit::servers::mysql_url;

use crate::Kind;
use crate::appends::baseline::{Baseline, Order};
use crate::deployment::{Running, Services, one_process};
use crate::keys::Keys;
use crate::load::{closed_loop, settle};
use crate::people::People;
use crate::proc::CoreWatch;
use crate::report::Report;
use crate::servers::{drop_schema, pid_of_mysqld};

const CLIENTS: [usize; 2] = [64, 256];

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
    measure(report, &running, &services.keys, &watched).await?;
    report.memory("command-api", "after (c)", running.pid())?;
    running.stop().await?;
    let baseline = Baseline::open(&services.events_url).await?;
    let free = baseline.measure(Kind::SendMessage, Order::None, 256).await?;
    report.line(&format!(
        "| SendMessage by B2, without HTTP (no order, one transaction each) | 256 | {} | |",
        free.cell()
    ));
    report.line("");
    drop_schema(&services.views_url).await?;
    drop_schema(&services.events_url).await
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
) -> Result<()> {
    let desks = CLIENTS.into_iter().max().unwrap_or_default();
    let mut people = People::register(running.address, keys, desks, PATIENTS).await?;
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
            let figure = closed_loop(running.address, requests).await?;
            report.line(&format!(
                "| {} | {clients} | {} | {} |",
                kind.name(),
                figure.cell(),
                watch.cell()
            ));
        }
    }
    Ok(())
}
