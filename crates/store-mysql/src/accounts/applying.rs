//! How are a server's accounts brought to their passwords and rights?

use std::collections::BTreeSet;
use std::time::Duration;

use praxis_event_store::port::StoreError;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, Connection as _};

use super::{Account, Schemas, credentials, parse};
use crate::errors::{number, store_error, timed_out};
use crate::rows::column;

/// How long a connection attempt may take; the statements that follow take what they need.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const ACCESS_DENIED: u16 = 1045;

const LOCK: &str = "-- store_mysql::accounts::lock
SELECT GET_LOCK('praxis:accounts', 30)";

const PARTIAL_REVOKES: &str = "-- store_mysql::accounts::partial_revokes
SELECT CAST(@@GLOBAL.partial_revokes AS SIGNED)";

const KNOWN: &str = "-- store_mysql::accounts::known
SELECT COUNT(*) FROM mysql.user WHERE user = ? AND host = '%'";

/// What an account may do on whole schemas and on the server; `*` is the server.
const HELD: &str = "-- store_mysql::accounts::held
SELECT table_schema, privilege_type, is_grantable FROM information_schema.schema_privileges WHERE grantee = ?
UNION ALL
SELECT '*', privilege_type, is_grantable FROM information_schema.user_privileges
WHERE grantee = ? AND privilege_type <> 'USAGE'";

/// Whether the password before stays good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldPasswords {
    /// It does, so that programs that run with it go on.
    Keep,
    /// It does not: every program has been given the new one.
    Discard,
}

/// What became of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// It is new.
    Made,
    /// It has another password; the one before is good too.
    PasswordChanged,
    /// It has the password it had.
    Kept,
}

/// Brings each account to its password and rights, no more and no less, over the account of `admin_url`; a second run
/// changes nothing. Rights on single tables, and roles, are not looked at.
///
/// # Errors
/// [`StoreError::Unfit`] if an address, the server or the account of `admin_url` cannot be used for it.
pub async fn apply(
    admin_url: &str,
    schemas: &Schemas,
    accounts: &[Account],
    old_passwords: OldPasswords,
) -> Result<Vec<Became>, StoreError> {
    let (admin, _) = credentials(admin_url)?;
    if let Some(own) = accounts.iter().find(|account| account.name.0 == admin) {
        return Err(StoreError::Unfit(format!(
            "{}: its account is the one that grants, whose rights are not touched",
            own.role.name()
        )));
    }
    let options = parse(admin_url)?.database("information_schema");
    let mut conn = connect(&options).await.map_err(store_error)?;
    // Two at once could each keep the other's new password and drop the one in use.
    let locked: Option<i64> = one(&mut conn, sqlx::query(LOCK)).await?;
    if locked != Some(1) {
        return Err(StoreError::Busy);
    }
    let partial: i64 = one(&mut conn, sqlx::query(PARTIAL_REVOKES)).await?;
    if partial != 0 {
        return Err(StoreError::Unfit(
            "the server has partial_revokes on, and takes no patterns of schemas: turn it off".to_owned(),
        ));
    }
    let mut became = Vec::new();
    for account in accounts {
        became.push(password(&mut conn, account, old_passwords).await?);
        rights(&mut conn, account, schemas).await?;
    }
    // The server may close first: everything is committed.
    let _ = conn.close().await;
    Ok(became)
}

/// Makes the account if it is missing, and lets it in with its password.
async fn password(
    conn: &mut MySqlConnection,
    account: &Account,
    old_passwords: OldPasswords,
) -> Result<Became, StoreError> {
    let name = &account.name.0;
    let known: i64 = one(conn, sqlx::query(KNOWN).bind(name)).await?;
    let (user, by) = (
        format!("'{name}'@'%'"),
        format!("IDENTIFIED BY '{}'", account.password),
    );
    let require = if account.tls {
        "REQUIRE SSL"
    } else {
        "REQUIRE NONE"
    };
    let became = if known == 0 {
        execute(conn, account, &format!("CREATE USER {user} {by} {require}")).await?;
        Became::Made
    } else {
        // First, as who is refused for want of TLS is told the same as for a wrong password.
        execute(conn, account, &format!("ALTER USER {user} {require}")).await?;
        if is_let_in(account).await? {
            Became::Kept
        } else {
            let change = format!("ALTER USER {user} {by} RETAIN CURRENT PASSWORD");
            execute(conn, account, &change).await?;
            Became::PasswordChanged
        }
    };
    if old_passwords == OldPasswords::Discard {
        // First this one, as it may be the older of the two that are good.
        execute(conn, account, &format!("ALTER USER {user} {by}")).await?;
        execute(conn, account, &format!("ALTER USER {user} DISCARD OLD PASSWORD")).await?;
    }
    if is_let_in(account).await? {
        Ok(became)
    } else {
        Err(StoreError::Unfit(format!(
            "{}: the server of its address does not let it in: is it another than that of the admin's address?",
            account.role.name()
        )))
    }
}

