//! Does everyone say so, and stop or refuse, when the database was restored to an earlier state? Nobody may skip events,
//! show what no longer happened, or give a position a second meaning.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use praxis_auth::claims::Role;
use praxis_system_tests::client::{Client, Request};
use praxis_system_tests::service::{Program, Service};
use praxis_system_tests::tier::Tier;
use praxis_testkit::servers::{MySqlServer, kafka_brokers};
use tokio::time::{Instant, sleep};

const SOME: usize = 150;
/// Much longer than so many take when everything is there, also beside another test.
const SOON: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// In what everyone says.
const RESTORED: &str = "restored to an earlier state";

/// The whole server, log and read models both, as an operator puts a backup back: beneath running processes, and
/// before they start again. Then the database agrees with itself, and only memory and Kafka know better.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_server_is_refused_by_who_saw_more_and_by_who_asks_kafka() -> anyhow::Result<()> {
    let mut mysql = MySqlServer::start().await?;
    let mut tier = Tier::start(&mysql.url(), &kafka_brokers(), 1).await?;
    let mut load = tier.load();
    load.goes_on(SOME, SOON).await?;
    tier.assert_nothing_lost_or_repeated(&load.end().await?).await?;

    mysql.stop().await?;
    let backup = mysql.copy_data().await?;
    mysql.restart().await?;
    let admin = Client::new(&tier.deployment, Role::Admin, None, SOON)?;
    let mut last = String::new();
    for number in 0..20 {
        let base = tier.command_apis[number % 2].base();
        last = written(&admin, &base).await?;
    }
    let read = admin
        .get(&tier.query_api.base(), "/locations", Some(&last))
        .await?;
    ensure!(read.status == 200, "what was lost had been seen: {read:?}");
    // It looks at the log once a second, and when it is asked.
    let position = last.split_once('-').map_or("", |(_, position)| position);
    wait_until_told(&tier.query_api, &format!("at position {position}")).await?;
    mysql.stop().await?;
    mysql.put_back(&backup).await?;
    mysql.restart().await?;

    for api in &mut tier.command_apis {
        refuses(api, &admin, &Request::register_location()).await?;
    }
    stops(&mut tier.projectors[0]).await?;
    is_not_ready(&tier.query_api).await?;
    refuses_reads(&tier.query_api, &admin).await?;

    // Who begins anew remembers nothing. Kafka does.
    for api in &mut tier.command_apis {
        api.process.kill_9()?;
    }
    let api = &mut tier.command_apis[0];
    api.spawn_again()?;
    stops(api).await?;
    // Neither is what Kafka still has of the lost history folded: by a group that has not read it yet.
    let group = [("PRAXIS_KAFKA_GROUP", "praxis-test-of-restored")];
    let mut projector = tier.deployment.spawn_with(Program::Projector, &group)?;
    stops(&mut projector).await
}

/// The log alone, in place: read models and processes are ahead of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_cut_short_is_refused_by_the_running_and_the_new() -> anyhow::Result<()> {
    let mysql = MySqlServer::start().await?;
    let mut tier = Tier::start(&mysql.url(), &kafka_brokers(), 1).await?;
    let mut load = tier.load();
    load.goes_on(SOME, SOON).await?;
    let log = tier.assert_nothing_lost_or_repeated(&load.end().await?).await?;
    // Everyone has seen some of what is lost.
    let kept = &log.events[log.events.len() - 101];
    let (schema, position) = (tier.deployment.events_schema(), kept.position);
    let cut_short = format!(
        "USE {schema}; BEGIN; DELETE FROM events WHERE position > {position}; UPDATE log_head SET position = {position},
         recorded_at = (SELECT recorded_at FROM events WHERE position = {position}); COMMIT"
    );
    mysql.client(&cut_short).await?;

    let admin = Client::new(&tier.deployment, Role::Admin, None, SOON)?;
    for api in &mut tier.command_apis {
        refuses(api, &admin, &Request::register_location()).await?;
    }
    stops(&mut tier.projectors[0]).await?;
    is_not_ready(&tier.query_api).await?;

    for api in &mut tier.command_apis {
        api.process.kill_9()?;
    }
    tier.query_api.process.kill_9()?;
    tier.command_apis[1].spawn_again()?;
    stops(&mut tier.command_apis[1]).await?;
    tier.projectors[0].spawn_again()?;
    stops(&mut tier.projectors[0]).await?;
    tier.query_api.spawn_again()?;
    is_not_ready(&tier.query_api).await?;
    refuses_reads(&tier.query_api, &admin).await
}

