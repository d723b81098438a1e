//! `praxis views`: generations of read models, how far they are, what is parked, and building them anew.

mod databases;
pub mod documents;
mod door;
mod rebuild;
pub mod routes;
pub mod tools;

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use self::documents::{GenerationStatus, ParkedEntry};
use self::door::Door;
use crate::cli::{Views as Args, ViewsOptions};
use crate::out;

/// Runs one of the `views` commands.
///
/// # Errors
/// When the read models cannot be asked, or a build does not get on.
pub async fn run(args: Args) -> Result<ExitCode> {
    let options = match &args {
        Args::Status(options) | Args::Parked(options) | Args::Retry(options) => options,
        Args::Rebuild(rebuild) => &rebuild.options,
    };
    let door = Door::open(options).await?;
    let done = match &args {
        Args::Status(options) => status(&door, options).await,
        Args::Parked(options) => parked(&door, options).await,
        Args::Retry(options) => retry(&door, options).await,
        Args::Rebuild(options) => rebuild::rebuild(&door, options).await,
    };
    let closed = door.close().await;
    match (done, closed) {
        (Ok(()), Ok(())) => Ok(ExitCode::SUCCESS),
        (Err(error), Ok(())) | (Ok(()), Err(error)) => Err(error),
        (Err(error), Err(cause)) => Err(cause.context(error.to_string())),
    }
}

async fn status(door: &Door, options: &ViewsOptions) -> Result<()> {
    let status = door.status().await?;
    if options.json {
        return out::json(&serde_json::to_value(&status)?);
    }
    out::line(&format!(
        "log at position {}; folds of this program: {}",
        status.head, status.fingerprint
    ))?;
    out::line("generation  state     fingerprint       position     lag  parked streams")?;
    for known in &status.generations {
        out::line(&in_columns(known))?;
    }
    if let Some(rebuild) = status.rebuild {
        out::line(&format!(
            "generation {} is being built to take over from generation {}; newly parked streams: {}",
            rebuild.generation, rebuild.instead_of, rebuild.newly_parked
        ))?;
    }
    Ok(())
}

fn in_columns(known: &GenerationStatus) -> String {
    let (generation, state, fingerprint) = (known.generation, &known.state, &known.fingerprint);
    let standing = match known.standing {
        Some(at) => format!("{:>8}  {:>6}  {:>14}", at.position, at.lag, at.parked_streams),
        None => format!("{:>8}  {:>6}  {:>14}", "-", "-", "-"),
    };
    format!("{generation:>10}  {state:8}  {fingerprint}  {standing}")
}

/// Of every generation that is filled: a rebuild may wait for what is parked in it alone.
async fn parked(door: &Door, options: &ViewsOptions) -> Result<()> {
    let status = door.status().await?;
    let filled = status.generations.iter().filter(|known| known.standing.is_some());
    let mut all: Vec<ParkedEntry> = Vec::new();
    for known in filled {
        let mut after = Some(0);
        while let Some(from) = after {
            let page = door.parked(known.generation, from).await?;
            all.extend(page.parked);
            after = page.next_after;
        }
    }
    if options.json {
        return out::json(&json!({ "parked": all }));
    }
    for event in &all {
        let (generation, position, version) = (event.generation, event.position, event.stream_version);
        out::line(&format!(
            "generation {generation}  {position:>10}  {} {} v{version}  {}  {}",
            event.stream_type, event.stream_id, event.event_type, event.code
        ))?;
    }
    out::line(&format!("{} events parked", all.len()))
}

async fn retry(door: &Door, options: &ViewsOptions) -> Result<()> {
    let retried = door.retry().await?;
    if options.json {
        return out::json(&serde_json::to_value(retried)?);
    }
    out::line(&format!(
        "{} streams are read again, {} events folded",
        retried.streams, retried.events
    ))
}
