//! `praxis accounts`: who is let in by the MySQL server of a deployment, and what each may do there.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use praxis_store_mysql::accounts::applying::{Became, OldPasswords, apply};
use praxis_store_mysql::accounts::{Account, Role, Schemas, schema_of};

use crate::cli::Accounts;
use crate::commands::keys::{ADDRESSES, ADMIN_URL};
use crate::keys::files;
use crate::out;

/// Brings the accounts to what a directory's addresses say.
///
/// # Errors
/// When an address is missing or cannot be used, or the server refuses.
pub async fn run(args: Accounts) -> Result<ExitCode> {
    let Accounts::Apply {
        from,
        discard_old_passwords,
    } = args;
    let admin_url = address(&from, ADMIN_URL)?;
    let schemas = Schemas::try_new(&schema(&from, "-events-url")?, &schema(&from, "-views-url")?)?;
    let accounts = Role::ALL
        .into_iter()
        .map(|role| account(&from, role))
        .collect::<Result<Vec<_>>>()?;
    let old_passwords = if discard_old_passwords {
        OldPasswords::Discard
    } else {
        OldPasswords::Keep
    };
    let became = apply(&admin_url, &schemas, &accounts, old_passwords)
        .await
        .with_context(|| format!("cannot bring the accounts of {} about", from.display()))?;
    for (account, became) in accounts.iter().zip(became) {
        let told = match became {
            Became::Made => "made",
            Became::PasswordChanged => "has a new password; the one before is good until it is discarded",
            Became::Kept => "has its password",
        };
        out::line(&format!("{}: {told}", account.name()))?;
    }
    if discard_old_passwords {
        out::line("no older password is good any more")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn account(directory: &Path, role: Role) -> Result<Account> {
    let own = ADDRESSES
        .iter()
        .map(|(file, _, _)| *file)
        .filter(|file| file.starts_with(role.name()));
    let urls = own
        .map(|file| address(directory, file))
        .collect::<Result<Vec<_>>>()?;
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    Ok(Account::try_new(role, &urls)?)
}

/// The schema that all addresses of one kind name.
fn schema(directory: &Path, kind: &str) -> Result<String> {
    let mut named: Option<String> = None;
    for (file, _, _) in ADDRESSES.iter().filter(|(file, _, _)| file.ends_with(kind)) {
        let schema = schema_of(&address(directory, file)?).with_context(|| (*file).to_owned())?;
        match &named {
            Some(known) if *known != schema => {
                bail!("{file} names another schema than the addresses before it")
            }
            Some(_) | None => named = Some(schema),
        }
    }
    Ok(named.unwrap_or_default())
}

fn address(directory: &Path, file: &str) -> Result<String> {
    let path = directory.join(file);
    let text = files::read(&path)?.with_context(|| format!("there is no {}", path.display()))?;
    ensure!(!text.is_empty(), "{} is empty", path.display());
    Ok(text)
}
