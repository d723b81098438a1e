//! Which accounts does a deployment have on its server, and with which rights?
//!
//! The one home of the rights: `docs/how-to/grant-database-rights.md` shows them, and a test holds it to that.

use std::borrow::Cow;
use std::collections::BTreeSet;

use praxis_event_store::port::StoreError;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use url::Url;

use crate::log::options_of;

pub mod applying;

/// The longest name of an account (MySQL 8.4 manual, 8.2.1).
const ACCOUNT_LEN_MAX: usize = 32;
/// The longest name of a schema (MySQL 8.4 manual, 11.2.1), less what a generation's number may add.
const SCHEMA_LEN_MAX: usize = 53;
/// Passwords are made by programs: fewer characters are a mistake.
const PASSWORD_LEN_MIN: usize = 12;
const PASSWORD_LEN_MAX: usize = 128;

const READ: &[&str] = &["SELECT"];
const READ_AND_WRITE: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE"];
const MAKE_AND_FILL: &[&str] = &["CREATE", "DROP", "INDEX", "SELECT", "INSERT", "UPDATE", "DELETE"];
const MIGRATE: &[&str] = &[
    "CREATE",
    "ALTER",
    "DROP",
    "INDEX",
    "REFERENCES",
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
];

/// Who has an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `praxis migrate`.
    Migrate,
    /// `command-api`.
    CommandApi,
    /// `query-api`.
    QueryApi,
    /// `projector`.
    Projector,
}

/// Where a right holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The schema of the event store.
    Events,
    /// The base schema of the read models.
    Registry,
    /// The schemas of generations, which are made as they come.
    Generations,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Migrate, Self::CommandApi, Self::QueryApi, Self::Projector];

    /// Its name, which files of addresses begin with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Migrate => "migrate",
            Self::CommandApi => "command-api",
            Self::QueryApi => "query-api",
            Self::Projector => "projector",
        }
    }

    const fn rights(self) -> &'static [(Place, &'static [&'static str])] {
        match self {
            Self::Migrate => &[(Place::Events, MIGRATE), (Place::Registry, MIGRATE)],
            Self::CommandApi => &[(Place::Events, READ_AND_WRITE)],
            Self::QueryApi => &[
                (Place::Events, READ),
                (Place::Registry, READ),
                (Place::Generations, READ),
            ],
            Self::Projector => &[
                (Place::Events, READ),
                (Place::Registry, READ_AND_WRITE),
                (Place::Generations, MAKE_AND_FILL),
            ],
        }
    }
}

/// The schemas of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schemas {
    events: Name,
    views: Name,
}

impl Schemas {
    /// Schemas of these names: letters, digits and `_`.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] if they are not.
    pub fn try_new(events: &str, views: &str) -> Result<Self, StoreError> {
        let name = |text: &str| Name::try_new(text, SCHEMA_LEN_MAX, "a schema");
        Ok(Self {
            events: name(events)?,
            views: name(views)?,
        })
    }

    /// As it stands in a statement and in the server's tables: `_` alone would stand for any character.
    fn pattern(&self, place: Place) -> String {
        let escaped = |name: &Name| name.0.replace('_', "\\_");
        match place {
            Place::Events => escaped(&self.events),
            Place::Registry => escaped(&self.views),
            Place::Generations => escaped(&self.views) + "\\_%",
        }
    }
}

/// A name that can be put into a statement, where a value cannot be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name(String);

