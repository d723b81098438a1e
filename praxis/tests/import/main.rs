//! Does `praxis import fhir` record and refuse exactly what was predicted independently, once, through either door?
//!
//! Expectations come from `scripts/predict-import.py`, which shares no code with the importer; for the small folder they
//! are checked in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a test's report; clippy exempts test functions only"
)]

#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use praxis_event_store::port::LogReader as _;
use praxis_store_sqlite::log::{OpenOptions, SqliteLog};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::support::{Reads, Server, period, praxis, token, written};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn small_folder() -> PathBuf {
    repository().join("praxis/tests/fixtures/fhir-small")
}

/// What an import into an empty practice must say of the small folder.
fn expected() -> Value {
    let text = std::fs::read_to_string(small_folder().join("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Imports a folder; `to` says where to.
fn import(folder: &Path, to: &[&str]) -> Value {
    let mut arguments = vec!["import", "fhir", folder.to_str().unwrap(), "--json"];
    arguments.extend(to);
    serde_json::from_str(&written(&praxis(&arguments))).unwrap()
}

/// Compares file by file, so that a failure shows what differs.
fn assert_as_predicted(imported: &Value, predicted: &Value) {
    for (file, report) in predicted["files"].as_object().unwrap() {
        assert_eq!(imported["files"][file], *report, "{file}");
    }
    assert_eq!(imported["totals"], predicted["totals"]);
}

/// What a second import must say: nothing is new, and what overlaps a visit that the first recorded later is refused for
/// that too.
fn again(mut expected: Value) -> Value {
    for report in expected["files"].as_object_mut().unwrap().values_mut() {
        report["unchanged"] = report["recorded"].take();
        report["recorded"] = json!([]);
    }
    for totals in expected["totals"].as_object_mut().unwrap().values_mut() {
        totals["unchanged"] = totals["recorded"].take();
        totals["recorded"] = json!(0);
    }
    let refused = expected["files"]["Encounter.ndjson"]["refused"]
        .as_array_mut()
        .unwrap();
    let overlapping = refused
        .iter_mut()
        .find(|refusal| refusal["source"] == "Encounter/overlaps-by-a-microsecond")
        .unwrap();
    overlapping["reasons"] = json!(["patient_busy", "practitioner_busy"]);
    expected
}

/// The log's position in a data directory that nobody has open.
fn head(data: &Path) -> u64 {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let log = SqliteLog::open(&data.join("events.db"), OpenOptions::default())
            .await
            .unwrap();
        let head = log.head().await.unwrap();
        log.close().await;
        head.position
    })
}

/// A directory for data, and its path within; the keys of the data lie beside it.
fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    (directory, data)
}

/// Imports twice over HTTP, and compares both reports and then the read models with the prediction.
fn assert_a_server_takes(folder: &Path, predicted: &Value, predicted_again: &Value) {
    let (_directory, data) = directory();
    let server = Server::start(&data);
    let admin = token(&data, "ADMIN");
    let to = ["--server", &server.url, "--token", &admin];
    assert_as_predicted(&import(folder, &to), predicted);
    assert_as_predicted(&import(folder, &to), predicted_again);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let visits = runtime.block_on(async { Reads::after_now(&server, &data).await.visits().await });
    let appointments = predicted["appointments"].as_array().unwrap();
    let mut expected: Vec<_> = appointments
        .iter()
        .map(|visit| period(visit, "start", "end"))
        .collect();
    expected.sort();
    assert_eq!(visits, expected);
}

#[test]
fn a_data_directory_takes_what_was_predicted_and_nothing_the_second_time() {
    let (_directory, data) = directory();
    let to = ["--data", data.to_str().unwrap()];
    assert_as_predicted(&import(&small_folder(), &to), &expected());
    let position = head(&data);
    assert_as_predicted(&import(&small_folder(), &to), &again(expected()));
    assert_eq!(head(&data), position);
}

#[test]
fn a_server_takes_what_was_predicted_and_shows_it() {
    assert_a_server_takes(&small_folder(), &expected(), &again(expected()));
}

