//! `praxis healthcheck`: is the process at that admin address ready?

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Result;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::{Program, Spec};
use praxis_runtime::config::settings;
use praxis_runtime::service::is_ready;

use crate::cli::Healthcheck;

/// Exit code 0 if it is ready, 1 if not.
///
/// # Errors
/// When the address cannot be read.
pub fn run(args: &Healthcheck) -> Result<ExitCode> {
    let flags: Vec<(&'static Spec, String)> = args
        .admin
        .iter()
        .map(|address| (&settings::ADMIN_LISTEN.spec, address.clone()))
        .collect();
    let config = Config::from_environment(Program::Serve, &flags).checked()?;
    let address: SocketAddr = config.require(&settings::ADMIN_LISTEN)?;
    Ok(if is_ready(address) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
