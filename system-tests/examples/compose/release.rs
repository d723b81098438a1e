//! Does anybody notice a release that changes a fold, and the way back from it?
//!
//! The next release is built from the same sources with the version of one fold raised, so that its rows must be those of
//! this one. Its projector is started beside this one's, with a generation of its own; then its query API, and this one's
//! is stopped. The way back is the same backwards: this release's projector never stopped.

use std::time::Duration;

use anyhow::ensure;
use praxis_read_models::registry::{Generation, GenerationState, Registry as _};
use praxis_store_mysql::views::MySqlRegistry;
use praxis_system_tests::practice::Practice as _;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use tokio::time::{Instant, sleep};

use crate::docker::{Container, docker, running};
use crate::scene::{SOME, SOON, Scene};
use crate::stopping::{REQUESTS, assert_found_by_the_gateway, end_well};

const NEXT_SERVICES: [&str; 2] = ["projector-next", "query-api-next"];
/// The log of this run is some ten thousand events.
const FILLED_TIME_MAX: Duration = Duration::from_mins(1);
/// Both projectors have come to the end of a log that nobody writes to by then.
const SAME_TIME_MAX: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Told apart by the fingerprint of their folds: this one's is the driver's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Release {
    This,
    Next,
}

pub async fn run(scene: &Scene) -> anyhow::Result<()> {
    let released = release_and_go_back(scene).await;
    // Whatever was found: what is left of the next release would be in the way of what comes.
    let mut remove = vec!["compose", "--profile", "next", "rm", "--stop", "--force"];
    remove.extend(NEXT_SERVICES);
    docker(&remove).await?;
    released
}

async fn release_and_go_back(scene: &Scene) -> anyhow::Result<()> {
    let report = &scene.report;
    let reading = scene.begin_reading().await?;
    let mut chapter = scene.begin_load().await?;
    let old = running("query-api").await?;

    let began = Instant::now();
    start_next(NEXT_SERVICES[0]).await?;
    let next = ready_generation(scene, Release::Next).await?;
    let filled = format!(
        "generation {} of the folds {} is ready after {:.1} s",
        next.number,
        next.fingerprint,
        began.elapsed().as_secs_f64()
    );
    report.check(
        "the next projector fills rows of its own beside this one's",
        Ok(filled),
    );

    start_next(NEXT_SERVICES[1]).await?;
    let new = running(NEXT_SERVICES[1]).await?;
    assert_found_by_the_gateway(&new[0]).await?;
    for container in &old {
        let ended = end_well(container, 0).await;
        report.check(&format!("{} gives way", container.name), ended);
    }
    report.check(
        "reads are answered by the next release",
        answers(&new[0], next.number, &mut chapter.load).await,
    );

    for container in &old {
        docker(&["start", &container.id]).await?;
        container.wait_until_ready(true).await?;
        assert_found_by_the_gateway(container).await?;
    }
    report.check("the next query API gives way", end_well(&new[0], 0).await);
    let this = ready_generation(scene, Release::This).await?;
    report.check(
        "reads are answered by this release",
        answers(&old[0], this.number, &mut chapter.load).await,
    );

    let reads = reading.end().await;
    let proved = scene.end_load(chapter, 0).await?;
    report.check(
        "no read fails in a release and its way back",
        reads.map(|served| format!("{served} reads served")),
    );
    report.check(
        "no command fails in them",
        proved.assert_all_served().map(|()| proved.told()),
    );
    report.check(
        "both releases have the same rows",
        same_rows(scene, this.number, next.number).await,
    );
    let projector = running(NEXT_SERVICES[0]).await?;
    report.check("the next projector ends", end_well(&projector[0], 0).await);
    Ok(())
}

async fn start_next(service: &str) -> anyhow::Result<()> {
    docker(&[
        "compose",
        "--profile",
        "next",
        "up",
        "--detach",
        "--wait",
        "--no-deps",
        service,
    ])
    .await?;
    Ok(())
}

/// The generation that a release reads, once there is one.
async fn ready_generation(scene: &Scene, of: Release) -> anyhow::Result<Generation> {
    let began = Instant::now();
    let registry = MySqlRegistry::open(&scene.practice.views_url()).await?;
    loop {
        let all = registry.generations().await?;
        let ready = all
            .iter()
            .filter(|known| known.state == GenerationState::Ready)
            .filter(|known| (known.fingerprint == registry.fingerprint()) == (of == Release::This))
            .max_by_key(|known| known.number);
        if let Some(ready) = ready {
            return Ok(*ready);
        }
        ensure!(
            began.elapsed() < FILLED_TIME_MAX,
            "no generation of {of:?} is ready after {FILLED_TIME_MAX:?}: {all:?}"
        );
        sleep(POLL_INTERVAL).await;
    }
}

/// That this container serves that generation, and answers requests while the load goes on.
async fn answers(
    container: &Container,
    generation: u32,
    load: &mut praxis_system_tests::load::Load,
) -> anyhow::Result<String> {
    let now = container.again().await?;
    let (ready, told) = now.readiness().await?;
    let wanted = format!("generation {generation}");
    let checks = told["checks"].as_array().into_iter().flatten();
    let serves = checks
        .filter_map(|check| check["detail"].as_str())
        .any(|detail| detail == wanted);
    ensure!(ready && serves, "{} serves {told}", container.name);
    let before = now.metric(REQUESTS).await?;
    load.goes_on(SOME, SOON).await?;
    let answered = now.metric(REQUESTS).await? - before;
    ensure!(answered >= 1.0, "{} was asked nothing", container.name);
    Ok(format!("{} answered {answered} from {wanted}", container.name))
}

/// By the checksums of their tables, once both projectors have come to the end.
async fn same_rows(scene: &Scene, one: u32, other: u32) -> anyhow::Result<String> {
    let mut server = MySqlConnection::connect(scene.practice.server_url()).await?;
    let began = Instant::now();
    loop {
        let (of_one, of_other) = (
            checksums(&mut server, one).await?,
            checksums(&mut server, other).await?,
        );
        ensure!(of_one.len() > 1, "generation {one} has tables");
        if of_one == of_other {
            return Ok(format!(
                "{} tables of generations {one} and {other} have equal checksums",
                of_one.len()
            ));
        }
        ensure!(
            began.elapsed() < SAME_TIME_MAX,
            "generation {one}: {of_one:?}, generation {other}: {of_other:?}"
        );
        sleep(POLL_INTERVAL).await;
    }
}

/// Of each table of rows by its name; where the projector stands is its own affair.
async fn checksums(
    server: &mut MySqlConnection,
    generation: u32,
) -> anyhow::Result<Vec<(String, Option<i64>)>> {
    let schema = format!("praxis_views_{generation}");
    let query = "SELECT CAST(table_name AS CHAR) FROM information_schema.tables
        WHERE table_schema = ? AND table_name <> 'checkpoints' ORDER BY table_name";
    let names = sqlx::query(query).bind(&schema).fetch_all(&mut *server).await?;
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let table: String = name.get(0);
        let query = format!("CHECKSUM TABLE `{schema}`.`{table}` EXTENDED");
        let row = sqlx::raw_sql(AssertSqlSafe(query))
            .fetch_one(&mut *server)
            .await?;
        found.push((table, row.try_get::<Option<i64>, _>(1)?));
    }
    Ok(found)
}
