//! Does `praxis import fhir` record and refuse on the whole tier what was predicted independently, once, and is it read?
//!
//! Expectations come from `scripts/predict-import.py`, which shares no code with the importer; for the small folder they
//! are checked in. A larger folder of FHIR R4 `.ndjson` files is tried if `PRAXIS_TEST_FHIR_DIR` names one.
#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a panic is a test's report; where test data lies is no setting of the program"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use praxis_auth::claims::Role;
use praxis_system_tests::client::{Client, Request};
use praxis_system_tests::deployment::Deployment;
use praxis_system_tests::log::Log;
use praxis_system_tests::proof::assert_views_equal_a_fresh_fold;
use praxis_system_tests::service::Program;
use praxis_testkit::servers::{kafka_brokers, mysql_url};
use serde_json::{Value, json};

const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Start and end of each visit, sorted.
type Visits = Vec<(String, String)>;

fn visits(list: &[Value], starts: &str, ends: &str) -> anyhow::Result<Visits> {
    let text = |visit: &Value, name: &str| -> anyhow::Result<String> {
        Ok(visit[name].as_str().context("an instant")?.to_owned())
    };
    let visits = list
        .iter()
        .map(|visit| Ok((text(visit, starts)?, text(visit, ends)?)));
    let mut visits = visits.collect::<anyhow::Result<Visits>>()?;
    visits.sort();
    Ok(visits)
}

/// All items of a list, page by page.
async fn all(reader: &Client, base: &str, path: &str, position: &str) -> anyhow::Result<Vec<Value>> {
    let (mut items, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(page) = next {
        let reply = reader.get(base, &page, Some(position)).await?;
        ensure!(reply.status == 200, "{page} was answered {reply:?}");
        items.extend(reply.body["items"].as_array().context("a list")?.iter().cloned());
        let link = reply.headers.get("link").map(|link| link.to_str()).transpose()?;
        next = link
            .and_then(|link| link.split(['<', '>']).nth(1))
            .map(str::to_owned);
    }
    Ok(items)
}

/// Compares file by file, so that a failure shows what differs.
fn assert_as_predicted(imported: &Value, predicted: &Value) -> anyhow::Result<()> {
    for (file, report) in predicted["files"].as_object().context("files")? {
        assert_eq!(imported["files"][file], *report, "{file}");
    }
    assert_eq!(imported["totals"], predicted["totals"]);
    Ok(())
}

/// Imports twice through the command API, and compares what was told, what is in the log and what is read.
async fn assert_the_tier_takes(
    folder: &Path,
    predicted: &Value,
    predicted_again: Option<&Value>,
) -> anyhow::Result<()> {
    let deployment = Deployment::found(&mysql_url(), &kafka_brokers()).await?;
    let command_api = deployment.start(Program::CommandApi).await?;
    let _projector = deployment.start(Program::Projector).await?;
    let query_api = deployment.start(Program::QueryApi).await?;
    let admin = Client::new(&deployment, Role::Admin, None, ANSWER_TIME_MAX)?;
    let desk = Client::new(&deployment, Role::Staff, None, ANSWER_TIME_MAX)?;
    let (folder, base) = (folder.to_str().context("a path in UTF-8")?, command_api.base());
    let import = [
        "import",
        "fhir",
        folder,
        "--json",
        "--server",
        &base,
        "--token",
        admin.token(),
    ];

    let told = deployment.praxis(&import).await?;
    ensure!(told.success, "the import failed: {}", told.output);
    assert_as_predicted(&serde_json::from_str(&told.output)?, predicted)?;
    let head = Log::read_sound(&deployment).await?.events.len();

    let told = deployment.praxis(&import).await?;
    ensure!(told.success, "the second import failed: {}", told.output);
    if let Some(again) = predicted_again {
        assert_as_predicted(&serde_json::from_str(&told.output)?, again)?;
    }
    let log = Log::read_sound(&deployment).await?;
    assert_eq!(log.events.len(), head, "a second import appends nothing");
    assert_views_equal_a_fresh_fold(&deployment, &log).await?;

    // What is read after this write has everything from before it.
    let after = admin.send(&base, &Request::register_location()).await?;
    let (query_api, position) = (query_api.base(), after.position()?);
    let patients = all(&desk, &query_api, "/patients", position).await?;
    let practitioners = all(&desk, &query_api, "/practitioners", position).await?;
    let recorded = |file: &str| predicted["totals"][file]["recorded"].as_u64();
    assert_eq!(u64::try_from(patients.len()).ok(), recorded("Patient.ndjson"));
    assert_eq!(
        u64::try_from(practitioners.len()).ok(),
        recorded("Practitioner.ndjson")
    );
    let mut read = Vec::new();
    for patient in &patients {
        let path = format!(
            "/patients/{}/appointments",
            patient["id"].as_str().context("an id")?
        );
        read.extend(all(&desk, &query_api, &path, position).await?);
    }
    assert!(read.iter().all(|visit| visit["status"] == json!("fulfilled")));
    let expected = predicted["appointments"].as_array().context("a list")?;
    assert_eq!(
        visits(&read, "starts", "ends")?,
        visits(expected, "start", "end")?
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tier_takes_what_was_predicted_once_and_shows_it() -> anyhow::Result<()> {
    let folder = repository().join("praxis/tests/fixtures/fhir-small");
    let predicted = serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json"))?)?;
    assert_the_tier_takes(&folder, &predicted, None).await
}

/// What the independent script predicts of a folder.
fn predicted(folder: &Path, options: &[&str]) -> anyhow::Result<Value> {
    let mut script = Command::new("python3");
    script
        .arg(repository().join("scripts/predict-import.py"))
        .arg(folder);
    let output = script.args(["--json", "--as-commands"]).args(options).output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_resources_are_taken_as_predicted_where_they_are_at_hand() -> anyhow::Result<()> {
    let Some(folder) = std::env::var_os("PRAXIS_TEST_FHIR_DIR").map(PathBuf::from) else {
        eprintln!(
            "not tried on real resources: set PRAXIS_TEST_FHIR_DIR to a folder of FHIR R4 .ndjson files"
        );
        return Ok(());
    };
    let (first, second) = (predicted(&folder, &[])?, predicted(&folder, &["--again"])?);
    assert_the_tier_takes(&folder, &first, Some(&second)).await
}
