//! `praxis import fhir`: records of another system, through the same commands as everybody's.

mod fhir;
mod folder;
mod outcome;
mod reasons;
mod report;
mod run;
mod waves;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use praxis_runtime::{clock, ids};

use self::folder::Folder;
use self::run::Run;
use crate::cli::{Import, ImportFhir};
use crate::{out, target};

/// Imports and prints what became of every line. Refusals are a result like any other; the exit code says only whether all
/// lines were handled.
///
/// # Errors
/// When the folder cannot be read, or the server or data directory cannot be used.
pub async fn run(args: Import) -> Result<ExitCode> {
    match args {
        Import::Fhir(args) => import_fhir(&args).await.map(|()| ExitCode::SUCCESS),
    }
}

async fn import_fhir(args: &ImportFhir) -> Result<()> {
    if !fhir::location::is_zone(&args.zone) {
        bail!(
            "there is no time zone {}: say one of the IANA database, such as Europe/London",
            args.zone
        );
    }
    let folder = Folder::read(&args.directory, &args.zone, clock::now())?;
    let opened = target::open(&args.target).await?;
    let began = Instant::now();
    let bar = progress(folder.len())?;
    let imported = Box::pin(Run::new(&opened.client, ids::new_id(), &bar).import(folder)).await;
    bar.finish_and_clear();
    let took = began.elapsed();
    let closed = opened.close().await;
    let report = imported?;
    closed?;
    if args.json {
        out::json(&report.json())
    } else {
        out::line(report.text(took).trim_end())
    }
}

/// A bar on standard error, where that is a terminal.
fn progress(records: usize) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{msg:16} {bar:30} {human_pos:>9}/{human_len} {per_sec} {eta}")?;
    Ok(ProgressBar::new(u64::try_from(records)?).with_style(style))
}
