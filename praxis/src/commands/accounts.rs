//! `praxis accounts`: who is let in by the MySQL server of a deployment, and what each may do there.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::{Program, SettingValue as _};
use praxis_runtime::config::settings;
use praxis_runtime::config::values::{CertificatesPem, DatabaseUrl};
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
    let config = Config::from_environment(Program::Operator, &[]).checked()?;
    let addresses = Addresses {
        certificates: config.get(&settings::DATABASE_CA),
        from,
    };
    let admin_url = addresses.address(ADMIN_URL)?;
    let schemas = Schemas::try_new(
        &addresses.schema("-events-url")?,
        &addresses.schema("-views-url")?,
    )?;
    let accounts = Role::ALL
        .into_iter()
        .map(|role| addresses.account(role))
        .collect::<Result<Vec<_>>>()?;
    let old_passwords = if discard_old_passwords {
        OldPasswords::Discard
    } else {
        OldPasswords::Keep
    };
    let became = apply(&admin_url, &schemas, &accounts, old_passwords)
        .await
        .with_context(|| format!("cannot bring the accounts of {} about", addresses.from.display()))?;
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

/// The addresses of a directory, and who vouches for the server that they name.
struct Addresses {
    from: PathBuf,
    certificates: Option<CertificatesPem>,
}

impl Addresses {
    fn account(&self, role: Role) -> Result<Account> {
        let own = ADDRESSES
            .iter()
            .map(|(file, _, _)| *file)
            .filter(|file| file.starts_with(role.name()));
        let urls = own.map(|file| self.address(file)).collect::<Result<Vec<_>>>()?;
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        Ok(Account::try_new(role, &urls)?)
    }

    /// The schema that all addresses of one kind name.
    fn schema(&self, kind: &str) -> Result<String> {
        let mut named: Option<String> = None;
        for (file, _, _) in ADDRESSES.iter().filter(|(file, _, _)| file.ends_with(kind)) {
            let schema = schema_of(&self.address(file)?).with_context(|| (*file).to_owned())?;
            match &named {
                Some(known) if *known != schema => {
                    bail!("{file} names another schema than the addresses before it")
                }
                Some(_) | None => named = Some(schema),
            }
        }
        Ok(named.unwrap_or_default())
    }

    fn address(&self, file: &str) -> Result<String> {
        let path = self.from.join(file);
        let text = files::read(&path)?.with_context(|| format!("there is no {}", path.display()))?;
        ensure!(!text.is_empty(), "{} is empty", path.display());
        let url = DatabaseUrl::parse(&text).map_err(|fault| anyhow!("{} {fault}", path.display()))?;
        let url = match &self.certificates {
            Some(certificates) => url.verified_by(certificates),
            None => url,
        };
        Ok(url.expose().to_owned())
    }
}
