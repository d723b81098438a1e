//! `praxis config`: what the settings are, where they come from, and what is wrong with them.

use std::process::ExitCode;

use anyhow::Result;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::Program;
use praxis_runtime::config::show;

use crate::cli::{Config as Args, ProgramName};
use crate::out;

/// Checks or describes; a fault makes the exit code 1.
///
/// # Errors
/// When standard output cannot be written to.
pub fn run(args: &Args) -> Result<ExitCode> {
    match args {
        Args::Reference => {
            out::line(show::page().trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        Args::Check { program, json } => {
            let config = Config::from_environment(program_of(*program), &[]);
            if *json {
                out::json(&show::json(&config))?;
            } else {
                out::line(show::text(&config).trim_end())?;
            }
            Ok(if config.faults().is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
    }
}

const fn program_of(name: ProgramName) -> Program {
    match name {
        ProgramName::Serve => Program::Serve,
        ProgramName::CommandApi => Program::CommandApi,
        ProgramName::QueryApi => Program::QueryApi,
        ProgramName::Projector => Program::Projector,
        ProgramName::Operator => Program::Operator,
    }
}
