//! `praxis backup`: a copy of the log of a data directory, made while it is served, and found sound before it is kept.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use praxis_runtime::clock;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::Program;
use praxis_store_sqlite::log::LogCopy;

use crate::cli::log::Backup;
use crate::commands::audit::opened::OpenedLog;
use crate::commands::audit::{Looked, faults, look, tell};
use crate::keys;
use crate::out;
use crate::practice::LOG_FILE;

/// Copies the log. Neither read models, which hold personal data readably and are built anew, nor keys are in the copy.
///
/// # Errors
/// When the copy cannot be made, is not sound, or would lie where the log or its keys do.
pub async fn run(args: Backup) -> Result<ExitCode> {
    let config = Config::from_environment(Program::Operator, &[]).checked()?;
    let data = crate::data_directory(&config, &args.data)?;
    let (directory, name) = target(&args.to)?;
    refuse_beside_the_original(&data, &directory)?;
    let copy = LogCopy::make(&data.join(LOG_FILE), &directory)
        .await
        .context("cannot copy the log")?;
    let looked = look_at(copy.file()).await?;
    tell(&looked)?;
    ensure!(
        looked.faults == 0,
        "the copy has {}, and so the log: it is not kept; look at the log with praxis audit verify",
        faults(looked.faults)
    );
    let name = name.unwrap_or_else(|| {
        let (now, position) = (
            clock::now().format("%Y%m%dT%H%M%SZ"),
            looked.audited.head.position,
        );
        directory.join(format!("praxis-{now}-{position}.db"))
    });
    copy.put_in_place(&name)
        .with_context(|| format!("cannot make {}", name.display()))?;
    out::line(&format!(
        "{} is a copy of the log as it was a moment ago; the keys in {} are not in it and belong elsewhere",
        name.display(),
        keys::directory_for(&data).display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

async fn look_at(file: &Path) -> Result<Looked> {
    let log = OpenedLog::of_file(file).await?;
    let looked = look(log.audit.as_ref(), &[]).await;
    log.close().await;
    looked
}

/// The directory of the copy, and its name where one was given.
fn target(to: &Path) -> Result<(PathBuf, Option<PathBuf>)> {
    if to.is_dir() {
        return Ok((to.to_owned(), None));
    }
    if to.exists() {
        bail!("{} is there already, and is not written over", to.display());
    }
    let directory = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    ensure!(
        directory.is_dir(),
        "there is no directory {}",
        directory.display()
    );
    Ok((directory.to_owned(), Some(to.to_owned())))
}

/// What burns together is no backup; and who finds the copy must not find the keys.
fn refuse_beside_the_original(data: &Path, directory: &Path) -> Result<()> {
    let directory = directory.canonicalize()?;
    let data = data
        .canonicalize()
        .with_context(|| format!("cannot use {}", data.display()))?;
    ensure!(
        !directory.starts_with(&data),
        "{} is in the data directory: a backup belongs elsewhere",
        directory.display()
    );
    ensure!(
        !directory.starts_with(keys::directory_for(&data)) && !directory.join("kek").exists(),
        "{} holds keys: whoever has the copy and the keys has the whole practice in the clear",
        directory.display()
    );
    Ok(())
}
