//! Is the file the log this program knows, and how does it become one?

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use praxis_event_store::port::StoreError;
use praxis_events::ids::LogId;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{ConnectOptions, Connection, SqlSafeStr, SqliteConnection};

use super::rows::id;
use super::{connect, error};

/// How long a migration waits for another process, milliseconds.
const MIGRATE_WAIT_MS: u64 = 5_000;

/// Version, name and text of every migration, in order. What is here is never edited: add another.
const MIGRATIONS: [(i64, &str, &str); 1] = [(
    1,
    "log",
    include_str!("../../../../migrations/sqlite/events/0001_log.sql"),
)];

fn migrations() -> Vec<Migration> {
    MIGRATIONS
        .into_iter()
        .map(|(version, name, sql)| {
            Migration::new(
                version,
                name.into(),
                MigrationType::Simple,
                sql.into_sql_str(),
                false,
            )
        })
        .collect()
}

/// Makes the file if it is missing, brings its schema up to this program's, and gives the log its identity if it has
/// none yet. Returns the identity it has.
///
/// # Errors
/// [`StoreError::Unfit`] if the file was written by a newer program or an edited migration.
pub async fn migrate(path: &Path, new_log_id: LogId) -> Result<LogId, StoreError> {
    let options =
        connect::writer_options(path, Duration::from_millis(MIGRATE_WAIT_MS)).create_if_missing(true);
    let mut conn = options.connect().await.map_err(error::store)?;
    connect::require_durable(&mut conn).await.map_err(error::store)?;
    Migrator::with_migrations(migrations())
        .run(&mut conn)
        .await
        .map_err(unfit)?;
    let log_id = identify(&mut conn, new_log_id).await?;
    conn.close().await.map_err(error::store)?;
    Ok(log_id)
}

fn unfit(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error::store(error),
        MigrateError::VersionMissing(version) => newer(version),
        other => StoreError::Unfit(other.to_string()),
    }
}

async fn identify(conn: &mut SqliteConnection, new_log_id: LogId) -> Result<LogId, StoreError> {
    sqlx::query(
        "-- praxis_store_sqlite::log::schema::identify
         INSERT INTO log_head (id, log_id, epoch, position, recorded_at, tombstone_position)
         VALUES (1, ?1, 1, 0, 0, 0)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(new_log_id.0.as_bytes().as_slice())
    .execute(&mut *conn)
    .await
    .map_err(error::store)?;
    let stored: Vec<u8> = sqlx::query_scalar(
        "-- praxis_store_sqlite::log::schema::identify
         SELECT log_id FROM log_head WHERE id = 1",
    )
    .fetch_one(conn)
    .await
    .map_err(error::store)?;
    Ok(LogId(id(&stored)?))
}

/// Refuses a path with no file: SQLite's own words for it are no help.
pub(super) fn require_file(path: &Path) -> Result<(), StoreError> {
    if path.is_file() {
        Ok(())
    } else {
        Err(missing(&format!("there is no event log at {}", path.display())))
    }
}

/// Refuses a file whose schema is missing, older, newer or edited.
pub(super) async fn require_current(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let tables: i64 = sqlx::query_scalar(
        "-- praxis_store_sqlite::log::schema::require_current
         SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('_sqlx_migrations', 'log_head')",
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(error::store)?;
    if tables < 2 {
        return Err(missing("the file holds no event log"));
    }
    let applied: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "-- praxis_store_sqlite::log::schema::require_current
         SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version",
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(error::store)?;
    compare(&applied)?;
    let heads: i64 = sqlx::query_scalar(
        "-- praxis_store_sqlite::log::schema::require_current
         SELECT count(*) FROM log_head",
    )
    .fetch_one(conn)
    .await
    .map_err(error::store)?;
    if heads == 1 {
        Ok(())
    } else {
        Err(missing("the event log has no identity"))
    }
}

fn compare(applied: &[(i64, Vec<u8>)]) -> Result<(), StoreError> {
    let mut known: BTreeMap<i64, Migration> = migrations()
        .into_iter()
        .map(|migration| (migration.version, migration))
        .collect();
    for (version, checksum) in applied {
        match known.remove(version) {
            None => return Err(newer(*version)),
            Some(migration) if *migration.checksum != **checksum => {
                return Err(StoreError::Unfit(format!(
                    "migration {version} of the event log was edited"
                )));
            }
            Some(_) => {}
        }
    }
    match known.keys().next() {
        None => Ok(()),
        Some(version) => Err(missing(&format!("the event log lacks migration {version}"))),
    }
}

fn missing(what: &str) -> StoreError {
    StoreError::Unfit(format!("{what}; run `praxis migrate`"))
}

fn newer(version: i64) -> StoreError {
    StoreError::Unfit(format!(
        "the event log has migration {version}, which this program does not know; use a newer one"
    ))
}
