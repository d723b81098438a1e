//! Where may a test have a registry of read models, and who drops the schemas of its generations?

use praxis_testkit::servers::{in_schema, mysql_url};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Row};

use super::schema::Schema;

/// A registry's schema with those of its generations, which exist at most as long as this value.
pub struct ReadDatabase {
    registry: Schema,
}

impl ReadDatabase {
    /// A name that no other test has; nothing is created yet.
    pub async fn named() -> anyhow::Result<Self> {
        Ok(Self {
            registry: Schema::named(&mysql_url()).await?,
        })
    }

    /// The registry's schema.
    pub const fn registry(&self) -> &Schema {
        &self.registry
    }

    /// The name of a generation's schema.
    pub fn name_of(&self, number: u32) -> String {
        format!("{}_{number}", self.registry.name())
    }
}

async fn drop_generations(registry: &str) -> anyhow::Result<()> {
    let mut conn = MySqlConnection::connect(&in_schema(&mysql_url(), "")).await?;
    let list = format!(
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '{registry}\\_%'"
    );
    let schemas = sqlx::raw_sql(AssertSqlSafe(list)).fetch_all(&mut conn).await?;
    for row in schemas {
        let name: String = row.try_get(0)?;
        let drop = format!("DROP DATABASE IF EXISTS `{name}`");
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut conn).await?;
    }
    conn.close().await?;
    Ok(())
}

impl Drop for ReadDatabase {
    /// A test's runtime may be gone or blocked by now, so the statements get a thread and a runtime of their own.
    fn drop(&mut self) {
        let registry = self.registry.name().to_owned();
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(drop_generations(&registry))
        });
        // A server that was killed took the schemas with it.
        let _ = dropping.join();
    }
}
