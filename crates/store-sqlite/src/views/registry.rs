//! Which generations are there, and where are they?

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use praxis_read_models::fingerprint::{Fingerprint, fingerprint};
use praxis_read_models::reads::Reads;
use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::{Views, ViewsError};
use sqlx::sqlite::SqliteRow;
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqlitePool};

use super::conn::{fault, number, writer, writer_options};
use super::read::SqliteReads;
use super::write::SqliteViews;

/// The registry's file in a data directory.
const REGISTRY_FILE: &str = "views.db";

/// The whole schema of a generation.
const SCHEMA: &str = include_str!("../../../../migrations/sqlite/views/0001_views.sql");

/// The registry's own schema.
const REGISTRY_SCHEMA: &str = include_str!("../../../../migrations/sqlite/views/registry.sql");

/// The generations of a data directory.
#[derive(Debug)]
pub struct SqliteRegistry {
    directory: PathBuf,
    registry: SqlitePool,
}

impl SqliteRegistry {
    /// Opens the registry of a data directory, and makes it where there is none: unlike the log it can be made again.
    ///
    /// # Errors
    /// [`ViewsError`] when its file cannot be used.
    pub async fn open(directory: &Path) -> Result<Self, ViewsError> {
        let registry = writer(&directory.join(REGISTRY_FILE));
        sqlx::raw_sql(REGISTRY_SCHEMA)
            .execute(&registry)
            .await
            .map_err(fault)?;
        Ok(Self {
            directory: directory.to_owned(),
            registry,
        })
    }

    fn file(&self, number: u32) -> PathBuf {
        self.directory.join(format!("views-{number}.db"))
    }

    /// The file of a generation that this program can use.
    async fn usable(&self, number: u32) -> Result<PathBuf, ViewsError> {
        let known = self
            .generations()
            .await?
            .into_iter()
            .find(|known| known.number == number);
        match known {
            None => Err(ViewsError::Unfit(format!("there is no generation {number}"))),
            Some(known) if known.fingerprint != self.fingerprint() => Err(ViewsError::Unfit(format!(
                "generation {number} is of the folds {}, this program's are {}",
                known.fingerprint,
                self.fingerprint()
            ))),
            Some(known) if known.state == GenerationState::Retired => {
                Err(ViewsError::Unfit(format!("generation {number} is retired")))
            }
            Some(_) => Ok(self.file(number)),
        }
    }
}

#[async_trait]
impl Registry for SqliteRegistry {
    fn fingerprint(&self) -> Fingerprint {
        fingerprint(&[SCHEMA])
    }

    async fn generations(&self) -> Result<Vec<Generation>, ViewsError> {
        let rows = sqlx::query(
            "-- praxis_store_sqlite::views::registry::generations
             SELECT number, fingerprint, partitions, state, created_at FROM generations ORDER BY number",
        )
        .fetch_all(&self.registry)
        .await
        .map_err(fault)?;
        rows.iter().map(generation).collect()
    }

    async fn register(&self, partitions: NonZeroU32, now_micros: i64) -> Result<Generation, ViewsError> {
        let row = sqlx::query(
            "-- praxis_store_sqlite::views::registry::register
             INSERT INTO generations (fingerprint, partitions, state, created_at) VALUES (?1, ?2, 'building', ?3)
             RETURNING number, fingerprint, partitions, state, created_at",
        )
        .bind(self.fingerprint().0.as_slice())
        .bind(i64::from(partitions.get()))
        .bind(now_micros)
        .fetch_one(&self.registry)
        .await
        .map_err(fault)?;
        let registered = generation(&row)?;
        let mut conn = writer_options(&self.file(registered.number))
            .connect()
            .await
            .map_err(fault)?;
        sqlx::raw_sql(SCHEMA).execute(&mut conn).await.map_err(fault)?;
        conn.close().await.map_err(fault)?;
        Ok(registered)
    }

    async fn set_state(
        &self,
        number: u32,
        from: GenerationState,
        to: GenerationState,
    ) -> Result<bool, ViewsError> {
        let moved = sqlx::query(
            "-- praxis_store_sqlite::views::registry::set_state
             UPDATE generations SET state = ?3 WHERE number = ?1 AND state = ?2",
        )
        .bind(i64::from(number))
        .bind(from.name())
        .bind(to.name())
        .execute(&self.registry)
        .await
        .map_err(fault)?;
        Ok(moved.rows_affected() == 1)
    }

    async fn open_views(&self, number: u32) -> Result<Arc<dyn Views>, ViewsError> {
        Ok(Arc::new(SqliteViews::new(&self.usable(number).await?)))
    }

    async fn open_reads(&self, number: u32) -> Result<Arc<dyn Reads>, ViewsError> {
        Ok(Arc::new(SqliteReads::new(&self.usable(number).await?)))
    }
}

fn generation(row: &SqliteRow) -> Result<Generation, ViewsError> {
    let bytes: &[u8] = row.try_get(1).map_err(fault)?;
    let state: &str = row.try_get(3).map_err(fault)?;
    Ok(Generation {
        number: number(row, 0)?,
        fingerprint: Fingerprint(
            bytes
                .try_into()
                .map_err(|_| ViewsError::Corrupt("a fingerprint has not 8 bytes"))?,
        ),
        partitions: NonZeroU32::new(number(row, 2)?)
            .ok_or(ViewsError::Corrupt("a generation without partitions"))?,
        state: GenerationState::from_name(state)
            .ok_or(ViewsError::Corrupt("a generation in no known state"))?,
        created_at: row.try_get(4).map_err(fault)?,
    })
}
