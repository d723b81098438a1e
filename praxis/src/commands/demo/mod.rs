//! `praxis demo`: an invented practice, made by the same commands as a real one, at speed.

mod plan;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use chrono::TimeDelta;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use indicatif::{ProgressBar, ProgressStyle};
use praxis_auth::claims::{Principal, Role};
use praxis_auth::sign::TokenSigner;
use praxis_runtime::clock;
use serde_json::{Value, json};
use uuid::Uuid;

use self::plan::{PATIENTS_PER_THREAD, Plan, Visit};
use crate::cli::Demo;
use crate::client::{Answered, Client};
use crate::commands::token::mint;
use crate::out;
use crate::target;

/// Requests under way at once: enough to fill the sequencer's batches.
const REQUESTS_MAX: usize = 256;

/// How long the demonstration's own tokens last.
const TOKEN_HOURS: i64 = 12;

/// What was made.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Made {
    /// Records that are new.
    pub written: u64,
    /// Records that were there from an earlier run with the same seed.
    pub there_already: u64,
}

/// Makes the practice and prints what was made.
///
/// # Errors
/// When the server or data directory cannot be used, or refuses what it should not.
pub async fn run(args: Demo) -> Result<ExitCode> {
    let opened = target::open(&args.target).await?;
    let began = Instant::now();
    let made = fill(&opened.client, opened.signer.as_ref(), args.patients, args.seed).await;
    opened.close().await?;
    let made = made?;
    let seconds = began.elapsed().as_secs_f64();
    if args.json {
        out::json(&json!({ "made": made, "seconds": seconds }))?;
    } else {
        out::line(&format!(
            "{} records written, {} there already, in {seconds:.1} s",
            made.written, made.there_already
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the practice through a client. Conversations need tokens of the people who converse, so they are made only
/// where there is a signing key.
///
/// # Errors
/// When a request is refused that should not be.
pub async fn fill(client: &Client, signer: Option<&TokenSigner>, patients: u32, seed: u64) -> Result<Made> {
    let plan = Plan::new(patients, seed, clock::now())?;
    let mut made = Made::default();
    let locations = register(
        client,
        &plan,
        "locations",
        plan.locations,
        Plan::location,
        &mut made,
    )
    .await?;
    let practitioners = register(
        client,
        &plan,
        "practitioners",
        plan.practitioners,
        Plan::practitioner,
        &mut made,
    )
    .await?;
    let patients = register(client, &plan, "patients", plan.patients, Plan::patient, &mut made).await?;
    let people = People {
        locations,
        practitioners,
        patients,
    };
    visits(client, &plan, &people, &mut made).await?;
    if let Some(signer) = signer {
        conversations(client, &plan, &people, signer, &mut made).await?;
    } else {
        tracing::warn!("no conversations: there is no signing key to speak for patients and practitioners");
    }
    Ok(made)
}

struct People {
    locations: Vec<Uuid>,
    practitioners: Vec<Uuid>,
    patients: Vec<Uuid>,
}

impl People {
    fn at(list: &[Uuid], number: u64) -> Result<Uuid> {
        let index = usize::try_from(number)?
            .checked_rem(list.len())
            .context("nobody to meet")?;
        list.get(index).copied().context("nobody to meet")
    }
}

async fn register(
    client: &Client,
    plan: &Plan,
    kind: &'static str,
    count: u64,
    document: fn(&Plan, u64) -> Value,
    made: &mut Made,
) -> Result<Vec<Uuid>> {
    let path = format!("/{kind}");
    let bar = progress(kind, count);
    let mut ids = Vec::with_capacity(usize::try_from(count)?);
    let mut answers = stream::iter(0..count)
        .map(|number| {
            let (key, document) = (
                format!("demo:{kind}:{}:{number}", plan.key(kind, 0)),
                document(plan, number),
            );
            let path = path.as_str();
            async move { client.post(path, &key, &document).await }
        })
        .buffered(REQUESTS_MAX);
    while let Some(answered) = answers.try_next().await? {
        count_one(&answered, made)?;
        ids.push(answered.id().context("an answer without an id")?.parse()?);
        bar.inc(1);
    }
    bar.finish();
    Ok(ids)
}

async fn visits(client: &Client, plan: &Plan, people: &People, made: &mut Made) -> Result<()> {
    let bar = progress("appointments", plan.patients * 5);
    let mut answers = stream::iter(plan.visits())
        .map(|visit| async move { visit_request(client, plan, people, &visit).await })
        .buffered(REQUESTS_MAX);
    while let Some(answered) = answers.try_next().await? {
        count_one(&answered, made)?;
        bar.inc(1);
    }
    bar.finish();
    Ok(())
}

async fn visit_request(client: &Client, plan: &Plan, people: &People, visit: &Visit) -> Result<Answered> {
    let document = json!({
        "patient_id": People::at(&people.patients, visit.patient)?,
        "practitioner_id": People::at(&people.practitioners, visit.practitioner)?,
        "location_id": People::at(&people.locations, visit.practitioner)?,
        "starts": visit.starts.to_rfc3339(),
        "ends": visit.ends.to_rfc3339(),
        "reason": plan.reason(visit),
    });
    let path = if plan.is_past(visit) {
        "/appointments/record"
    } else {
        "/appointments"
    };
    client
        .post(path, &plan.key("visit", visit.number), &document)
        .await
}

async fn conversations(
    client: &Client,
    plan: &Plan,
    people: &People,
    signer: &TokenSigner,
    made: &mut Made,
) -> Result<()> {
    let count = plan.patients.div_ceil(PATIENTS_PER_THREAD);
    let bar = progress("conversations", count);
    for number in 0..count {
        let patient = People::at(&people.patients, number * PATIENTS_PER_THREAD)?;
        let practitioner = People::at(&people.practitioners, number)?;
        let by_patient = client.speaking(token_of(signer, Role::Patient, patient)?);
        let by_practitioner = client.speaking(token_of(signer, Role::Doctor, practitioner)?);
        let document = json!({
            "patient_id": patient,
            "participants": [{ "kind": "patient", "id": patient }, { "kind": "practitioner", "id": practitioner }],
            "topic": "Results",
        });
        let opened = by_patient
            .post("/threads", &plan.key("thread", number), &document)
            .await?;
        count_one(&opened, made)?;
        let path = format!(
            "/threads/{}/messages",
            opened.id().context("an answer without an id")?
        );
        for (turn, body) in (0..).zip(plan.messages(number)) {
            let author = if turn % 2 == 0 {
                &by_patient
            } else {
                &by_practitioner
            };
            let key = plan.key(&format!("message:{number}"), turn);
            count_one(&author.post(&path, &key, &json!({ "body": body })).await?, made)?;
        }
        bar.inc(1);
    }
    bar.finish();
    Ok(())
}

/// A token for the person of that role.
fn token_of(signer: &TokenSigner, role: Role, person: Uuid) -> Result<String> {
    let principal = Principal {
        account_id: person,
        role,
        patient_id: (role == Role::Patient).then_some(person),
        practitioner_id: (role == Role::Doctor).then_some(person),
    };
    mint(signer, &principal, TimeDelta::hours(TOKEN_HOURS))
}

fn count_one(answered: &Answered, made: &mut Made) -> Result<()> {
    if answered.status.is_success() {
        if answered.replayed {
            made.there_already += 1;
        } else {
            made.written += 1;
        }
        return Ok(());
    }
    bail!(
        "the practice refuses a record: {} {}",
        answered.status,
        answered.codes().join(", ")
    )
}

fn progress(kind: &'static str, count: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:14} {bar:30} {human_pos:>9}/{human_len} {per_sec} {eta}");
    let bar = ProgressBar::new(count).with_message(kind);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Prints where the practice is and what to try first. A token is minted by who follows it, and stands in no log.
///
/// # Errors
/// When standard output cannot be written to.
pub fn introduce(url: &str, data: &Path) -> Result<()> {
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let data_flag = format!("--data {}", data.display());
    // Whoever ran `make run` has no `praxis` on the path.
    let program =
        std::env::current_exe().map_or_else(|_| "praxis".to_owned(), |path| path.display().to_string());
    out::line(&format!(
        "
Praxis serves a demonstration practice at {url}  (its data: {data})
  API page      {url}/docs
  accounts      {program} token {data_flag} --role ADMIN | STAFF | AUDITOR | DOCTOR --practitioner ID | PATIENT --patient ID
  first request

    TOKEN=$({program} token {data_flag} --role STAFF)
    curl -H \"Authorization: Bearer $TOKEN\" '{url}/patients?limit=3'

Stop it with Ctrl-C; it goes on where it was the next time.",
        data = data.display(),
    ))
}
