//! Which schema does this version need, and how is it made?

use std::time::Duration;

use praxis_event_store::port::StoreError;
use praxis_events::ids::LogId;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, Connection, SqlStr};
use uuid::Uuid;

use crate::errors::{number, store_error};
use crate::fitness::no_head;
use crate::log::connect_options;
use crate::rows::{column, id_at};
use crate::session::Session;

/// How long a connection attempt may take; the statements that follow take what they need.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest name of a schema (MySQL 8.4 manual, 11.2.1).
const SCHEMA_NAME_LEN_MAX: usize = 64;

const NO_SUCH_SCHEMA: u16 = 1049;
const NO_SUCH_TABLE: u16 = 1146;

/// In order; what was published is never edited.
const MIGRATIONS: [(i64, &str, &str); 2] = [
    (
        1,
        "log",
        include_str!("../../../migrations/mysql/events/0001_log.sql"),
    ),
    (
        2,
        "keys and followers",
        include_str!("../../../migrations/mysql/events/0002_keys_and_followers.sql"),
    ),
];

const BEGIN_LOG: &str = "-- store_mysql::migrate::begin_log
INSERT INTO log_head (id, log_id, epoch, position, recorded_at, tombstone_position) VALUES (1, ?, 1, 0, 0, 0)
ON DUPLICATE KEY UPDATE id = id";

const LOG_ID: &str = "-- store_mysql::migrate::log_id
SELECT log_id FROM log_head WHERE id = 1";

const APPLIED: &str = "-- store_mysql::migrate::applied
SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version";

/// Makes the schema that the address names, or brings it up to this version, and begins a log in it under `log_id`
/// at epoch 1 unless it holds one. Returns the id of the log that is there. May be repeated at any time.
///
/// # Errors
/// [`StoreError::Unfit`] if an earlier migration was changed, was cut off half way, or is of a later version.
pub async fn migrate(url: &str, log_id: LogId) -> Result<LogId, StoreError> {
    let options = connect_options(url)?;
    let mut conn = match connect(&options).await {
        Err(error) if number(&error) == Some(NO_SUCH_SCHEMA) => {
            create_schema(&options).await?;
            connect(&options).await
        }
        result => result,
    }
    .map_err(store_error)?;
    migrator()
        .run_direct(None, &mut conn, false)
        .await
        .map_err(migrate_error)?;
    let begin = sqlx::query(BEGIN_LOG).bind(log_id.0.as_bytes().to_vec());
    begin.execute(&mut conn).await.map_err(store_error)?;
    let rows = sqlx::query(LOG_ID)
        .fetch_all(&mut conn)
        .await
        .map_err(store_error)?;
    let id: Uuid = id_at(rows.first().ok_or_else(no_head)?, 0)?;
    // The server may close first: everything is committed.
    let _ = conn.close().await;
    Ok(LogId(id))
}

async fn connect(options: &MySqlConnectOptions) -> Result<MySqlConnection, sqlx::Error> {
    let connecting = MySqlConnection::connect_with(options);
    tokio::time::timeout(CONNECT_TIMEOUT, connecting)
        .await
        .unwrap_or_else(|_| Err(crate::errors::timed_out(CONNECT_TIMEOUT)))
}

/// A name cannot be a parameter, so only letters, digits and `_` are let through.
async fn create_schema(options: &MySqlConnectOptions) -> Result<(), StoreError> {
    let name = options.get_database().unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || name.len() > SCHEMA_NAME_LEN_MAX || !name.bytes().all(is_plain) {
        return Err(StoreError::Unfit(
            "a schema's name is letters, digits and _, at most 64".to_owned(),
        ));
    }
    let mut conn = connect(&options.clone().database("information_schema"))
        .await
        .map_err(store_error)?;
    let create = format!("-- store_mysql::migrate::create_schema\nCREATE DATABASE IF NOT EXISTS `{name}`");
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&mut conn)
        .await
        .map_err(store_error)?;
    Ok(())
}

fn migrator() -> Migrator {
    let migration = |(version, name, text): (i64, &'static str, &'static str)| {
        Migration::new(
            version,
            name.into(),
            MigrationType::Simple,
            SqlStr::from_static(text),
            false,
        )
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect())
}

fn migrate_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => store_error(error),
        MigrateError::Dirty(version) => StoreError::Unfit(cut_off(version)),
        MigrateError::VersionMissing(version) => StoreError::Unfit(later(version)),
        MigrateError::VersionMismatch(version) => StoreError::Unfit(changed(version)),
        other => StoreError::Refused(other.into()),
    }
}

/// The schema holds what this version's migrations make: neither less nor more.
pub(crate) async fn check_schema(session: &mut Session) -> Result<(), StoreError> {
    let applied = match session.rows(sqlx::query(APPLIED)).await {
        Err(error) if number(&error) == Some(NO_SUCH_TABLE) => Vec::new(),
        result => result.map_err(store_error)?,
    };
    let migrator = migrator();
    let mut wanted = migrator.iter();
    for row in &applied {
        let version: i64 = column(row, 0)?;
        let wanted = wanted.next().ok_or_else(|| StoreError::Unfit(later(version)))?;
        if !column::<bool>(row, 2)? {
            return Err(StoreError::Unfit(cut_off(version)));
        }
        if version != wanted.version || column::<&[u8]>(row, 1)? != wanted.checksum.as_ref() {
            return Err(StoreError::Unfit(changed(version)));
        }
    }
    match wanted.next() {
        None => Ok(()),
        Some(missing) => Err(StoreError::Unfit(format!(
            "the schema lacks migration {} ({}): run `praxis migrate`",
            missing.version, missing.description
        ))),
    }
}

fn cut_off(version: i64) -> String {
    format!(
        "migration {version} of the schema was cut off half way: restore the schema, or drop it if it is new"
    )
}

fn later(version: i64) -> String {
    format!("the schema has migration {version}, which this version does not know: run a later version")
}

fn changed(version: i64) -> String {
    format!("migration {version} of the schema is not the one this version knows")
}
