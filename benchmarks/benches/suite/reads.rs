//! (f) How many reads a second over HTTP, of one appointment and of a practitioner's day, in a large practice?

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use chrono::{Days, NaiveDate};
use praxis_auth::claims::Role;
use uuid::Uuid;

use crate::dataset::{Dataset, OnMySql};
use crate::keys::Keys;
use crate::load::{MEASURED, Requests, closed_loop};
use crate::proc::CoreWatch;
use crate::report::Report;
use crate::wire::{Connection, get};

const CLIENTS: [usize; 2] = [16, 64];

/// Days of the practice on either side of the one it was begun on, of which all workdays have appointments.
const DAYS_EACH_WAY: u64 = 165;

/// How many days are looked at to know ids of appointments: some 36,000 of them, over the whole practice.
const DAYS_LOOKED_AT: usize = 1_500;

/// A real `query-api` on MySQL.
pub async fn on_mysql(report: &mut Report, patients: u32) -> Result<()> {
    let OnMySql {
        dataset,
        server,
        services,
    } = Dataset::on_mysql(patients).await?;
    // Fills the read models where they are new, or of other folds than this version's.
    let (command_api, projector) = (services.command_api().await?, services.projector().await?);
    let query_api = services.query_api().await?;
    projector.stop().await?;
    command_api.stop().await?;
    report.memory("query-api", "idle", query_api.pid())?;
    let mut watched = vec![("query-api", query_api.pid())];
    watched.extend(server.pid().map(|pid| ("mysqld", pid)));
    let title = format!("reads, MySQL ({})", server.settings);
    measure(report, &title, query_api.address, &dataset, &watched).await?;
    report.memory("query-api", "after (f)", query_api.pid())?;
    query_api.stop().await?;
    server.stop().await
}

/// A real `praxis serve` on SQLite files.
pub async fn on_sqlite(report: &mut Report, patients: u32) -> Result<()> {
    let (dataset, running) = Dataset::on_sqlite(patients).await?;
    let watched = [("praxis", running.pid())];
    measure(
        report,
        "reads, SQLite (praxis serve)",
        running.address,
        &dataset,
        &watched,
    )
    .await?;
    report.memory("praxis serve", "after (f)", running.pid())?;
    running.stop().await
}

async fn measure(
    report: &mut Report,
    title: &str,
    address: SocketAddr,
    dataset: &Dataset,
    watched: &[(&'static str, u32)],
) -> Result<()> {
    let known = Arc::new(Known::look(address, &dataset.keys, dataset.begun).await?);
    report.line(&format!(
        "| {title} | clients | per second (p50 / p99) | bytes | cores |"
    ));
    report.line("|---|---|---|---|---|");
    for what in [What::Appointment, What::Day] {
        for clients in CLIENTS {
            if !report.asked_for(what.name()) || !report.asked_for(&clients.to_string()) {
                continue;
            }
            let mut requests = Vec::with_capacity(clients);
            for client in 0..clients {
                requests.push(known.reader(what, client, dataset.keys.token(Role::Staff)?));
            }
            let bytes = known.answer_bytes(address, what, &dataset.keys).await?;
            let watch = CoreWatch::begin(watched);
            let figure = closed_loop(address, requests, MEASURED).await?;
            let (name, cores) = (what.name(), watch.cell());
            report.line(&format!(
                "| {name} | {clients} | {} | {bytes} | {cores} |",
                figure.cell()
            ));
        }
    }
    report.line("");
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Appointment,
    Day,
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::Appointment => "appointment",
            Self::Day => "day",
        }
    }
}

/// What there is to be read.
struct Known {
    practitioners: Vec<Uuid>,
    days: Vec<NaiveDate>,
    appointments: Vec<Uuid>,
}

impl Known {
    async fn look(address: SocketAddr, keys: &Keys, begun: NaiveDate) -> Result<Self> {
        let token = keys.token(Role::Staff)?;
        let mut connection = Connection::open(address).await?;
        let list = connection
            .exchange(&get("/practitioners?limit=100", &token))
            .await?
            .require_success()?
            .document()?;
        let first = begun
            .checked_sub_days(Days::new(DAYS_EACH_WAY))
            .context("a day")?;
        let mut known = Self {
            practitioners: ids_of(&list)?,
            days: first.iter_days().take(2 * DAYS_EACH_WAY as usize).collect(),
            appointments: Vec::new(),
        };
        // Days without appointments (weekends, holidays of the plan) are not worth reading.
        let mut worked = Vec::new();
        for day in &known.days {
            let path = day_path(known.practitioners[0], *day);
            let list = connection
                .exchange(&get(&path, &token))
                .await?
                .require_success()?
                .document()?;
            if !ids_of(&list)?.is_empty() {
                worked.push(*day);
            }
        }
        known.days = worked;
        ensure!(!known.days.is_empty(), "the practice has no appointments");
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..DAYS_LOOKED_AT {
            let path = known.random_path(What::Day, &mut random)?;
            let list = connection
                .exchange(&get(&path, &token))
                .await?
                .require_success()?
                .document()?;
            known.appointments.extend(ids_of(&list)?);
        }
        Ok(known)
    }

    fn random_path(&self, what: What, random: &mut fastrand::Rng) -> Result<String> {
        Ok(match what {
            What::Appointment => {
                let id = random.choice(&self.appointments).context("no appointments")?;
                format!("/appointments/{id}")
            }
            What::Day => {
                let practitioner = random.choice(&self.practitioners).context("no practitioners")?;
                day_path(*practitioner, *random.choice(&self.days).context("no days")?)
            }
        })
    }

    fn reader(self: &Arc<Self>, what: What, client: usize, token: String) -> Requests {
        let known = Arc::clone(self);
        let mut random = fastrand::Rng::with_seed(client as u64);
        Box::new(move || Ok(get(&known.random_path(what, &mut random)?, &token)))
    }

    /// How long an answer's body is on average, bytes.
    async fn answer_bytes(&self, address: SocketAddr, what: What, keys: &Keys) -> Result<usize> {
        const SAMPLES: usize = 20;
        let (token, mut random) = (keys.token(Role::Staff)?, fastrand::Rng::with_seed(11));
        let (mut connection, mut bytes) = (Connection::open(address).await?, 0);
        for _ in 0..SAMPLES {
            let path = self.random_path(what, &mut random)?;
            bytes += connection
                .exchange(&get(&path, &token))
                .await?
                .require_success()?
                .body
                .len();
        }
        Ok(bytes / SAMPLES)
    }
}

fn day_path(practitioner: Uuid, day: NaiveDate) -> String {
    format!("/appointments?practitioner_id={practitioner}&date={day}&limit=50")
}

fn ids_of(list: &serde_json::Value) -> Result<Vec<Uuid>> {
    let items = list["items"].as_array().context("a list has items")?;
    items
        .iter()
        .map(|item| Ok(item["id"].as_str().context("an item has an id")?.parse()?))
        .collect()
}