#[test]
fn a_second_import_overwrites_nothing_that_the_practice_corrected() {
    let (_directory, data) = directory();
    let server = Server::start(&data);
    let (admin, staff) = (token(&data, "ADMIN"), token(&data, "STAFF"));
    let to = ["--server", &server.url, "--token", &admin];
    import(&small_folder(), &to);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let patients = Reads::after_now(&server, &data).await.all("/patients").await;
        let dead = patients
            .iter()
            .find(|patient| patient["demographics"]["birth_date"] == "1931-07-04")
            .unwrap();
        let url = format!("{}/patients/{}/death", server.url, dead["id"].as_str().unwrap());
        let corrected = json!({ "at": "2020-03-01T18:00:00Z" });
        let answered = reqwest::Client::new()
            .post(url)
            .bearer_auth(staff)
            .json(&corrected)
            .send()
            .await
            .unwrap();
        assert_eq!(answered.status(), 200);
        let before = version_of(&server, &data, dead).await;
        import(&small_folder(), &to);
        assert_eq!(version_of(&server, &data, dead).await, before);
    });
}

async fn version_of(server: &Server, data: &Path, patient: &Value) -> u64 {
    let patients = Reads::after_now(server, data).await.all("/patients").await;
    let found = patients
        .iter()
        .find(|other| other["id"] == patient["id"])
        .unwrap();
    found["version"].as_u64().unwrap()
}

/// The folder of real resources, where there is one: it is too large to be part of the project.
fn large_folder() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "where test data lies is no setting of the program"
    )]
    std::env::var_os("PRAXIS_TEST_FHIR_DIR").map(PathBuf::from)
}

/// What the independent script predicts of a folder.
fn predicted(folder: &Path, options: &[&str]) -> Option<Value> {
    let mut script = Command::new("python3");
    script
        .arg(repository().join("scripts/predict-import.py"))
        .arg(folder)
        .args(["--json", "--as-commands"]);
    let output = script.args(options).output().ok()?;
    Some(serde_json::from_str(&written(&output)).unwrap())
}

#[test]
fn real_resources_are_taken_as_predicted_where_they_are_at_hand() {
    let Some(folder) = large_folder() else {
        eprintln!(
            "not tried on real resources: set PRAXIS_TEST_FHIR_DIR to a folder of FHIR R4 .ndjson files"
        );
        return;
    };
    let Some((first, second)) = predicted(&folder, &[]).zip(predicted(&folder, &["--again"])) else {
        eprintln!("not tried on real resources: the prediction needs python3");
        return;
    };
    let (_directory, data) = directory();
    let to = ["--data", data.to_str().unwrap()];
    assert_as_predicted(&import(&folder, &to), &first);
    let position = head(&data);
    assert_as_predicted(&import(&folder, &to), &second);
    assert_eq!(head(&data), position);
    assert_a_server_takes(&folder, &first, &second);
}

#[test]
fn the_summary_for_people_counts_and_names_refusals() {
    let (_directory, data) = directory();
    let folder = small_folder();
    let output = praxis(&[
        "import",
        "fhir",
        folder.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
    ]);
    let text = written(&output);
    assert!(
        text.contains("Patient.ndjson               7 recorded      0 unchanged      6 refused\n"),
        "{text}"
    );
    assert!(
        text.contains("  Patient.ndjson:9  Patient/twin  identifier_taken\n"),
        "{text}"
    );
    assert!(text.trim_end().ends_with(" a second"), "{text}");
}

#[test]
fn what_cannot_go_on_says_why_and_fails() {
    let (_directory, data) = directory();
    let (folder, data_text) = (small_folder(), data.to_str().unwrap());
    let folder = folder.to_str().unwrap();
    for (arguments, says) in [
        (
            vec![data_text, "--data", data_text],
            "there is no Location.ndjson",
        ),
        (
            vec![folder, "--data", data_text, "--zone", "Nowhere"],
            "there is no time zone Nowhere",
        ),
    ] {
        let output = praxis(&[&["import", "fhir"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains(says),
            "{arguments:?}"
        );
        assert!(!data.exists(), "nothing is made for an import that cannot begin");
    }
    let server = Server::start(&data);
    let staff = token(&data, "STAFF");
    let output = praxis(&[
        "import",
        "fhir",
        folder,
        "--server",
        &server.url,
        "--token",
        &staff,
    ]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        complaint.contains("stopped at Location.ndjson line 1"),
        "{complaint}"
    );
    assert!(
        complaint.contains("an import needs a valid token of an ADMIN"),
        "{complaint}"
    );
}
