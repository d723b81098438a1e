//! Is every service content with the rights that the page for operators grants it?

use std::time::Duration;

use anyhow::ensure;
use praxis_auth::claims::Role;
use praxis_system_tests::client::{Client, Request};
use praxis_system_tests::deployment::Deployment;
use praxis_system_tests::service::Program;
use praxis_testkit::servers::{in_schema, kafka_brokers, mysql_url};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _};

const PAGE: &str = include_str!("../../docs/how-to/grant-database-rights.md");
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// The page's grants to one account, for the schemas of this deployment and an account of the test's own.
fn grants(deployment: &Deployment, role: &str, account: &str) -> Vec<String> {
    let escaped = |schema: String| schema.replace('_', "\\_");
    let (events, views) = (
        escaped(deployment.events_schema()),
        escaped(deployment.views_schema()),
    );
    let of_role = PAGE
        .lines()
        .filter(|line| line.starts_with("GRANT ") && line.contains(&format!("'{role}'@")));
    of_role
        .map(|line| {
            line.replace("`praxis\\_views", &format!("`{views}"))
                .replace("`praxis`", &format!("`{events}`"))
                .replace(&format!("'{role}'"), &format!("'{account}'"))
        })
        .collect()
}

/// An account with those rights; the settings of a service that uses it.
async fn settings_of(
    deployment: &Deployment,
    admin: &mut MySqlConnection,
    role: &str,
) -> anyhow::Result<[(&'static str, String); 2]> {
    let account = format!("{role}_{}", &deployment.events_schema()[27..]);
    let mut statements = vec![format!("CREATE USER '{account}'@'%' IDENTIFIED BY 'Invented-1'")];
    statements.extend(grants(deployment, role, &account));
    ensure!(statements.len() > 1, "the page grants {role} nothing");
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut *admin)
            .await?;
    }
    let as_account = |url: String| {
        let (_, place) = url.split_once('@').unwrap_or_default();
        format!("mysql://{account}:Invented-1@{place}")
    };
    Ok([
        ("PRAXIS_EVENTS_URL", as_account(deployment.events_url())),
        ("PRAXIS_VIEWS_URL", as_account(deployment.views_url())),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rights_of_the_page_are_enough_and_no_service_has_anothers() -> anyhow::Result<()> {
    let deployment = Deployment::found(&mysql_url(), &kafka_brokers()).await?;
    let mut admin = MySqlConnection::connect(&in_schema(&mysql_url(), "mysql")).await?;
    let (mut services, mut addresses) = (Vec::new(), Vec::new());
    for (program, role) in [
        (Program::CommandApi, "command_api"),
        (Program::Projector, "projector"),
        (Program::QueryApi, "query_api"),
    ] {
        let settings = settings_of(&deployment, &mut admin, role).await?;
        let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
        services.push(deployment.start_with(program, &settings).await?);
        addresses.push(settings[0].1.to_owned());
    }
    let (command_api, query_api) = (services[0].base(), services[2].base());
    let desk = Client::new(&deployment, Role::Staff, None, ANSWER_TIME_MAX)?;
    let written = desk.send(&command_api, &Request::register_patient()).await?;
    assert_eq!(written.status, 201, "{written:?}");
    let patient = format!("/patients/{}", written.written()?.id);
    for path in [
        patient.clone(),
        format!("{patient}/history"),
        "/patients".to_owned(),
    ] {
        let read = desk.get(&query_api, &path, Some(written.position()?)).await?;
        assert_eq!(read.status, 200, "{path}: {read:?}");
    }

    // Who only reads the log cannot write it.
    for reading in &addresses[1..] {
        let mut account = MySqlConnection::connect(reading).await?;
        let refused = sqlx::raw_sql("UPDATE log_head SET position = position + 1")
            .execute(&mut account)
            .await;
        assert!(refused.is_err(), "a reader moved the head");
    }
    Ok(())
}
