//! Which generations are there, and where are they?

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use praxis_read_models::fingerprint::{Fingerprint, fingerprint};
use praxis_read_models::reads::Reads;
use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::{Views, ViewsError};
use sqlx::mysql::{MySqlConnectOptions, MySqlRow};

use super::conn::{bytes_at, column};
use super::read::MySqlReads;
use super::schema::{GENERATION_SQL, create_generation, generation_options, views_options};
use super::sessions::Sessions;
use super::write::MySqlViews;
use crate::fitness::Purpose;

const GENERATIONS: &str = "-- store_mysql::views::registry::generations
SELECT number, fingerprint, partitions, state, created_at FROM generations ORDER BY number";

const REGISTER: &str = "-- store_mysql::views::registry::register
INSERT INTO generations (fingerprint, partitions, state, created_at)
VALUES (?, ?, ?, ?)";

const SET_STATE: &str = "-- store_mysql::views::registry::set_state
UPDATE generations SET state = ? WHERE number = ? AND state = ?";

/// The generations of a read database.
pub struct MySqlRegistry {
    options: MySqlConnectOptions,
    sessions: Arc<Sessions>,
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
        let sessions = Sessions::new(Purpose::Read, options.clone());
        let registry = Self { options, sessions };
        registry.generations().await?;
        Ok(registry)
    }

    /// The address of a generation that this program can use.
    async fn usable(&self, number: u32) -> Result<MySqlConnectOptions, ViewsError> {
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
            Some(_) => Ok(generation_options(&self.options, number)),
        }
    }
}

#[async_trait]
impl Registry for MySqlRegistry {
    fn fingerprint(&self) -> Fingerprint {
        fingerprint(&[GENERATION_SQL])
    }

    async fn generations(&self) -> Result<Vec<Generation>, ViewsError> {
        let rows = self.sessions.take().await?.rows(sqlx::query(GENERATIONS)).await?;
        rows.iter().map(generation).collect()
    }

    /// The number is taken first, as one given up, so that nobody uses the generation before its schema is in place;
    /// should this program end in between it stays so.
    async fn register(&self, partitions: NonZeroU32, now_micros: i64) -> Result<Generation, ViewsError> {
        let register = sqlx::query(REGISTER)
            .bind(self.fingerprint().0.to_vec())
            .bind(partitions.get())
            .bind(GenerationState::Retired.name())
            .bind(now_micros);
        let registered = self.sessions.take().await?.run(register).await?;
        let number = u32::try_from(registered.last_insert_id())
            .map_err(|_| ViewsError::Corrupt("a generation's number is out of range"))?;
        create_generation(&self.options, number).await?;
        self.set_state(number, GenerationState::Retired, GenerationState::Building)
            .await?;
        let state = GenerationState::Building;
        Ok(Generation {
            number,
            fingerprint: self.fingerprint(),
            partitions,
            state,
            created_at: now_micros,
        })
    }

    async fn set_state(
        &self,
        number: u32,
        from: GenerationState,
        to: GenerationState,
    ) -> Result<bool, ViewsError> {
        let statement = sqlx::query(SET_STATE)
            .bind(to.name())
            .bind(number)
            .bind(from.name());
        Ok(self.sessions.take().await?.run(statement).await?.rows_affected() == 1)
    }

    async fn open_views(&self, number: u32) -> Result<Arc<dyn Views>, ViewsError> {
        Ok(Arc::new(MySqlViews::new(self.usable(number).await?)))
    }

    async fn open_reads(&self, number: u32) -> Result<Arc<dyn Reads>, ViewsError> {
        Ok(Arc::new(MySqlReads::new(self.usable(number).await?)))
    }
}

fn generation(row: &MySqlRow) -> Result<Generation, ViewsError> {
    let state: &str = column(row, 3)?;
    Ok(Generation {
        number: column(row, 0)?,
        fingerprint: Fingerprint(bytes_at(row, 1)?),
        partitions: NonZeroU32::new(column(row, 2)?)
            .ok_or(ViewsError::Corrupt("a generation without partitions"))?,
        state: GenerationState::from_name(state)
            .ok_or(ViewsError::Corrupt("a generation in no known state"))?,
        created_at: column(row, 4)?,
    })
}
