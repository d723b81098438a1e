//! Which generations are there, and where are they?

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use praxis_read_models::fingerprint::{Fingerprint, fingerprint};
use praxis_read_models::reads::Reads;
use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::{Views, ViewsError};
use sqlx::mysql::{MySqlConnectOptions, MySqlRow};

use super::conn::column;
use super::read::MySqlReads;
use super::registering::{Registering, drop_generation};
use super::schema::{
    GENERATION_SQL, create_generation, generation_options, is_generation_there, views_options,
};
use super::sessions::Sessions;
use super::write::MySqlViews;
use crate::fitness::Purpose;

const GENERATIONS: &str = "-- store_mysql::views::registry::generations
SELECT number, fingerprint, partitions, state, created_at FROM generations ORDER BY number";

const SET_STATE: &str = "-- store_mysql::views::registry::set_state
UPDATE generations SET state = ?,
    retired_at = IF(? = 'retired', CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED), NULL)
WHERE number = ? AND state = ?";

/// Where no time of retirement is known, the schema may be somebody else's.
const RETIRED: &str = "-- store_mysql::views::registry::remove_retired
SELECT number FROM generations
WHERE state = 'retired' AND retired_at <= CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED) - ?
ORDER BY number";

const FORGET: &str = "-- store_mysql::views::registry::remove_retired
DELETE FROM generations WHERE number = ? AND state = 'retired'";

/// The generations of a read database.
pub struct MySqlRegistry {
    options: MySqlConnectOptions,
    sessions: Sessions,
}

/// The options hold the password.
impl fmt::Debug for MySqlRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlRegistry")
            .field("schema", &self.options.get_database())
            .finish_non_exhaustive()
    }
}

impl MySqlRegistry {
    /// Connects to the registry at `mysql://user:password@host:port/schema?ssl-mode=…`, which [`migrate`](super::migrate)
    /// has made; generation *n* lives in the schema `<schema>_<n>` of the same server.
    ///
    /// # Errors
    /// [`ViewsError::Unfit`] if there is no registry, [`ViewsError::Unavailable`] if the server cannot be reached in time.
    pub async fn open(url: &str) -> Result<Self, ViewsError> {
        let options = views_options(url)?;
        let sessions = Sessions::new("views-registry", Purpose::Read, options.clone());
        let registry = Self { options, sessions };
        registry.generations().await?;
        Ok(registry)
    }

    async fn address(&self, number: u32) -> Result<MySqlConnectOptions, ViewsError> {
        let usable = self.usable(number).await?;
        Ok(generation_options(&self.options, usable.number))
    }
}

/// What read models of this program are known by on MySQL; needs no server.
pub fn own_fingerprint() -> Fingerprint {
    fingerprint(&[GENERATION_SQL])
}

#[async_trait]
impl Registry for MySqlRegistry {
    fn fingerprint(&self) -> Fingerprint {
        own_fingerprint()
    }

    async fn generations(&self) -> Result<Vec<Generation>, ViewsError> {
        let rows = self.sessions.take().await?.rows(sqlx::query(GENERATIONS)).await?;
        rows.iter().map(generation).collect()
    }

    /// The number is taken first, as one given up, so that nobody uses the generation before its schema is in place;
    /// should this program end in between it stays so.
    async fn register_after(
        &self,
        newest: Option<u32>,
        partitions: NonZeroU32,
        now_micros: i64,
    ) -> Result<Option<Generation>, ViewsError> {
        let mut registering = Registering::begin(&self.options).await?;
        let known = Generation::newest_kept(&self.generations().await?, self.fingerprint());
        if known != newest {
            registering.end().await;
            return Ok(None);
        }
        let (fingerprint, state) = (self.fingerprint(), GenerationState::Building);
        let number = registering
            .take_number(fingerprint, partitions, now_micros)
            .await?;
        create_generation(&self.options, number).await?;
        self.set_state(number, GenerationState::Retired, state).await?;
        registering.end().await;
        Ok(Some(Generation {
            number,
            fingerprint,
            partitions,
            state,
            created_at: now_micros,
        }))
    }

    async fn set_state(
        &self,
        number: u32,
        from: GenerationState,
        to: GenerationState,
    ) -> Result<bool, ViewsError> {
        let statement = sqlx::query(SET_STATE)
            .bind(to.name())
            .bind(to.name())
            .bind(number)
            .bind(from.name());
        Ok(self.sessions.take().await?.run(statement).await?.rows_affected() == 1)
    }

    async fn is_in_place(&self, number: u32) -> Result<bool, ViewsError> {
        is_generation_there(&self.options, number).await
    }

    async fn open_views(&self, number: u32) -> Result<Arc<dyn Views>, ViewsError> {
        Ok(Arc::new(MySqlViews::new(self.address(number).await?)))
    }

    async fn open_reads(&self, number: u32) -> Result<Arc<dyn Reads>, ViewsError> {
        Ok(Arc::new(MySqlReads::new(self.address(number).await?)))
    }

    /// The schema goes first: an entry that is left has it dropped again.
    async fn remove_retired(&self, retired_for: Duration) -> Result<Vec<u32>, ViewsError> {
        let retired_for_micros =
            i64::try_from(retired_for.as_micros()).map_err(|error| ViewsError::Refused(error.into()))?;
        let retired = sqlx::query(RETIRED).bind(retired_for_micros);
        let mut removed = Vec::new();
        for row in self.sessions.take().await?.rows(retired).await? {
            let number = column(&row, 0)?;
            drop_generation(&self.options, number).await?;
            let forget = sqlx::query(FORGET).bind(number);
            self.sessions.take().await?.run(forget).await?;
            removed.push(number);
        }
        Ok(removed)
    }

    /// Connections end with whoever holds them, and the server minds nothing.
    async fn close(&self) {
        self.sessions.close();
    }
}

fn generation(row: &MySqlRow) -> Result<Generation, ViewsError> {
    let (fingerprint, state): (&[u8], &str) = (column(row, 1)?, column(row, 3)?);
    Generation::try_from_columns(
        column(row, 0)?,
        fingerprint,
        column(row, 2)?,
        state,
        column(row, 4)?,
    )
}
