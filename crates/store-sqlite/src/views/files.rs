//! Which files do read models live in, and how do they come and go?

use std::io;
use std::path::{Path, PathBuf};

use praxis_read_models::views::ViewsError;
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqlitePool};

use super::conn::{fault, writer_options};

/// The registry's file in a data directory.
pub const REGISTRY_FILE: &str = "views.db";

/// The whole schema of a generation; a change of it makes another fingerprint.
pub(super) const SCHEMA: &str = include_str!("../../../../migrations/sqlite/views/0001_views.sql");

/// The registry's own schema; may be run again.
const REGISTRY_SCHEMA: &str = include_str!("../../../../migrations/sqlite/views/registry.sql");

/// What a file's name has appended for what `SQLite` keeps beside it.
const BESIDE: [&str; 3] = ["", "-wal", "-shm"];

/// A generation's file.
pub(super) fn file_of(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("views-{number}.db"))
}

/// Makes the registry's table, or brings the one of an earlier version up to this one.
pub(super) async fn prepare_registry(registry: &SqlitePool) -> Result<(), ViewsError> {
    sqlx::raw_sql(REGISTRY_SCHEMA)
        .execute(registry)
        .await
        .map_err(fault)?;
    let known = sqlx::query(
        "-- praxis_store_sqlite::views::files::prepare_registry
         SELECT count(*) FROM pragma_table_info('generations') WHERE name = 'retired_at'",
    )
    .fetch_one(registry)
    .await
    .map_err(fault)?;
    if known.try_get::<i64, _>(0).map_err(fault)? == 0 {
        sqlx::raw_sql(
            "-- praxis_store_sqlite::views::files::prepare_registry
             ALTER TABLE generations ADD COLUMN retired_at INTEGER",
        )
        .execute(registry)
        .await
        .map_err(fault)?;
    }
    Ok(())
}

/// Makes a generation's file with its tables, empty. One of a registry that was lost is in nobody's hands and goes.
pub(super) async fn make(file: &Path) -> Result<(), ViewsError> {
    remove(file)?;
    let options = writer_options(file).create_if_missing(true);
    let mut conn = options.connect().await.map_err(fault)?;
    sqlx::raw_sql(SCHEMA).execute(&mut conn).await.map_err(fault)?;
    conn.close().await.map_err(fault)
}

/// Removes a generation's file with what belongs to it; what is not there is no fault.
pub(super) fn remove(file: &Path) -> Result<(), ViewsError> {
    for appended in BESIDE {
        let mut name = file.as_os_str().to_owned();
        name.push(appended);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ViewsError::Unavailable(error.into()));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
