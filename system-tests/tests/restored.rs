//! Does everyone say so, and stop or refuse, when the database was restored to an earlier state? Nobody may skip events,
//! show what no longer happened, or give a position a second meaning.

use std::time::Duration;

use anyhow::ensure;
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
