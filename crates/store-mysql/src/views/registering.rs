//! Who may add a generation just now, and how does one that was retired go?

use std::num::NonZeroU32;

use praxis_event_store::port::StoreError;
use praxis_read_models::fingerprint::Fingerprint;
use praxis_read_models::registry::GenerationState;
use praxis_read_models::views::ViewsError;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, Row as _};

use super::conn::fault;
use super::schema::{close, connect, generation_schema, schema_of};
use crate::errors::number;

/// Making a schema and its tables takes a second or two on a slow server; waits for one who does it, in seconds.
const LOCK: &str = "-- store_mysql::views::registering::begin
SELECT GET_LOCK(?, 15)";

const TAKE_NUMBER: &str = "-- store_mysql::views::registering::take_number
INSERT INTO generations (fingerprint, partitions, state, created_at)
VALUES (?, ?, ?, ?)";

const ACCESS_TO_SCHEMA_DENIED: u16 = 1044;

/// The right to add a generation: a lock of the server's that ends with this connection, whatever becomes of the
/// process. Locks of rows would not do, because making a schema commits.
pub(super) struct Registering {
    conn: MySqlConnection,
}

impl Registering {
    /// Waits until nobody else adds one to this registry.
    pub(super) async fn begin(registry: &MySqlConnectOptions) -> Result<Self, ViewsError> {
        let mut conn = connect(registry).await.map_err(fault)?;
        // At most 64 characters: `views_options` has bounded the schema's name.
        let name = format!("praxis:{}", schema_of(registry));
        let locked = sqlx::query(LOCK)
            .bind(name)
            .fetch_one(&mut conn)
            .await
            .map_err(fault)?;
        if locked.try_get::<Option<i64>, _>(0).map_err(fault)? != Some(1) {
            return Err(ViewsError::Unavailable(StoreError::Busy.into()));
        }
        Ok(Self { conn })
    }

    /// Adds the entry of a generation, as one given up, and answers its number.
    pub(super) async fn take_number(
        &mut self,
        fingerprint: Fingerprint,
        partitions: NonZeroU32,
        now_micros: i64,
    ) -> Result<u32, ViewsError> {
        let added = sqlx::query(TAKE_NUMBER)
            .bind(fingerprint.0.to_vec())
            .bind(partitions.get())
            .bind(GenerationState::Retired.name())
            .bind(now_micros)
            .execute(&mut self.conn)
            .await
            .map_err(fault)?;
        u32::try_from(added.last_insert_id())
            .map_err(|_| ViewsError::Corrupt("a generation's number is out of range"))
    }

    /// Lets others.
    pub(super) async fn end(self) {
        close(self.conn).await;
    }
}

/// Drops a generation's schema; one that is not there is no fault.
pub(super) async fn drop_generation(
    registry: &MySqlConnectOptions,
    generation: u32,
) -> Result<(), ViewsError> {
    let name = generation_schema(registry, generation);
    // A name cannot be a parameter; this one is made of letters, digits and `_`.
    let statement =
        format!("-- store_mysql::views::registering::drop_generation\nDROP DATABASE IF EXISTS `{name}`");
    let mut conn = connect(registry).await.map_err(fault)?;
    match sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut conn).await {
        Err(error) if number(&error) == Some(ACCESS_TO_SCHEMA_DENIED) => {
            return Err(ViewsError::Unfit(format!(
                "the account may not drop the schema {name} of a retired generation: grant it DROP there, or drop it"
            )));
        }
        dropped => dropped.map_err(fault)?,
    };
    close(conn).await;
    Ok(())
}