/// What an operator does (docs/how-to/back-up-and-restore.md), twice with one backup, while Kafka keeps what each life of the
/// log has told: positions that two or three events have had. Nobody is held up by it, and rows are the fold of the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_go_on_after_praxis_restore_beside_what_former_lives_have_published() -> anyhow::Result<()> {
    let mut mysql = MySqlServer::start().await?;
    let mut tier = Tier::start(&mysql.url(), &kafka_brokers(), 1).await?;
    let mut load = tier.load();
    load.goes_on(SOME, SOON).await?;
    let kept = load.end().await?;
    tier.assert_nothing_lost_or_repeated(&kept).await?;
    let kept_root = root(&tier).await?;
    mysql.stop().await?;
    let backup = mysql.copy_data().await?;
    mysql.restart().await?;

    let admin = Client::new(&tier.deployment, Role::Admin, None, SOON)?;
    let mut epochs = vec![1];
    for _ in 0..2 {
        let mut lost = String::new();
        for number in 0..20 {
            let base = tier.command_apis[number % 2].base();
            lost = written(&admin, &base).await?;
        }
        let read = admin
            .get(&tier.query_api.base(), "/locations", Some(&lost))
            .await?;
        ensure!(read.status == 200, "what was lost had been seen: {read:?}");
        let lost_root = root(&tier).await?;

        kill_all(&mut tier)?;
        mysql.stop().await?;
        mysql.put_back(&backup).await?;
        mysql.restart().await?;
        let look = [
            "restore",
            "--dry-run",
            "--expect",
            &kept_root,
            "--expect",
            &lost_root,
        ];
        let told = tier.deployment.praxis(&look).await?;
        ensure!(told.success, "{}", told.output);
        let named = format!("to {}\n", parts(&lost)?.1);
        ensure!(told.output.contains(&named), "{named} is not in {}", told.output);
        ensure!(
            told.output.contains("1 root kept outside is equal"),
            "{}",
            told.output
        );
        ensure!(told.output.contains("nothing was changed"), "{}", told.output);
        let told = tier
            .deployment
            .praxis(&["restore", "--yes", "--expect", &kept_root])
            .await?;
        ensure!(told.success, "{}", told.output);

        start_all(&mut tier).await?;
        let first = written(&admin, &tier.command_apis[0].base()).await?;
        let (epoch, position) = parts(&first)?;
        let (epoch_lost, position_lost) = parts(&lost)?;
        ensure!(
            !epochs.contains(&epoch),
            "epoch {epoch} was used before: {epochs:?}"
        );
        ensure!(
            epoch > epoch_lost && position < position_lost,
            "{first} follows {lost}"
        );
        epochs.push(epoch);
        let read = admin
            .get(&tier.query_api.base(), "/locations", Some(&first))
            .await?;
        ensure!(read.status == 200, "{read:?}");
        let refused = admin
            .get(&tier.query_api.base(), "/locations", Some(&lost))
            .await?;
        ensure!(refused.status == 400, "{refused:?}");
        ensure!(refused.text.contains("position-lost"), "{refused:?}");
    }

    // Whoever reads the topic from its beginning meets all three lives.
    let group = [("PRAXIS_KAFKA_GROUP", "praxis-test-of-three-lives")];
    let beginner = tier.deployment.start_with(Program::Projector, &group).await?;
    tier.projectors.push(beginner);
    let mut load = tier.callers.load_beside(&tier.targets());
    load.goes_on(SOME, SOON).await?;
    let all = [kept, load.end().await?].concat();
    tier.assert_all_run()?;
    // And the one that was read back after the second restore.
    tier.assert_nothing_lost_or_repeated_beside(&all, 1).await?;
    Ok(())
}

/// Processes that were forgotten: a projector that goes on across the restore ends, and once started again builds anew; a
/// `command-api` keeps the lease, and `praxis restore` refuses to begin beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_not_stopped_is_in_the_way_of_a_restore_or_ends_by_itself() -> anyhow::Result<()> {
    let mysql = MySqlServer::start().await?;
    let mut tier = Tier::start(&mysql.url(), &kafka_brokers(), 1).await?;
    let mut load = tier.load();
    load.goes_on(SOME, SOON).await?;
    let all = load.end().await?;
    tier.assert_nothing_lost_or_repeated(&all).await?;

    let refused = tier.deployment.praxis(&["restore", "--yes"]).await?;
    ensure!(!refused.success, "{}", refused.output);
    ensure!(
        refused.output.contains("stop every command-api"),
        "{}",
        refused.output
    );

    for api in &mut tier.command_apis {
        api.process.kill_9()?;
    }
    // As where the read models are on a server that `praxis restore` is not told of: nobody gives them up for others.
    let no_views = [("PRAXIS_VIEWS_URL", "mysql://nobody:none@127.0.0.1:9/none")];
    let told = tier
        .deployment
        .praxis_with(&["restore", "--yes"], &no_views)
        .await?;
    ensure!(told.success, "{}", told.output);
    ensure!(told.output.contains("read models: not asked"), "{}", told.output);
    let projector = &mut tier.projectors[0];
    let status = projector.process.wait(SOON).await?;
    ensure!(!status.success(), "the projector ended with success");
    ensure!(
        projector.process.output()?.contains("it was restored since"),
        "the projector does not say why it ended"
    );
    wait_until_told(&tier.query_api, "it was restored since").await?;

    tier.query_api.process.kill_9()?;
    start_all(&mut tier).await?;
    let told = tier.projectors[0].process.output()?;
    ensure!(told.contains("of an earlier life of the log"), "{told}");
    let mut load = tier.callers.load_beside(&tier.targets());
    load.goes_on(SOME, SOON).await?;
    let all = [all, load.end().await?].concat();
    tier.assert_nothing_lost_or_repeated(&all).await?;
    Ok(())
}