impl Name {
    fn try_new(text: &str, len_max: usize, what: &str) -> Result<Self, StoreError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if text.is_empty() || text.len() > len_max || !text.bytes().all(is_plain) {
            return Err(StoreError::Unfit(format!(
                "the name of {what} is letters, digits and _, at most {len_max}"
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

/// An account as it is to be; `Debug` shows its name only.
pub struct Account {
    role: Role,
    name: Name,
    password: String,
    tls: bool,
    options: MySqlConnectOptions,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("role", &self.role)
            .field("name", &self.name.0)
            .finish_non_exhaustive()
    }
}

/// The schema that an address names, if any.
///
/// # Errors
/// [`StoreError::Unfit`] if it is no address of a MySQL server.
pub fn schema_of(url: &str) -> Result<String, StoreError> {
    Ok(parse(url)?.get_database().unwrap_or_default().to_owned())
}

impl Account {
    /// The account that all these addresses name. It is made to insist on TLS if each of them does.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] if they name several, or what cannot be put into a statement safely.
    pub fn try_new(role: Role, urls: &[&str]) -> Result<Self, StoreError> {
        let unfit = |text: &str| StoreError::Unfit(format!("{}: {text}", role.name()));
        let credentials = urls
            .iter()
            .map(|url| credentials(url))
            .collect::<Result<BTreeSet<_>, _>>()?;
        let mut credentials = credentials.into_iter();
        let (Some((name, password)), None) = (credentials.next(), credentials.next()) else {
            return Err(unfit("its addresses differ in user or password"));
        };
        // Quoted it stands in a statement as it is, in every SQL mode.
        let is_plain = |character: char| character.is_ascii_graphic() && !"'\"\\".contains(character);
        if !(PASSWORD_LEN_MIN..=PASSWORD_LEN_MAX).contains(&password.len()) || !password.chars().all(is_plain)
        {
            return Err(unfit(&format!(
                "a password is {PASSWORD_LEN_MIN} to {PASSWORD_LEN_MAX} printable ASCII characters without quotes and \\"
            )));
        }
        let options = urls.iter().map(|url| parse(url)).collect::<Result<Vec<_>, _>>()?;
        let insists = |options: &MySqlConnectOptions| {
            matches!(
                options.get_ssl_mode(),
                MySqlSslMode::Required | MySqlSslMode::VerifyCa | MySqlSslMode::VerifyIdentity
            )
        };
        Ok(Self {
            role,
            name: Name::try_new(&name, ACCOUNT_LEN_MAX, "an account")?,
            password,
            tls: options.iter().all(insists),
            options: options.into_iter().next().ok_or_else(|| unfit("no address"))?,
        })
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.name.0
    }

    fn grants(&self, schemas: &Schemas) -> Vec<String> {
        let rights = self.role.rights().iter();
        rights
            .map(|(place, privileges)| {
                format!(
                    "GRANT {} ON `{}`.* TO '{}'@'%'",
                    privileges.join(", "),
                    schemas.pattern(*place),
                    self.name.0
                )
            })
            .collect()
    }
}

fn parse(url: &str) -> Result<MySqlConnectOptions, StoreError> {
    options_of(url).ok_or_else(no_address)
}

/// User and password of an address, without the escapes they have there.
fn credentials(url: &str) -> Result<(String, String), StoreError> {
    let url = Url::parse(url).map_err(|_| no_address())?;
    let plain = |text: &str| {
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
        decoded.map(Cow::into_owned).map_err(|_| no_address())
    };
    Ok((plain(url.username())?, plain(url.password().unwrap_or_default())?))
}

fn no_address() -> StoreError {
    StoreError::Unfit("an address is no mysql:// URL".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/how-to/grant-database-rights.md");

    fn address(user: &str, password: &str) -> String {
        format!("mysql://{user}:{password}@h:1/praxis?ssl-mode=REQUIRED")
    }

    #[test]
    fn the_page_for_operators_shows_these_rights() {
        let schemas = Schemas::try_new("praxis", "praxis_views").unwrap();
        let mut grants = Vec::new();
        for role in Role::ALL {
            let url = address(&role.name().replace('-', "_"), "Invented-0001");
            let account = Account::try_new(role, &[&url]).unwrap();
            grants.push(format!("-- {}", role.name()));
            grants.extend(account.grants(&schemas).iter().map(|grant| format!("{grant};")));
        }
        let (_, after) = PAGE.split_once("```sql\n").unwrap();
        let (shown, _) = after.split_once("\n```").unwrap();
        assert_eq!(shown, grants.join("\n"));
    }

    #[test]
    fn what_could_leave_its_quotes_is_refused_without_being_said() {
        for (user, password) in [
            ("a%27b", "Invented-0001"),
            ("", "Invented-0001"),
            ("a-b", "Invented-0001"),
            ("a", "short"),
            ("a", "Invented%27-0001"),
            ("a", "Invented%5C-0001"),
            ("a", "Invented%22-0001"),
            ("a", "Invented%20-0001"),
            ("a", "Invented%0A-0001"),
            ("a", "Inv%C3%A9nted-0001"),
        ] {
            let refused = Account::try_new(Role::Migrate, &[&address(user, password)]).unwrap_err();
            assert!(!refused.to_string().contains("Inv"), "{refused}");
        }
        assert!(Account::try_new(Role::Migrate, &[&address("a", "Invented%24-%2B0001")]).is_ok());
        for (events, views) in [("a`b", "c"), ("a", ""), ("a", "c-d")] {
            assert!(Schemas::try_new(events, views).is_err());
        }
    }

    #[test]
    fn addresses_of_two_accounts_are_not_taken_for_one() {
        let (one, other) = (address("a", "Invented-0001"), address("a", "Invented-0002"));
        assert!(Account::try_new(Role::QueryApi, &[&one, &other]).is_err());
        assert!(Account::try_new(Role::QueryApi, &[&one, &one]).is_ok());
    }

    #[test]
    fn tls_is_insisted_on_if_every_address_does() {
        let tls = address("a", "Invented-0001");
        let without = tls.replace("REQUIRED", "PREFERRED");
        assert!(Account::try_new(Role::QueryApi, &[&tls]).unwrap().tls);
        assert!(!Account::try_new(Role::QueryApi, &[&tls, &without]).unwrap().tls);
    }
}
