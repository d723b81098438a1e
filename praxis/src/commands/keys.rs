//! `praxis keys`: the secrets of a deployment as files, and the rotation of the key that wraps the others.

mod init;
mod kek;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Keys;

pub use init::{ADDRESSES, ADMIN_URL, server};

/// Makes secrets, or rotates one.
///
/// # Errors
/// When a file cannot be written, or one that is there cannot be used.
pub fn run(args: Keys) -> Result<ExitCode> {
    match args {
        Keys::Init(args) => init::run(&args)?,
        Keys::AddKek { file } => kek::add(&file)?,
        Keys::PromoteKek { file, id } => kek::promote(&file, id)?,
    }
    Ok(ExitCode::SUCCESS)
}
