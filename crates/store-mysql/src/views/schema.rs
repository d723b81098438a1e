//! Which schemas do read models live in, and who makes them?

use std::time::Duration;

use praxis_read_models::views::ViewsError;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, Connection, Row as _};

use super::conn::{fault, views_error};
use crate::errors::{number, timed_out};
use crate::log::connect_options;

/// The whole schema of a generation; a change of it makes another fingerprint.
pub(super) const GENERATION_SQL: &str = include_str!("../../../../migrations/mysql/views/0001_views.sql");

/// The registry's own schema; may be run again.
const REGISTRY_SQL: &str = include_str!("../../../../migrations/mysql/views/registry.sql");

/// How long a connection attempt may take; the statements that follow take what they need.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest name of a schema is 64 (MySQL 8.4 manual, 11.2.1); `_` and the largest number come after the registry's.
const REGISTRY_NAME_LEN_MAX: usize = 53;

const SCHEMA_EXISTS: u16 = 1007;
const ACCESS_TO_SCHEMA_DENIED: u16 = 1044;
const NO_SUCH_SCHEMA: u16 = 1049;
const COMMAND_DENIED: u16 = 1142;
const NO_SUCH_TABLE: u16 = 1146;

/// Makes the registry of read models in the schema that the address names, and the schema if it is missing. May be
/// repeated at any time. The schemas of generations are made when they are registered.
///
/// # Errors
/// [`ViewsError::Unfit`] if the address or its account cannot be used for it.
pub async fn migrate(url: &str) -> Result<(), ViewsError> {
    let options = views_options(url)?;
    let mut conn = match connect(&options).await {
        Err(error) if number(&error) == Some(NO_SUCH_SCHEMA) => {
            let name = schema_of(&options);
            let mut server = connect(&on_the_server(&options)).await.map_err(fault)?;
            create(&mut server, "CREATE DATABASE IF NOT EXISTS", name).await?;
            close(server).await;
            connect(&options).await
        }
        result => result,
    }
    .map_err(fault)?;
    sqlx::raw_sql(REGISTRY_SQL)
        .execute(&mut conn)
        .await
        .map_err(fault)?;
    expand_registry(&mut conn).await?;
    close(conn).await;
    Ok(())
}

/// Brings the registry of an earlier version up to this one.
async fn expand_registry(conn: &mut MySqlConnection) -> Result<(), ViewsError> {
    let known = sqlx::raw_sql(
        "-- store_mysql::views::schema::expand_registry
         SELECT COUNT(*) FROM information_schema.COLUMNS
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'generations' AND COLUMN_NAME = 'retired_at'",
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(fault)?;
    if known.try_get::<i64, _>(0).map_err(fault)? == 0 {
        sqlx::raw_sql(
            "-- store_mysql::views::schema::expand_registry
             ALTER TABLE generations ADD COLUMN retired_at BIGINT NULL",
        )
        .execute(conn)
        .await
        .map_err(fault)?;
    }
    Ok(())
}

/// Where the address leads; its schema has a name that can be put into a statement, and a number after it.
pub(super) fn views_options(url: &str) -> Result<MySqlConnectOptions, ViewsError> {
    let options = connect_options(url).map_err(views_error)?;
    let name = schema_of(&options);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.len() > REGISTRY_NAME_LEN_MAX || !name.bytes().all(is_plain) {
        return Err(ViewsError::Unfit(format!(
            "the name of the read models' schema is letters, digits and _, at most {REGISTRY_NAME_LEN_MAX}"
        )));
    }
    Ok(options)
}

/// The same server and account in a generation's schema.
pub(super) fn generation_options(registry: &MySqlConnectOptions, number: u32) -> MySqlConnectOptions {
    registry.clone().database(&generation_schema(registry, number))
}

/// Makes a generation's schema with its tables, empty. One that is there already is not touched: it may be in use.
pub(super) async fn create_generation(registry: &MySqlConnectOptions, number: u32) -> Result<(), ViewsError> {
    let name = generation_schema(registry, number);
    let mut conn = connect(registry).await.map_err(fault)?;
    create(&mut conn, "CREATE DATABASE", &name).await?;
    close(conn).await;
    let mut conn = connect(&generation_options(registry, number))
        .await
        .map_err(fault)?;
    sqlx::raw_sql(GENERATION_SQL)
        .execute(&mut conn)
        .await
        .map_err(|error| privilege_fault(error, &name))?;
    close(conn).await;
    Ok(())
}

/// Whether a generation's schema is there with its tables. Only what the server says is missing is: of a schema that an
/// account may not use nothing is known.
pub(super) async fn is_generation_there(
    registry: &MySqlConnectOptions,
    generation: u32,
) -> Result<bool, ViewsError> {
    let looked = async {
        let mut conn = connect(&generation_options(registry, generation)).await?;
        sqlx::raw_sql(
            "-- store_mysql::views::schema::is_generation_there
             SELECT position FROM checkpoints LIMIT 1",
        )
        .fetch_all(&mut conn)
        .await?;
        close(conn).await;
        Ok(true)
    };
    match looked.await {
        Err(error)
            if [NO_SUCH_SCHEMA, NO_SUCH_TABLE]
                .map(Some)
                .contains(&number(&error)) =>
        {
            Ok(false)
        }
        looked => looked.map_err(fault),
    }
}

pub(super) fn generation_schema(registry: &MySqlConnectOptions, number: u32) -> String {
    format!("{}_{number}", schema_of(registry))
}

pub(super) fn schema_of(options: &MySqlConnectOptions) -> &str {
    options.get_database().unwrap_or_default()
}

fn on_the_server(options: &MySqlConnectOptions) -> MySqlConnectOptions {
    options.clone().database("information_schema")
}

/// A name cannot be a parameter; this one is made of letters, digits and `_`.
async fn create(conn: &mut MySqlConnection, how: &'static str, name: &str) -> Result<(), ViewsError> {
    let statement = format!("-- store_mysql::views::schema::create\n{how} `{name}`");
    match sqlx::raw_sql(AssertSqlSafe(statement)).execute(conn).await {
        Err(error) if number(&error) == Some(SCHEMA_EXISTS) => Err(ViewsError::Unfit(format!(
            "the schema {name} is there already, of another registry or an earlier attempt: drop it if nothing uses it"
        ))),
        Err(error) => Err(privilege_fault(error, name)),
        Ok(_) => Ok(()),
    }
}

fn privilege_fault(error: sqlx::Error, name: &str) -> ViewsError {
    if [ACCESS_TO_SCHEMA_DENIED, COMMAND_DENIED]
        .map(Some)
        .contains(&number(&error))
    {
        return ViewsError::Unfit(format!(
            "the account may not make the schema {name} and its tables: grant it CREATE, INDEX, SELECT, INSERT, UPDATE \
             and DELETE there (with a pattern, as every generation has a schema of its own)"
        ));
    }
    fault(error)
}

pub(super) async fn connect(options: &MySqlConnectOptions) -> Result<MySqlConnection, sqlx::Error> {
    let connecting = MySqlConnection::connect_with(options);
    tokio::time::timeout(CONNECT_TIMEOUT, connecting)
        .await
        .unwrap_or_else(|_| Err(timed_out(CONNECT_TIMEOUT)))
}

pub(super) async fn close(conn: MySqlConnection) {
    // The server may close first: everything is committed.
    let _ = conn.close().await;
}
