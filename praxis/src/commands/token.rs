//! `praxis token`: an access token for development, from the practice's own signing key.

use anyhow::{Context as _, Result, bail};
use chrono::TimeDelta;
use praxis_auth::claims::{Principal, Role};
use praxis_auth::sign::TokenSigner;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::Program;
use praxis_runtime::{clock, ids};
use uuid::Uuid;

use crate::cli::{RoleName, Token};
use crate::keys;
use crate::out;

/// Accounts that tokens of a role speak for unless told otherwise: fixed, so that history shows one of each.
pub const fn account_of(role: Role) -> Uuid {
    Uuid::from_u128(
        0x0190_0000_0000_7000_8000_0000_0000_0000
            + match role {
                Role::Admin => 1,
                Role::Doctor => 2,
                Role::Staff => 3,
                Role::Patient => 4,
                Role::Auditor => 5,
            },
    )
}

/// Mints and prints.
///
/// # Errors
/// When there is no signing key, or the role lacks the person it needs.
pub fn run(args: &Token) -> Result<()> {
    let config = Config::from_environment(Program::Operator, &[]).checked()?;
    let data = crate::data_directory(&config, &args.data)?;
    let keys = keys::load(&config, &data)?;
    let signer = keys
        .signer
        .context("no signing key: set PRAXIS_JWT_PRIVATE_KEY")?;
    let role = role(args.role);
    if role == Role::Patient && args.patient.is_none() {
        bail!("a PATIENT belongs to a patient: say --patient ID");
    }
    if role == Role::Doctor && args.practitioner.is_none() {
        bail!("a DOCTOR belongs to a practitioner: say --practitioner ID");
    }
    let principal = Principal {
        account_id: args.account.unwrap_or_else(|| account_of(role)),
        role,
        patient_id: args.patient,
        practitioner_id: args.practitioner,
    };
    out::line(&mint(
        &signer,
        &principal,
        TimeDelta::minutes(i64::from(args.minutes)),
    )?)
}

/// A token of that account for that long.
///
/// # Errors
/// When signing fails.
pub fn mint(signer: &TokenSigner, principal: &Principal, lifetime: TimeDelta) -> Result<String> {
    Ok(signer.mint(principal, clock::now(), lifetime, ids::new_id())?)
}

/// The role of that name.
const fn role(name: RoleName) -> Role {
    match name {
        RoleName::Admin => Role::Admin,
        RoleName::Doctor => Role::Doctor,
        RoleName::Staff => Role::Staff,
        RoleName::Patient => Role::Patient,
        RoleName::Auditor => Role::Auditor,
    }
}
