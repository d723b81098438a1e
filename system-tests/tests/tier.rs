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