/// What `praxis audit verify` says of the log beside the running services.
async fn root(tier: &Tier) -> anyhow::Result<String> {
    let told = tier.deployment.praxis(&["audit", "verify"]).await?;
    ensure!(told.success, "{}", told.output);
    let line = told.output.lines().find_map(|line| line.strip_prefix("root "));
    Ok(line.context("the root is told")?.to_owned())
}

/// Epoch and position.
fn parts(position: &str) -> anyhow::Result<(u64, u64)> {
    let (epoch, position) = position.split_once('-').context("a position has two parts")?;
    Ok((epoch.parse()?, position.parse()?))
}

fn kill_all(tier: &mut Tier) -> anyhow::Result<()> {
    for service in tier.command_apis.iter_mut().chain(&mut tier.projectors) {
        service.process.kill_9()?;
    }
    tier.query_api.process.kill_9()
}

async fn start_all(tier: &mut Tier) -> anyhow::Result<()> {
    for service in tier.command_apis.iter_mut().chain(&mut tier.projectors) {
        if service.process.ended()?.is_some() {
            service.start_again().await?;
        }
    }
    tier.query_api.start_again().await
}

/// The position of what was written.
async fn written(admin: &Client, base: &str) -> anyhow::Result<String> {
    let began = Instant::now();
    let request = Request::register_location();
    loop {
        // Connections that the restart ended are replaced.
        match admin.send(base, &request).await {
            Ok(reply) if reply.is_written() => return Ok(reply.position()?.to_owned()),
            Ok(reply) => ensure!(reply.status == 503, "the command was answered {reply:?}"),
            Err(error) => ensure!(began.elapsed() < SOON, "the command was not answered: {error:#}"),
        }
        ensure!(began.elapsed() < SOON, "the command was never acknowledged");
        sleep(POLL_INTERVAL).await;
    }
}

/// It ends by itself, or goes on and answers 503 for good; either way it says why.
async fn refuses(api: &mut Service, admin: &Client, request: &Request) -> anyhow::Result<()> {
    let began = Instant::now();
    while !api.process.output()?.contains(RESTORED) {
        match admin.send(&api.base(), request).await {
            Ok(reply) => ensure!(reply.status == 503, "the command was answered {reply:?}"),
            Err(error) => ensure!(
                error.is::<reqwest::Error>(),
                "the command was not sent: {error:#}"
            ),
        }
        ensure!(
            began.elapsed() < SOON,
            "the process does not say that the log was {RESTORED}"
        );
        sleep(POLL_INTERVAL).await;
    }
    if api.process.ended()?.is_none() {
        is_not_ready(api).await?;
        let reply = admin.send(&api.base(), request).await?;
        ensure!(reply.status == 503, "the command was answered {reply:?}");
    }
    Ok(())
}

/// It ends by itself, with a failure that it explains.
async fn stops(service: &mut Service) -> anyhow::Result<()> {
    let status = service.process.wait(SOON).await?;
    ensure!(
        !status.success(),
        "{} ended with success",
        service.program.binary()
    );
    says_so(service).await
}

async fn says_so(service: &Service) -> anyhow::Result<()> {
    let began = Instant::now();
    while !service.process.output()?.contains(RESTORED) {
        ensure!(
            began.elapsed() < SOON,
            "{} does not say that the log was {RESTORED}",
            service.program.binary()
        );
        sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

/// Soon, because it asks every second, and then for good.
async fn refuses_reads(query_api: &Service, admin: &Client) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut refused = 0;
    while refused < 5 {
        let read = admin.get(&query_api.base(), "/locations", None).await?;
        match read.status {
            503 => refused += 1,
            200 if refused == 0 => ensure!(began.elapsed() < SOON, "the read was answered {read:?}"),
            _ => anyhow::bail!("the read was answered {read:?}"),
        }
        sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

/// It says so to whoever asks whether it is ready.
async fn is_not_ready(service: &Service) -> anyhow::Result<()> {
    let told = wait_until_told(service, RESTORED).await?;
    ensure!(told.starts_with("503"), "{} is {told}", service.program.binary());
    Ok(())
}

/// What `/ready` says as soon as that is in it.
async fn wait_until_told(service: &Service, wanted: &str) -> anyhow::Result<String> {
    let began = Instant::now();
    loop {
        let told = match reqwest::get(format!("{}/ready", service.admin())).await {
            Ok(answer) => format!("{}: {}", answer.status().as_u16(), answer.text().await?),
            Err(error) => error.to_string(),
        };
        if told.contains(wanted) {
            return Ok(told);
        }
        ensure!(
            began.elapsed() < SOON,
            "{} is {told}, and not {wanted}",
            service.program.binary()
        );
        sleep(POLL_INTERVAL).await;
    }
}
