//! Is every program content with the account that `praxis accounts apply` makes it, and refused what is another's?

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::TimeDelta;
use praxis_auth::claims::Role;
use praxis_system_tests::client::{Client, Request, bookable_morning};
use praxis_system_tests::deployment::Deployment;
use praxis_system_tests::service::Program;
use praxis_testkit::servers::{in_schema, kafka_brokers, mysql_url};
use serde_json::json;
use sqlx::mysql::{MySqlConnection, MySqlDatabaseError};
use sqlx::{AssertSqlSafe, Connection as _};
use tempfile::TempDir;

const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
/// `ER_DBACCESS_DENIED_ERROR` and `ER_TABLEACCESS_DENIED_ERROR`.
const ACCESS_DENIED: [u16; 2] = [1044, 1142];

/// How many of a deployment's last digits, the random ones of its id, tell its accounts from those of others: MySQL
/// allows a user 32 characters, and all digits are as many.
const OWN_DIGITS: usize = 12;

/// The directory of addresses that a deployment has, for schemas and accounts of this test alone.
struct Addresses {
    directory: TempDir,
    accounts: Vec<String>,
}

impl Addresses {
    fn write(deployment: &Deployment) -> anyhow::Result<Self> {
        let schema = deployment.events_schema();
        let (_, own) = schema.split_at(schema.len() - OWN_DIGITS);
        let directory = tempfile::tempdir()?;
        let mut accounts = Vec::new();
        let admin = in_schema(&mysql_url(), "mysql");
        std::fs::write(directory.path().join("admin-url"), admin)?;
        for role in ["migrate", "command-api", "query-api", "projector"] {
            let account = format!("{}_{own}", role.replace('-', "_"));
            for (kind, url) in [
                ("events", deployment.events_url()),
                ("views", deployment.views_url()),
            ] {
                if (role, kind) != ("command-api", "views") {
                    let (_, place) = url.rsplit_once('@').context("an address has an account")?;
                    let url = format!("mysql://{account}:Invented-{role}@{place}");
                    std::fs::write(directory.path().join(format!("{role}-{kind}-url")), url)?;
                }
            }
            accounts.push(account);
        }
        Ok(Self { directory, accounts })
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn read(&self, role: &str, kind: &str) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(
            self.path().join(format!("{role}-{kind}-url")),
        )?)
    }

    /// The settings of a program that has this account. Where it is given no address it is given one that leads nowhere.
    fn settings(&self, role: &str) -> [(&'static str, String); 2] {
        let address = |kind| {
            self.read(role, kind)
                .unwrap_or_else(|_| "mysql://nobody:none@127.0.0.1:9/none".to_owned())
        };
        [
            ("PRAXIS_EVENTS_URL", address("events")),
            ("PRAXIS_VIEWS_URL", address("views")),
        ]
    }

    /// That the server refuses the account this, for want of a right and for nothing else.
    async fn assert_refused(&self, role: &str, kind: &str, statement: &str) -> anyhow::Result<()> {
        let mut account = MySqlConnection::connect(&self.read(role, kind)?).await?;
        let outcome = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut account)
            .await;
        let error = outcome
            .err()
            .with_context(|| format!("{role} may: {statement}"))?;
        let code = error
            .as_database_error()
            .and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>())
            .map(MySqlDatabaseError::number);
        ensure!(
            code.is_some_and(|code| ACCESS_DENIED.contains(&code)),
            "{role}: {statement}: {error}"
        );
        Ok(())
    }

    async fn drop_accounts(&self) -> anyhow::Result<()> {
        let mut admin = MySqlConnection::connect(&in_schema(&mysql_url(), "mysql")).await?;
        for account in &self.accounts {
            let statement = format!("DROP USER '{account}'@'%'");
            sqlx::raw_sql(AssertSqlSafe(statement))
                .execute(&mut admin)
                .await?;
        }
        Ok(())
    }
}

async fn must(deployment: &Deployment, arguments: &[&str], settings: &[(&str, &str)]) -> anyhow::Result<()> {
    let told = deployment.praxis_with(arguments, settings).await?;
    ensure!(told.success, "praxis {arguments:?}: {}", told.output);
    Ok(())
}

