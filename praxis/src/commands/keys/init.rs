//! `praxis keys init`: every secret that a deployment needs, each in a file of its own, made once.

use std::num::NonZeroU8;
use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow, ensure};
use praxis_auth::generate::{KeySize, public_pem_of};
use praxis_auth::keys::PublicKeys;
use praxis_auth::sign::TokenSigner;
use praxis_runtime::config::setting::SettingValue;
use praxis_runtime::config::values::{DatabaseUrl, KeyRing, PrivateKeyPem, PublicKeysPem, SecretText};
use uuid::Uuid;

use crate::cli::KeysInit;
use crate::keys::files::{self, Readers};
use crate::keys::made;
use crate::out;

const EVENTS: &str = "praxis";
const VIEWS: &str = "praxis_views";

/// The addresses of the services: file, account, schema. Those of one account share its password.
pub const ADDRESSES: [(&str, &str, &str); 7] = [
    ("migrate-events-url", "migrate", EVENTS),
    ("migrate-views-url", "migrate", VIEWS),
    ("command-api-events-url", "command_api", EVENTS),
    ("query-api-events-url", "query_api", EVENTS),
    ("query-api-views-url", "query_api", VIEWS),
    ("projector-events-url", "projector", EVENTS),
    ("projector-views-url", "projector", VIEWS),
];

/// The address of the account that makes the others.
pub const ADMIN_URL: &str = "admin-url";
const ROOT_PASSWORD: &str = "mysql-root-password";

/// What each program is given by `--split`.
const PROGRAMS: [(&str, &[&str]); 5] = [
    (
        "command-api",
        &[
            "command-api-events-url",
            "kek",
            "claims-key",
            "public-keys",
            "private-key",
        ],
    ),
    (
        "query-api",
        &[
            "query-api-events-url",
            "query-api-views-url",
            "kek",
            "public-keys",
        ],
    ),
    (
        "projector",
        &["projector-events-url", "projector-views-url", "kek"],
    ),
    (
        "migrate",
        &[
            ADMIN_URL,
            "migrate-events-url",
            "migrate-views-url",
            "command-api-events-url",
            "query-api-events-url",
            "query-api-views-url",
            "projector-events-url",
            "projector-views-url",
        ],
    ),
    ("mysql", &[ROOT_PASSWORD]),
];

/// Makes what is missing, and says what it made.
///
/// # Errors
/// When a file cannot be written, or one that is there cannot be used.
pub fn run(args: &KeysInit) -> Result<()> {
    let readers = if args.group_readable {
        Readers::Group
    } else {
        Readers::Owner
    };
    files::make_directory(&args.directory, readers)?;
    let mut folder = Folder {
        path: args.directory.clone(),
        readers,
        made: Vec::new(),
    };
    folder.application()?;
    folder.signing_keys()?;
    if let Some(server) = &args.mysql {
        folder.addresses(server)?;
    }
    let refreshed = if args.split { folder.split()? } else { 0 };
    let path = folder.path.display();
    if folder.made.is_empty() {
        out::line(&format!("{path}: nothing was missing"))?;
    } else {
        out::line(&format!("{path}: made {}", folder.made.join(", ")))?;
    }
    if args.split {
        out::line(&format!("{path}: {refreshed} copies for programs written"))?;
    }
    Ok(())
}

/// A server's `host:port`, as it goes into addresses.
///
/// # Errors
/// When it is not one.
pub fn server(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or_default();
    let of_name = |character: char| character.is_ascii_alphanumeric() || "-.".contains(character);
    let of_address = |character: char| character.is_ascii_hexdigit() || character == ':';
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let good = bracketed.map_or_else(|| host.chars().all(of_name), |host| host.chars().all(of_address));
    if host.is_empty() || !good || port.parse::<u16>().is_err() {
        return Err("must be HOST:PORT".to_owned());
    }
    Ok(text.to_owned())
}

/// The directory that is filled.
struct Folder {
    path: PathBuf,
    readers: Readers,
    made: Vec<&'static str>,
}

impl Folder {
    /// A file as it is, or as `make` has it if it is missing. One that cannot be read as what it should be is a fault:
    /// a program would not start with it.
    fn ensure<T: SettingValue>(
        &mut self,
        name: &'static str,
        make: impl FnOnce() -> Result<String>,
    ) -> Result<String> {
        let file = self.path.join(name);
        if files::read(&file)?.is_none() && files::write_once(&file, &make()?, self.readers)? {
            self.made.push(name);
        }
        let text = files::read(&file)?.unwrap_or_default();
        T::parse(&text).map_err(|fault| anyhow!("{} {fault}", file.display()))?;
        Ok(text)
    }

