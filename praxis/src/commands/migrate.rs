//! `praxis migrate`: brings schemas up to this version. Nothing else changes a schema of the log.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use praxis_events::ids::LogId;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::Program;
use praxis_runtime::config::settings;
use praxis_runtime::ids;
use praxis_store_sqlite::directory::OwnedDirectory;

use crate::cli::Migrate;
use crate::out;
use crate::practice::LOG_FILE;

/// Migrates the data directory, if one is named, else the databases of the settings, else the default directory.
///
/// # Errors
/// When a database cannot be reached or its schema is not one this version can bring up.
pub async fn run(args: Migrate) -> Result<ExitCode> {
    let config = Config::from_environment(Program::Operator, &[]).checked()?;
    let (events, views) = (
        config.get(&settings::EVENTS_URL),
        config.get(&settings::VIEWS_URL),
    );
    if args.data.data.is_none() && (events.is_some() || views.is_some()) {
        if let Some(url) = events {
            let log_id = praxis_store_mysql::migrate::migrate(url.expose(), LogId(ids::new_id())).await?;
            out::line(&format!("the event store is up to date; log {log_id}"))?;
        }
        if let Some(url) = views {
            praxis_store_mysql::views::migrate(url.expose()).await?;
            out::line("the registry of read models is up to date")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let data = crate::data_directory(&config, &args.data)?;
    let directory = OwnedDirectory::take(&data).with_context(|| format!("cannot use {}", data.display()))?;
    let log_id =
        praxis_store_sqlite::log::migrate(&directory.path().join(LOG_FILE), LogId(ids::new_id())).await?;
    out::line(&format!("{} is up to date; log {log_id}", data.display()))?;
    Ok(ExitCode::SUCCESS)
}