/// Grants what is missing, and takes what is more than that.
async fn rights(conn: &mut MySqlConnection, account: &Account, schemas: &Schemas) -> Result<(), StoreError> {
    for grant in account.grants(schemas) {
        execute(conn, account, &grant).await?;
    }
    let wanted: BTreeSet<(String, &str)> = account
        .role
        .rights()
        .iter()
        .flat_map(|(place, privileges)| {
            let pattern = schemas.pattern(*place);
            privileges
                .iter()
                .map(move |privilege| (pattern.clone(), *privilege))
        })
        .collect();
    let grantee = format!("'{}'@'%'", account.name.0);
    let held = held(conn, &grantee).await?;
    for right in held.iter().filter(|right| !wanted.contains(&right.key())) {
        // As the server names it, in letters, spaces and `_`.
        let revoke = format!("REVOKE {} ON {} FROM {grantee}", right.privilege, right.place());
        execute(conn, account, &revoke).await?;
    }
    // Last: MySQL 9 keeps a dynamic privilege, without saying so, that is revoked after the right to pass it on.
    let passed_on: BTreeSet<String> = held
        .iter()
        .filter(|right| right.grantable)
        .map(Right::place)
        .collect();
    for place in passed_on {
        // IF EXISTS, as it goes with the last privilege there.
        let revoke = format!("REVOKE IF EXISTS GRANT OPTION ON {place} FROM {grantee}");
        execute(conn, account, &revoke).await?;
    }
    Ok(())
}

/// A privilege as the server lists it.
struct Right {
    schema: String,
    privilege: String,
    grantable: bool,
}

impl Right {
    fn key(&self) -> (String, &str) {
        (self.schema.clone(), self.privilege.as_str())
    }

    fn place(&self) -> String {
        if self.schema == "*" {
            "*.*".to_owned()
        } else {
            format!("`{}`.*", self.schema.replace('`', "``"))
        }
    }
}

async fn held(conn: &mut MySqlConnection, grantee: &str) -> Result<Vec<Right>, StoreError> {
    let rows = sqlx::query(HELD).bind(grantee).bind(grantee);
    let rows = rows.fetch_all(conn).await.map_err(store_error)?;
    rows.iter()
        .map(|row| {
            Ok(Right {
                schema: column(row, 0)?,
                privilege: column(row, 1)?,
                grantable: column::<String>(row, 2)? == "YES",
            })
        })
        .collect()
}

/// Whether the account's own address leads in. Anything but a refusal of it is a fault.
async fn is_let_in(account: &Account) -> Result<bool, StoreError> {
    let options = account.options.clone().database("information_schema");
    match connect(&options).await {
        Ok(conn) => {
            let _ = conn.close().await;
            Ok(true)
        }
        Err(error) if number(&error) == Some(ACCESS_DENIED) => Ok(false),
        Err(error) => Err(store_error(error)),
    }
}

/// Account statements take no parameters; names and passwords were made sure of where they came in.
async fn execute(conn: &mut MySqlConnection, account: &Account, statement: &str) -> Result<(), StoreError> {
    let statement = AssertSqlSafe(format!("-- store_mysql::accounts\n{statement}"));
    let executed = sqlx::raw_sql(statement).execute(conn).await;
    let Err(error) = executed else { return Ok(()) };
    // A server may quote the statement, and so the password.
    let Some(number) = number(&error) else {
        return Err(store_error(error));
    };
    let said = error.to_string().replace(&account.password, "(secret)");
    Err(StoreError::Unfit(format!(
        "{}: the server refuses with {number}: {said}",
        account.role.name()
    )))
}

async fn one<T>(
    conn: &mut MySqlConnection,
    query: sqlx::query::Query<'_, sqlx::MySql, sqlx::mysql::MySqlArguments>,
) -> Result<T, StoreError>
where
    T: for<'r> sqlx::Decode<'r, sqlx::MySql> + sqlx::Type<sqlx::MySql>,
{
    let row = query.fetch_one(conn).await.map_err(store_error)?;
    column(&row, 0)
}

async fn connect(options: &MySqlConnectOptions) -> Result<MySqlConnection, sqlx::Error> {
    let connecting = MySqlConnection::connect_with(options);
    tokio::time::timeout(CONNECT_TIMEOUT, connecting)
        .await
        .unwrap_or_else(|_| Err(timed_out(CONNECT_TIMEOUT)))
}
