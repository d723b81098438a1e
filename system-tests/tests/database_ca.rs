//! Does nobody speak to a MySQL server that cannot show who it is, and do they say so?

use std::time::Duration;

use anyhow::ensure;
use praxis_system_tests::deployment::Deployment;
use praxis_system_tests::service::{Program, Service};
use praxis_testkit::certificates::{Authority, ServerCertificate};
use praxis_testkit::servers::{MySqlServer, kafka_brokers};
use tokio::time::{Instant, sleep};

const TIME_MAX: Duration = Duration::from_mins(1);
/// More than the 160 KB that AWS' bundle of all regions has.
const BUNDLE_BYTES_MIN: usize = 200 * 1024;
const REFUSED: &str = "the database's certificate is refused";
const WARNED: &str = "the database's certificate is not verified";

fn options(authority: &Authority, server: &ServerCertificate) -> [(&'static str, String); 3] {
    [
        ("ssl_ca", authority.file().display().to_string()),
        ("ssl_cert", server.certificate.display().to_string()),
        ("ssl_key", server.key.display().to_string()),
    ]
}

/// What a server does that got another certificate, or another server in its place: nobody's connection lives on.
async fn becomes(
    mysql: &MySqlServer,
    authority: &Authority,
    server: &ServerCertificate,
) -> anyhow::Result<()> {
    for (name, file) in options(authority, server) {
        mysql.client(&format!("SET GLOBAL {name} = '{file}'")).await?;
    }
    mysql.client("ALTER INSTANCE RELOAD TLS").await?;
    let open = "SELECT id FROM performance_schema.processlist WHERE db LIKE 'praxis%'";
    for id in mysql.client(open).await?.lines() {
        // It may have ended by itself.
        let _ = mysql.client(&format!("KILL {id}")).await;
    }
    Ok(())
}

/// Waits for this answer of its probe, which says that: not ready it is also for a moment when its connections have ended.
async fn answers(service: &Service, status: u16, saying: &str) -> anyhow::Result<()> {
    let until = Instant::now() + TIME_MAX;
    loop {
        let answer = reqwest::get(format!("{}/ready", service.admin())).await?;
        let (answer, said) = (answer.status(), answer.text().await?);
        if answer == status && said.contains(saying) {
            return Ok(());
        }
        ensure!(
            Instant::now() < until,
            "/ready goes on answering {answer}: {said}"
        );
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_program_speaks_to_a_server_of_another_authority_and_each_says_why() -> anyhow::Result<()> {
    let (ours, other) = (Authority::named("Ours").await?, Authority::named("Other").await?);
    let (own, strange) = (
        ours.certificate_for("IP:127.0.0.1").await?,
        other.certificate_for("IP:127.0.0.1").await?,
    );
    let started = options(&ours, &own).map(|(name, file)| format!("--{name}={file}"));
    let mysql = MySqlServer::start_with(&started.each_ref().map(String::as_str)).await?;
    let url = mysql.url();
    let password = url.split([':', '@']).nth(2).unwrap_or_default();
    // Its addresses ask for any TLS: what is verified, and whether, is said by the setting alone.
    let deployment = Deployment::found(&url, &kafka_brokers()).await?;
    let (good, bad) = (
        [("PRAXIS_DATABASE_CA", ours.pem())],
        [("PRAXIS_DATABASE_CA", other.pem())],
    );

    for program in [Program::CommandApi, Program::Projector, Program::QueryApi] {
        let mut service = deployment.spawn_with(program, &bad)?;
        let status = service.process.wait(TIME_MAX).await?;
        let output = service.process.output()?;
        ensure!(!status.success(), "{} started: {output}", program.binary());
        ensure!(
            output.contains("cannot use the event store") && output.contains(REFUSED),
            "{output}"
        );
        ensure!(!output.contains(password), "{output}");
    }
    let addresses = tempfile::tempdir()?;
    let addresses = addresses.path().join("secrets").display().to_string();
    let host = format!("127.0.0.1:{}", mysql.port());
    let made = deployment
        .praxis(&["keys", "init", &addresses, "--mysql", &host])
        .await?;
    ensure!(made.success, "{}", made.output);
    // The last is let in by its certificate, and refused for a password that was made up here.
    for (command, succeeds) in [
        (&["migrate"][..], true),
        (&["audit", "verify"], true),
        (&["accounts", "apply", "--from", &addresses], false),
    ] {
        let told = deployment.praxis_with(command, &bad).await?;
        ensure!(
            !told.success && told.output.contains(REFUSED) && !told.output.contains(password),
            "{command:?}: {}",
            told.output
        );
        let told = deployment.praxis_with(command, &good).await?;
        ensure!(
            told.success == succeeds && !told.output.contains(REFUSED),
            "{command:?}: {}",
            told.output
        );
    }

    // This machine by a name that does not show it: whoever is not verified is warned of.
    let elsewhere = deployment.events_url_at(&url.replace("127.0.0.1", "[::ffff:127.0.0.1]"));
    let unverified = [("PRAXIS_EVENTS_URL", &*elsewhere)];
    let warned = deployment.spawn_with(Program::CommandApi, &unverified)?;
    let until = Instant::now() + TIME_MAX;
    while !warned.process.output()?.contains(WARNED) {
        ensure!(Instant::now() < until, "{}", warned.process.output()?);
        sleep(Duration::from_millis(20)).await;
    }
    drop(warned);

    // As large as AWS' of all regions: a variable could not hold it.
    let elsewhere = Authority::named("Of other regions").await?;
    let mut bundle = elsewhere
        .pem()
        .repeat(BUNDLE_BYTES_MIN / elsewhere.pem().len() + 1);
    bundle.push_str(ours.pem());
    let bundles = tempfile::tempdir()?;
    let bundle_file = bundles.path().join("bundle.pem");
    std::fs::write(&bundle_file, bundle)?;
    let bundle_file = bundle_file.display().to_string();
    let by_file = [("PRAXIS_DATABASE_CA_FILE", &*bundle_file)];
    let service = deployment.start_with(Program::CommandApi, &by_file).await?;
    ensure!(
        !service.process.output()?.contains(WARNED),
        "what is verified is warned of"
    );
    becomes(&mysql, &other, &strange).await?;
    answers(&service, 503, REFUSED).await?;
    becomes(&mysql, &ours, &own).await?;
    answers(&service, 200, "").await
}
