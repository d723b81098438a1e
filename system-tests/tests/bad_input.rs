//! What do the programs say when what they are given to stand on is away, in use, or another's?

use std::time::Duration;

use chrono::TimeDelta;
use praxis_auth::claims::{Principal, Role};
use praxis_auth::generate::{KeySize, generate};
use praxis_auth::sign::TokenSigner;
use praxis_runtime::clock;
use praxis_runtime::ids::new_id;
use praxis_system_tests::deployment::Deployment;
use praxis_system_tests::one_process::OneProcess;
use praxis_system_tests::service::Program;
use praxis_testkit::ports::free_port;
use praxis_testkit::servers::{kafka_brokers, mysql_url};
use serde_json::{Value, json};

const TIME_MAX: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_whose_database_is_away_at_start_ends_with_what_is_missing() -> anyhow::Result<()> {
    let deployment = Deployment::found(&mysql_url(), &kafka_brokers()).await?;
    let nowhere = format!("mysql://praxis:Marker-password@127.0.0.1:{}/praxis", free_port());
    let away = [("PRAXIS_EVENTS_URL", &*nowhere)];
    for program in [Program::CommandApi, Program::Projector, Program::QueryApi] {
        let mut service = deployment.spawn_with(program, &away)?;
        let status = service.process.wait(TIME_MAX).await?;
        let output = service.process.output()?;
        assert!(!status.success(), "{} started: {output}", program.binary());
        assert!(
            output.contains("cannot use the event store") && output.contains("unavailable"),
            "{output}"
        );
        assert!(!output.contains("Marker"), "{output}");
    }
    let told = deployment.praxis_with(&["migrate"], &away).await?;
    assert!(
        !told.success && told.output.contains("unavailable") && !told.output.contains("Marker"),
        "{}",
        told.output
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_directory_in_use_is_refused_with_the_address_of_its_server() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    let signing = generate(KeySize::Rsa2048)?;
    let mut first = OneProcess::start(&data, &signing, &[]).await?;
    let mut second = OneProcess::spawn(&data, &signing, &[])?;
    let status = second.process.wait(TIME_MAX).await?;
    let output = second.process.output()?;
    assert!(!status.success(), "{output}");
    let expected = format!("is in use by the server at http://{}", first.api);
    assert!(output.contains(&expected), "{output}");
    // The first one was not disturbed, and leaves the directory to the next.
    first.end_well().await?;
    OneProcess::start(&data, &signing, &[]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_without_the_key_encryption_key_of_its_log_is_not_ready() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    let signing = generate(KeySize::Rsa2048)?;
    let mut first = OneProcess::start(&data, &signing, &[]).await?;
    let principal = Principal {
        account_id: new_id(),
        role: Role::Staff,
        patient_id: None,
        practitioner_id: None,
    };
    let signer = TokenSigner::try_new(signing.private_pem(), "praxis", "praxis")?;
    let token = signer.mint(&principal, clock::now(), TimeDelta::hours(1), new_id())?;
    let written = reqwest::Client::new()
        .post(format!("http://{}/patients", first.api))
        .bearer_auth(token)
        .json(&json!({ "family_name": "Probe" }))
        .send()
        .await?;
    assert_eq!(written.status(), 201);
    first.end_well().await?;

    let another = format!("{}:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", new_id());
    let mut second = OneProcess::spawn(&data, &signing, &[("PRAXIS_KEK", &another)])?;
    second.wait_until_serving("/health").await?;
    let ready = reqwest::get(format!("http://{}/ready", second.admin)).await?;
    assert_eq!(ready.status(), 503);
    let told: Value = ready.json().await?;
    let checks = told["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let keys = checks.iter().find(|check| check["name"] == "keys");
    assert!(keys.is_some_and(|check| check["ready"] == false), "{told}");
    Ok(())
}
