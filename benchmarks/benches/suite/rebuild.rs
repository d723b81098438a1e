//! (e) How many events a second does a projector fold when it builds read models anew: from Kafka, where the topic still
//! holds them all, and from the event store, where it holds none?

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::dataset::{Dataset, OnMySql};
use crate::deployment::Services;
use crate::proc::CoreWatch;
use crate::report::Report;
use crate::servers::drop_schema;

/// The base schema of the read models that are built.
const VIEWS: &str = "praxis_bench_rebuild";

/// A build is broken off after that; its rate is known by then.
const BUILD_TIME_MAX: Duration = Duration::from_secs(100);

/// How long nothing may be folded or published.
const STANDSTILL_MAX: Duration = Duration::from_mins(1);

const LOOK_PERIOD: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Kafka,
    EventStore,
}

impl From {
    const fn name(self) -> &'static str {
        match self {
            Self::Kafka => "Kafka",
            Self::EventStore => "event store",
        }
    }
}

/// Both ways, over the events of the kept practice.
pub async fn on_mysql(report: &mut Report, patients: u32) -> Result<()> {
    let OnMySql { server, services, .. } = Dataset::on_mysql(patients).await?;
    report.line(&format!(
        "| rebuild, MySQL ({}) | events per second | events | seconds | cores |",
        server.settings
    ));
    report.line("|---|---|---|---|---|");
    for from in [From::Kafka, From::EventStore] {
        if report.asked_for(from.name()) {
            one(
                report,
                from,
                &server.url,
                server.pid(),
                services.anew(&server.url, VIEWS).await?,
            )
            .await?;
        }
    }
    report.line("");
    server.stop().await
}

async fn one(
    report: &mut Report,
    from: From,
    server_url: &str,
    mysqld: Option<u32>,
    services: Services,
) -> Result<()> {
    let mut log = MySqlConnection::connect(&services.events_url).await?;
    let (head,): (u64,) = sqlx::query_as("SELECT position FROM log_head")
        .fetch_one(&mut log)
        .await?;
    let began = Instant::now();
    if from == From::Kafka {
        // As at the log's first day: the relay publishes everything there is.
        sqlx::query("UPDATE relay SET position = 0, partitions = '', frontier = ''")
            .execute(&mut log)
            .await?;
    }
    let command_api = services.command_api().await?;
    if from == From::Kafka {
        watch(&mut log, "SELECT position FROM relay", head, STANDSTILL_MAX * 5).await?;
        let seconds = began.elapsed().as_secs_f64();
        report.line(&format!(
            "| (published by the relay) | {:.0} | {head} | {seconds:.0} | |",
            head as f64 / seconds
        ));
    }
    let projector = services.projector().await?;
    report.memory("projector", "idle", projector.pid())?;
    let mut watched = vec![("projector", projector.pid()), ("command-api", command_api.pid())];
    watched.extend(mysqld.map(|pid| ("mysqld", pid)));
    let cores = CoreWatch::begin(&watched);
    let mut views = MySqlConnection::connect(server_url).await?;
    // A partition that has none yet counts as at its beginning; streams are spread evenly over them.
    let applied = format!(
        "SELECT CAST(COALESCE(SUM(position), 0) DIV {} AS UNSIGNED) FROM {VIEWS}_1.checkpoints",
        Services::PARTITIONS
    );
    let built = watch(&mut views, &applied, head, BUILD_TIME_MAX).await?;
    report.line(&format!(
        "| from {} | {:.0} | {} | {:.1} | {} |",
        from.name(),
        built.count as f64 / built.took.as_secs_f64(),
        built.count,
        built.took.as_secs_f64(),
        cores.cell()
    ));
    report.memory(
        "projector",
        &format!("after (e) from {}", from.name()),
        projector.pid(),
    )?;
    projector.stop().await?;
    command_api.stop().await?;
    drop_schema(&services.generation_url(1)).await?;
    drop_schema(&services.views_url).await
}

/// How far something went while it was watched.
struct Moved {
    count: u64,
    took: Duration,
}

/// Watches a number rise from its first move until it is at `until`, or the time is up.
async fn watch(
    connection: &mut MySqlConnection,
    statement: &str,
    until: u64,
    at_most: Duration,
) -> Result<Moved> {
    let (mut first, mut last) = (None, (Instant::now(), 0));
    loop {
        // The table may not be there yet.
        let found: (u64,) = sqlx::query_as(AssertSqlSafe(statement.to_owned()))
            .fetch_one(&mut *connection)
            .await
            .unwrap_or_default();
        let now = Instant::now();
        if found.0 > last.1 {
            last = (now, found.0);
            first.get_or_insert(last);
        } else if now - last.0 > STANDSTILL_MAX {
            bail!(
                "nothing has moved for {STANDSTILL_MAX:?}: at {} of {until}",
                last.1
            );
        }
        let (began, from) = first.unwrap_or(last);
        if found.0 >= until || (first.is_some() && now - began >= at_most) {
            return Ok(Moved {
                count: last.1 - from,
                took: last.0 - began,
            });
        }
        tokio::time::sleep(LOOK_PERIOD).await;
    }
}
