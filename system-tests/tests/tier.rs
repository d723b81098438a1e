//! Does the whole tier, as processes, lead a command to a reader?

use std::time::Duration;

use praxis_auth::claims::Role;
use praxis_system_tests::client::{Client, Request};
use praxis_system_tests::deployment::Deployment;
use praxis_system_tests::service::Program;
use praxis_testkit::processes::workspace_binary;
use praxis_testkit::servers::{kafka_brokers, mysql_url};
use serde_json::json;

const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_is_read_at_its_position() -> anyhow::Result<()> {
    let deployment = Deployment::found(&mysql_url(), &kafka_brokers()).await?;
    let mut command_api = deployment.start(Program::CommandApi).await?;
    let mut projector = deployment.start(Program::Projector).await?;
    let mut query_api = deployment.start(Program::QueryApi).await?;
    let desk = Client::new(&deployment, Role::Staff, None, ANSWER_TIME_MAX)?;

    let written = desk
        .send(&command_api.base(), &Request::register_patient())
        .await?;
    assert_eq!(written.status, 201, "{written:?}");
    let path = format!("/patients/{}", written.written()?.id);
    let read = desk
        .get(&query_api.base(), &path, Some(written.position()?))
        .await?;
    assert_eq!(read.status, 200, "{read:?}");
    assert_eq!(
        read.body["demographics"]["family_name"],
        json!("Probe"),
        "{read:?}"
    );

    for service in [&mut query_api, &mut projector, &mut command_api] {
        service.end_well().await?;
    }
    Ok(())
}

#[test]
fn every_program_says_its_version_and_the_commit_it_was_built_from() -> anyhow::Result<()> {
    for program in ["command-api", "projector", "query-api", "praxis"] {
        let told = std::process::Command::new(workspace_binary(program))
            .arg("--version")
            .output()?;
        let said = String::from_utf8(told.stdout)?;
        let commit = said
            .trim_end()
            .strip_prefix(&format!("{program} {} (", env!("CARGO_PKG_VERSION")))
            .and_then(|rest| rest.strip_suffix(')'));
        let is_hash = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        // As when these tests run elsewhere than in a repository.
        assert!(
            commit.is_some_and(|commit| is_hash(commit) || commit == "unknown commit"),
            "{said}"
        );
    }
    Ok(())
}

#[test]
fn the_fingerprint_and_the_state_of_settings_are_told_without_a_setting_or_a_server() -> anyhow::Result<()> {
    let ask = |program: &str, arguments: &[&str]| {
        let mut command = std::process::Command::new(workspace_binary(program));
        command.env_clear().args(arguments).output()
    };
    let mut fingerprints = Vec::new();
    for program in ["projector", "query-api"] {
        let told = ask(program, &["fingerprint"])?;
        assert!(told.status.success(), "{told:?}");
        fingerprints.push(String::from_utf8(told.stdout)?);
    }
    let digits = fingerprints[0].trim_end();
    assert!(
        digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{digits}"
    );
    assert_eq!(fingerprints[0], fingerprints[1], "who reads and who fills agree");
    assert_eq!(ask("command-api", &["fingerprint"])?.status.code(), Some(2));

    for program in ["command-api", "projector", "query-api", "praxis"] {
        let told = ask(program, &["config", "check"])?;
        assert!(
            String::from_utf8(told.stdout)?.contains("PRAXIS_LOG"),
            "{program}"
        );
    }
    Ok(())
}
