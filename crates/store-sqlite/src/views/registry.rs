//! Which generations are there, and where are they?

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use praxis_read_models::fingerprint::{Fingerprint, fingerprint};
use praxis_read_models::reads::Reads;
use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::{Views, ViewsError};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

use super::conn::{fault, number, readers, writer, writer_options};
use super::files::{REGISTRY_FILE, SCHEMA, file_of, make, prepare_registry, remove};
use super::read::SqliteReads;
use super::write::SqliteViews;

/// The generations of a data directory that this process owns.
#[derive(Debug)]
pub struct SqliteRegistry {
    directory: PathBuf,
    registry: SqlitePool,
    /// Held from the look at what is there until a generation's file is in place.
    registering: tokio::sync::Mutex<()>,
    opened: Mutex<BTreeMap<u32, Pools>>,
}

/// The connections to one generation's file; everybody in the process shares them.
#[derive(Clone, Debug)]
struct Pools {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Pools {
    fn of(path: &Path) -> Self {
        Self {
            writer: writer(writer_options(path)),
            readers: readers(path),
        }
    }

    /// Who writes goes last, and opens the file if nobody has: one that only reads cannot fold the write-ahead log into
    /// it and remove that. Should it fail the log stays, which does no harm.
    async fn close(self) {
        self.readers.close().await;
        if self.writer.size() == 0 {
            drop(self.writer.acquire().await);
        }
        self.writer.close().await;
    }
}

impl SqliteRegistry {
    /// Opens the registry of a data directory, and makes it where there is none: unlike the log it can be made again.
    ///
    /// # Errors
    /// [`ViewsError`] when its file cannot be used.
    pub async fn open(directory: &Path) -> Result<Self, ViewsError> {
        let registry = writer(writer_options(&directory.join(REGISTRY_FILE)).create_if_missing(true));
        prepare_registry(&registry).await?;
        Ok(Self {
            directory: directory.to_owned(),
            registry,
            registering: tokio::sync::Mutex::new(()),
            opened: Mutex::new(BTreeMap::new()),
        })
    }

    fn file(&self, number: u32) -> PathBuf {
        file_of(&self.directory, number)
    }

    async fn connections(&self, number: u32) -> Result<Pools, ViewsError> {
        let number = self.usable(number).await?.number;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let pools = opened
            .entry(number)
            .or_insert_with(|| Pools::of(&self.file(number)));
        Ok(pools.clone())
    }

    /// Takes a number, as one given up: should the process end before the file is in place, nobody waits for it.
    async fn take_number(
        &self,
        newest: Option<u32>,
        partitions: NonZeroU32,
        now_micros: i64,
    ) -> Result<Option<Generation>, ViewsError> {
        let row = sqlx::query(
            "-- praxis_store_sqlite::views::registry::take_number
             INSERT INTO generations (fingerprint, partitions, state, created_at, retired_at)
             SELECT ?1, ?2, 'retired', ?3, CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)
             WHERE (SELECT max(number) FROM generations WHERE fingerprint = ?1 AND state <> 'retired') IS ?4
             RETURNING number, fingerprint, partitions, state, created_at",
        )
        .bind(self.fingerprint().0.as_slice())
        .bind(i64::from(partitions.get()))
        .bind(now_micros)
        .bind(newest.map(i64::from))
        .fetch_optional(&self.registry)
        .await
        .map_err(fault)?;
        row.as_ref().map(generation).transpose()
    }

    fn take_opened(&self, number: u32) -> Option<Pools> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.remove(&number)
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

    async fn register_after(
        &self,
        newest: Option<u32>,
        partitions: NonZeroU32,
        now_micros: i64,
    ) -> Result<Option<Generation>, ViewsError> {
        let _registering = self.registering.lock().await;
        let Some(taken) = self.take_number(newest, partitions, now_micros).await? else {
            return Ok(None);
        };
        make(&self.file(taken.number)).await?;
        let (from, state) = (GenerationState::Retired, GenerationState::Building);
        self.set_state(taken.number, from, state).await?;
        Ok(Some(Generation { state, ..taken }))
    }

    async fn set_state(
        &self,
        number: u32,
        from: GenerationState,
        to: GenerationState,
    ) -> Result<bool, ViewsError> {
        let moved = sqlx::query(
            "-- praxis_store_sqlite::views::registry::set_state
             UPDATE generations SET state = ?3,
                 retired_at = CASE ?3 WHEN 'retired' THEN CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER) END
             WHERE number = ?1 AND state = ?2",
        )
        .bind(i64::from(number))
        .bind(from.name())
        .bind(to.name())
        .execute(&self.registry)
        .await
        .map_err(fault)?;
        Ok(moved.rows_affected() == 1)
    }

    /// A file without content is as good as none: it is what opening a lost one could have left.
    async fn is_in_place(&self, number: u32) -> Result<bool, ViewsError> {
        match std::fs::metadata(self.file(number)) {
            Ok(file) => Ok(file.len() > 0),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(ViewsError::Unavailable(error.into())),
        }
    }

    async fn open_views(&self, number: u32) -> Result<Arc<dyn Views>, ViewsError> {
        let Pools { writer, readers } = self.connections(number).await?;
        Ok(Arc::new(SqliteViews::new(writer, readers)))
    }

    async fn open_reads(&self, number: u32) -> Result<Arc<dyn Reads>, ViewsError> {
        Ok(Arc::new(SqliteReads::new(
            self.connections(number).await?.readers,
        )))
    }

    /// The files go first: an entry that is left has them removed again.
    async fn remove_retired(&self, retired_for: Duration) -> Result<Vec<u32>, ViewsError> {
        let retired_for_micros =
            i64::try_from(retired_for.as_micros()).map_err(|error| ViewsError::Refused(error.into()))?;
        let rows = sqlx::query(
            "-- praxis_store_sqlite::views::registry::remove_retired
             SELECT number FROM generations
             WHERE state = 'retired'
                 AND coalesce(retired_at, 0) <= CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER) - ?1
             ORDER BY number",
        )
        .bind(retired_for_micros)
        .fetch_all(&self.registry)
        .await
        .map_err(fault)?;
        let mut removed = Vec::with_capacity(rows.len());
        for row in &rows {
            let retired: u32 = number(row, 0)?;
            if let Some(opened) = self.take_opened(retired) {
                opened.close().await;
            }
            remove(&self.file(retired))?;
            sqlx::query(
                "-- praxis_store_sqlite::views::registry::remove_retired
                 DELETE FROM generations WHERE number = ?1 AND state = 'retired'",
            )
            .bind(i64::from(retired))
            .execute(&self.registry)
            .await
            .map_err(fault)?;
            removed.push(retired);
        }
        Ok(removed)
    }

    async fn close(&self) {
        let opened = std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        for pools in opened.into_values() {
            pools.close().await;
        }
        self.registry.close().await;
    }
}

fn generation(row: &SqliteRow) -> Result<Generation, ViewsError> {
    let (fingerprint, state): (&[u8], &str) =
        (row.try_get(1).map_err(fault)?, row.try_get(3).map_err(fault)?);
    Generation::try_from_columns(
        number(row, 0)?,
        fingerprint,
        number(row, 2)?,
        state,
        row.try_get(4).map_err(fault)?,
    )
}
