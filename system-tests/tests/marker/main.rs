//! Does anything personal get where it must not be: a log line, a problem, a metric, a parked row, Kafka, an event's columns?
//!
//! Every personal value sent carries a mark that occurs nowhere else. It goes through every command and query, good and
//! bad, in both tiers; then everything that a process wrote is looked through, byte by byte.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is a test's report; clippy exempts test functions only"
)]

mod callers;
mod places;
mod scan;
mod traffic;

use std::collections::BTreeSet;
use std::path::Path;

use praxis_auth::generate::{KeySize, generate};
use praxis_system_tests::deployment::Deployment;
use praxis_system_tests::one_process::OneProcess;
use praxis_system_tests::service::Program;
use praxis_testkit::servers::{kafka_brokers, mysql_url};

use crate::callers::{Callers, Reply};
use crate::scan::{assert_clean, marks_in};
use crate::traffic::{Practice, misuse_everything, refuse_and_conflict, run_a_practice};

/// Everything that is ever written to a log.
const LOUD: &[(&str, &str)] = &[("PRAXIS_LOG", "debug")];

/// Tables of read models that hold no clear values: where each projector stands, and what stands still.
const OPEN_VIEW_TABLES: [&str; 2] = ["checkpoints", "parked"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_personal_leaves_its_place_in_the_tier_of_services() -> anyhow::Result<()> {
    let deployment = Deployment::found(&mysql_url(), &kafka_brokers()).await?;
    let mut command_api = deployment.start_with(Program::CommandApi, LOUD).await?;
    let callers = Callers::new(deployment.private_pem(), &command_api.base(), &command_api.base())?;
    let mut replies = Vec::new();
    let practice = run_a_practice(&callers, &mut replies).await;
    refuse_and_conflict(&callers, &practice, &mut replies).await;

    // A record whose key is damaged: its events cannot be read by whoever did not write them, and are parked.
    let damaged = callers.register_somebody(&mut replies).await;
    let events = places::Schema::open(&deployment.events_url()).await?;
    events.damage_data_key_of(damaged).await?;
    let mut second = deployment.start_with(Program::CommandApi, LOUD).await?;
    let unreadable = callers.at(&second.base()).change_contact_of(damaged).await;
    assert_eq!(unreadable.status, 500, "{}", unreadable.text);
    replies.push(unreadable);

    let mut projector = deployment.start_with(Program::Projector, LOUD).await?;
    let mut query_api = deployment.start_with(Program::QueryApi, LOUD).await?;
    let callers = Callers::new(deployment.private_pem(), &command_api.base(), &query_api.base())?;
    read_everything(&callers, &practice, &mut replies).await;
    misuse_everything(&callers, &practice, &mut replies).await;
    assert_answers_are_clean(&replies);

    for service in [&command_api, &second, &projector, &query_api] {
        let metrics = service.metrics().await?;
        assert!(metrics.contains("praxis_"), "{metrics}");
        assert_clean(
            &format!("metrics of {}", service.program.binary()),
            metrics.as_bytes(),
        );
    }
    let told = deployment
        .praxis_with(&["views", "parked", "--json"], LOUD)
        .await?;
    assert!(
        told.success && told.output.contains(&damaged.to_string()),
        "{}",
        told.output
    );
    assert_clean("views parked", told.output.as_bytes());
    for service in [&mut command_api, &mut second, &mut projector, &mut query_api] {
        service.end_well().await?;
    }
    assert_logs_are_clean(&deployment.log_files()?, deployment.log_dir());
    assert_databases_are_clean(&deployment, &events, &practice).await?;
    assert_topic_is_clean(&deployment, &practice).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_personal_leaves_its_place_in_one_process() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    let signing = generate(KeySize::Rsa2048)?;
    let mut served = OneProcess::start(&data, &signing, LOUD).await?;
    let base = format!("http://{}", served.api);
    let callers = Callers::new(signing.private_pem(), &base, &base)?;
    let mut replies = Vec::new();
    let practice = run_a_practice(&callers, &mut replies).await;
    refuse_and_conflict(&callers, &practice, &mut replies).await;
    read_everything(&callers, &practice, &mut replies).await;
    misuse_everything(&callers, &practice, &mut replies).await;
    assert_answers_are_clean(&replies);
    let metrics = reqwest::get(format!("http://{}/metrics", served.admin))
        .await?
        .text()
        .await?;
    assert!(metrics.contains("praxis_"), "{metrics}");
    assert_clean("metrics", metrics.as_bytes());

    // While it runs most of the log is in the write-ahead log; when it has stopped all is in the file.
    assert_data_is_clean(&data, &practice);
    assert!(
        data.join("events.db-wal").is_file(),
        "a write-ahead log to look through"
    );
    served.end_well().await?;
    assert_data_is_clean(&data, &practice);
    assert_logs_are_clean(&[served.process.output_file().to_owned()], directory.path());
    Ok(())
}

/// Every read on a good day, and the proof that the markers reached those who may see them.
async fn read_everything(callers: &Callers, practice: &Practice, replies: &mut Vec<Reply>) {
    let read = traffic::read_everything(callers, practice).await;
    let seen: BTreeSet<&str> = read
        .iter()
        .flat_map(|reply| marks_in(reply.text.as_bytes()))
        .collect();
    assert_eq!(
        seen,
        scan::MARKS_SHOWN.into_iter().collect(),
        "what reads show on a good day"
    );
    replies.extend(read);
}

/// What may be said of a refusal, and in the headers of any answer.
fn assert_answers_are_clean(replies: &[Reply]) {
    let problems = replies.iter().filter(|reply| reply.status >= 400);
    let codes: BTreeSet<&str> = problems.clone().filter_map(Reply::code).collect();
    for code in [
        "malformed-json",
        "invalid-input",
        "invalid-parameter",
        "invalid-if-match",
        "invalid-idempotency-key",
        "idempotency-key-reused",
        "unauthenticated",
        "forbidden",
        "not-found",
        "method-not-allowed",
        "unsupported-media-type",
        "payload-too-large",
        "precondition-failed",
        "claim-taken",
        "booking-refused",
        "invalid-transition",
        "command-refused",
    ] {
        assert!(
            codes.contains(code),
            "no request was refused as {code}: {codes:?}"
        );
    }
    for problem in problems {
        assert_clean(&problem.asked, problem.text.as_bytes());
    }
    for reply in replies {
        assert_clean(&format!("headers of {}", reply.asked), reply.headers.as_bytes());
    }
}

/// Every line of every process; and a line that tells something is found.
fn assert_logs_are_clean(files: &[std::path::PathBuf], directory: &Path) {
    let mut lines = 0;
    for file in files {
        let text = std::fs::read(file).unwrap();
        assert_clean(&file.display().to_string(), &text);
        lines += String::from_utf8_lossy(&text).matches("request served").count();
    }
    assert!(lines > 100, "only {lines} requests were logged");
    let planted = directory.join("planted.log");
    std::fs::write(&planted, r#"{"level":"DEBUG","name":"Dr. ZQXVKWJ-Planted"}"#).unwrap();
    assert_eq!(marks_in(&std::fs::read(&planted).unwrap()), ["zqxvkwj"]);
}

async fn assert_databases_are_clean(
    deployment: &Deployment,
    events: &places::Schema,
    practice: &Practice,
) -> anyhow::Result<()> {
    let tables = events.tables().await?;
    for expected in [
        "events",
        "commands",
        "claims",
        "spans",
        "subject_keys",
        "relay",
        "log_head",
    ] {
        assert!(tables.iter().any(|table| table == expected), "{tables:?}");
    }
    for table in &tables {
        let bytes = events.bytes_of(table).await?;
        assert_clean(table, &bytes);
        if table == "events" {
            assert!(
                scan::contains(&bytes, b"patient.registered"),
                "what is open is found there"
            );
            assert!(scan::contains(&bytes, practice.patient.as_bytes()));
        }
    }
    let registry = places::Schema::open(&deployment.views_url()).await?;
    for table in registry.tables().await? {
        assert_clean(&table, &registry.bytes_of(&table).await?);
    }
    let views = places::Schema::open(&format_generation(deployment)).await?;
    for table in OPEN_VIEW_TABLES {
        let bytes = views.bytes_of(table).await?;
        assert!(!bytes.is_empty(), "{table} has rows");
        assert_clean(table, &bytes);
    }
    let clear = views.bytes_of("patients").await?;
    assert!(!marks_in(&clear).is_empty(), "what may be clear is found there");
    Ok(())
}

fn format_generation(deployment: &Deployment) -> String {
    let (base, generation) = (
        deployment.views_schema(),
        format!("{}_1", deployment.views_schema()),
    );
    deployment.views_url().replace(&base, &generation)
}

async fn assert_topic_is_clean(deployment: &Deployment, practice: &Practice) -> anyhow::Result<()> {
    let records = places::records_of(deployment.brokers(), &deployment.topic()).await?;
    let patient = practice.patient.to_string();
    let about = records
        .iter()
        .filter(|record| scan::contains(record, patient.as_bytes()))
        .count();
    assert!(about > 3, "{about} records name the patient");
    for record in &records {
        assert_clean("a Kafka record", record);
    }
    Ok(())
}

/// The files of the log. Those of the read models hold clear values, which shows that the same search finds them.
fn assert_data_is_clean(data: &Path, practice: &Practice) {
    let read = |start: &str| -> Vec<u8> {
        let entries = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap());
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(start));
        named
            .flat_map(|entry| std::fs::read(entry.path()).unwrap())
            .collect()
    };
    let log = read("events.db");
    assert!(scan::contains(&log, b"patient.registered"));
    assert!(scan::contains(&log, practice.patient.as_bytes()));
    assert_clean("events.db", &log);
    assert!(
        !marks_in(&read("views-")).is_empty(),
        "what may be clear is found there"
    );
}