    fn is_there(&self, name: &str) -> Result<bool> {
        Ok(files::read(&self.path.join(name))?.is_some())
    }

    fn application(&mut self) -> Result<()> {
        self.ensure::<KeyRing<Uuid>>("kek", || Ok(made::kek()?.1))?;
        self.ensure::<KeyRing<NonZeroU8>>("claims-key", made::claims_key)?;
        // A Kafka that asks for none is given none: they are there so that the set is whole.
        for name in ["kafka-username", "kafka-password"] {
            self.ensure::<SecretText>(name, || Ok(String::new()))?;
        }
        Ok(())
    }

    fn signing_keys(&mut self) -> Result<()> {
        ensure!(
            self.is_there("private-key")? || !self.is_there("public-keys")?,
            "{0} has public-keys but no private-key: put it there, or take public-keys away to have both made anew",
            self.path.display()
        );
        let private = self.ensure::<PrivateKeyPem>("private-key", || {
            Ok(made::signing_keys(KeySize::Rsa4096)?.private_pem().to_owned())
        })?;
        let public = self.ensure::<PublicKeysPem>("public-keys", || Ok(public_pem_of(&private)?))?;
        let signer = TokenSigner::try_new(&private, "", "").context("private-key")?;
        let trusted = PublicKeys::try_from_pem(&public).context("public-keys")?;
        ensure!(
            trusted.find(signer.public_key().kid()).is_some(),
            "public-keys of {} do not hold the public half of private-key, so that nobody would trust its tokens",
            self.path.display()
        );
        Ok(())
    }

    fn addresses(&mut self, server: &str) -> Result<()> {
        // Made from the password, so an address without one is of a server that is not ours to give a password.
        if self.is_there(ROOT_PASSWORD)? || !self.is_there(ADMIN_URL)? {
            let password = self.ensure::<SecretText>(ROOT_PASSWORD, made::password)?;
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            ensure!(
                self.is_there(ADMIN_URL)? || password.bytes().all(is_plain),
                "{ROOT_PASSWORD} is not of letters, digits, - and _: write {ADMIN_URL} yourself"
            );
            self.ensure::<DatabaseUrl>(ADMIN_URL, || Ok(address("root", &password, server, "mysql")))?;
        }
        for (name, account, schema) in ADDRESSES {
            let known = self.password_of(account)?;
            self.ensure::<DatabaseUrl>(name, || {
                let password = known.map_or_else(made::password, Ok)?;
                Ok(address(account, &password, server, schema))
            })?;
        }
        Ok(())
    }

    /// The password that another address of the account has already, as it is written there.
    fn password_of(&self, account: &str) -> Result<Option<String>> {
        let start = format!("mysql://{account}:");
        for (name, _, _) in ADDRESSES.iter().filter(|(_, owner, _)| *owner == account) {
            let url = files::read(&self.path.join(name))?.unwrap_or_default();
            let after = url.strip_prefix(&start).and_then(|rest| rest.rsplit_once('@'));
            if let Some((password, _)) = after {
                return Ok(Some(password.to_owned()));
            }
        }
        Ok(None)
    }

    /// What each program needs, in a directory of its own to be mounted alone. Copies follow their originals.
    fn split(&self) -> Result<usize> {
        let mut written = 0;
        for (program, names) in PROGRAMS {
            let directory = self.path.join(program);
            for name in names {
                let followed = files::follow(&self.path.join(name), &directory.join(name), self.readers)?;
                written += usize::from(followed);
            }
        }
        Ok(written)
    }
}

/// Over TLS always: a server that has no certificate makes one for itself.
fn address(account: &str, password: &str, server: &str, schema: &str) -> String {
    format!("mysql://{account}:{password}@{server}/{schema}?ssl-mode=REQUIRED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_and_a_port() {
        for good in [
            "mysql:3306",
            "db.example.internal:3306",
            "[::1]:3306",
            "10.0.0.1:1",
        ] {
            assert_eq!(server(good).as_deref(), Ok(good));
        }
        for bad in [
            "mysql",
            ":3306",
            "mysql:",
            "mysql:99999",
            "a/b:1",
            "u@h:1",
            "[x]:1",
            "",
        ] {
            assert!(server(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_address_goes_to_its_program_and_to_the_migration() {
        for (name, account, _) in ADDRESSES {
            let holders: Vec<&str> = PROGRAMS
                .iter()
                .filter(|(_, names)| names.contains(&name))
                .map(|(program, _)| *program)
                .collect();
            let own = account.replace('_', "-");
            let expected = if own == "migrate" {
                vec!["migrate"]
            } else {
                vec![own.as_str(), "migrate"]
            };
            assert_eq!(holders, expected, "{name}");
        }
    }
}