/// A visit is booked by the one API and found by the other, after the projector made and filled its generation.
async fn tell_story(deployment: &Deployment, command_api: &str, query_api: &str) -> anyhow::Result<()> {
    let admin = Client::new(deployment, Role::Admin, None, ANSWER_TIME_MAX)?;
    let desk = Client::new(deployment, Role::Staff, None, ANSWER_TIME_MAX)?;
    let doctor = admin.must(command_api, &Request::register_practitioner()).await?;
    let location = admin.must(command_api, &Request::register_location()).await?;
    let patient = desk.must(command_api, &Request::register_patient()).await?;
    let starts = bookable_morning();
    let visit = json!({
        "patient_id": patient, "practitioner_id": doctor, "location_id": location,
        "starts": starts.to_rfc3339(), "ends": (starts + TimeDelta::minutes(30)).to_rfc3339(),
    });
    let booked = desk
        .send(command_api, &Request::post("/appointments", visit))
        .await?;
    ensure!(booked.status == 201, "{booked:?}");
    let visit = booked.written()?.id;
    for (path, shown) in [
        (format!("/patients/{patient}"), patient),
        (format!("/appointments/{visit}/history"), patient),
        ("/patients".to_owned(), patient),
        (
            format!(
                "/appointments?practitioner_id={doctor}&date={}",
                starts.date_naive()
            ),
            visit,
        ),
    ] {
        let read = desk.get(query_api, &path, Some(booked.position()?)).await?;
        ensure!(
            read.status == 200 && read.text.contains(&shown.to_string()),
            "{path}: {read:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_program_lives_with_its_account_and_none_has_anothers_rights() -> anyhow::Result<()> {
    let deployment = Deployment::plan(&mysql_url(), &kafka_brokers())?;
    let addresses = Addresses::write(&deployment)?;
    let directory = addresses.path().display().to_string();
    must(&deployment, &["accounts", "apply", "--from", &directory], &[]).await?;
    let migrate = addresses.settings("migrate");
    let migrate = migrate.each_ref().map(|(name, url)| (*name, url.as_str()));
    must(&deployment, &["migrate"], &migrate).await?;

    let mut services = Vec::new();
    for (program, role) in [
        (Program::CommandApi, "command-api"),
        (Program::Projector, "projector"),
        (Program::QueryApi, "query-api"),
    ] {
        let settings = addresses.settings(role);
        let settings = settings.each_ref().map(|(name, url)| (*name, url.as_str()));
        services.push(deployment.start_with(program, &settings).await?);
    }
    tell_story(&deployment, &services[0].base(), &services[2].base()).await?;

    let (events, views) = (deployment.events_schema(), deployment.views_schema());
    let append = format!("INSERT INTO `{events}`.log_head SELECT * FROM `{events}`.log_head WHERE FALSE");
    let move_head = format!("UPDATE `{events}`.log_head SET position = position + 1");
    let change_log = format!("ALTER TABLE `{events}`.log_head ADD COLUMN other INT");
    let register = format!("DELETE FROM `{views}`.generations");
    let fill = format!("UPDATE `{views}_1`.checkpoints SET position = 0");
    let read_registry = format!("SELECT * FROM `{views}`.generations");
    let read_rows = format!("SELECT * FROM `{views}_1`.checkpoints");
    let make = format!("CREATE DATABASE `{views}_2`");
    let look_up_accounts = "SELECT user FROM mysql.user".to_owned();
    for (role, kind, forbidden) in [
        (
            "command-api",
            "events",
            [&change_log, &read_registry, &read_rows, &make, &look_up_accounts].as_slice(),
        ),
        (
            "query-api",
            "views",
            &[
                &append,
                &move_head,
                &change_log,
                &register,
                &fill,
                &make,
                &look_up_accounts,
            ],
        ),
        (
            "projector",
            "views",
            &[&append, &move_head, &change_log, &look_up_accounts],
        ),
        (
            "migrate",
            "events",
            &[&read_rows, &fill, &make, &look_up_accounts],
        ),
    ] {
        for statement in forbidden {
            addresses.assert_refused(role, kind, statement).await?;
        }
    }
    addresses.drop_accounts().await
}
