//! `praxis`: a whole practice in one process, and the operator's tool.

mod cli;
mod client;
mod commands;
mod keys;
mod out;
mod practice;
mod target;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, Parser as _};
use mimalloc::MiMalloc;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::settings;

/// As in the command API: many small things, on several threads.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            tracing::debug!(error = ?error, "failed");
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("praxis: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: cli::Cli) -> Result<ExitCode> {
    match cli.command {
        cli::Command::Accounts(args) => in_runtime(commands::accounts::run(args)),
        cli::Command::Keys(args) => commands::keys::run(args),
        cli::Command::Token(args) => commands::token::run(&args).map(|()| ExitCode::SUCCESS),
        cli::Command::Config(args) => commands::config::run(&args),
        cli::Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut cli::Cli::command(), "praxis", &mut script);
            out::line(String::from_utf8(script)?.trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        cli::Command::Openapi => commands::openapi::run().map(|()| ExitCode::SUCCESS),
        cli::Command::Audit(args) => in_runtime(commands::audit::run(args)),
        cli::Command::Backup(args) => in_runtime(commands::backup::run(args)),
        cli::Command::Restore(args) => in_runtime(commands::restore::run(args)),
        cli::Command::Serve(args) => in_runtime(commands::serve::run(args)),
        cli::Command::Demo(args) => in_runtime(commands::demo::run(args)),
        cli::Command::Migrate(args) => in_runtime(commands::migrate::run(args)),
        cli::Command::Views(args) => in_runtime(commands::views::run(args)),
        cli::Command::Healthcheck(args) => commands::healthcheck::run(&args),
        cli::Command::Import(args) => in_runtime(commands::import::run(args)),
    }
}

fn in_runtime(work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// The data directory: the flag, else the setting.
fn data_directory(config: &Config, data: &cli::Data) -> Result<PathBuf> {
    match &data.data {
        Some(given) => Ok(given.clone()),
        None => Ok(config.require(&settings::DATA)?),
    }
}
