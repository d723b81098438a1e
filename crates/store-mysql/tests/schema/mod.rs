//! Where may a test have a schema of its own, and who drops it?

use std::sync::atomic::{AtomicU32, Ordering};

use praxis_testkit::servers::in_schema;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Connection, Row};

static SCHEMAS: AtomicU32 = AtomicU32::new(0);

/// A schema that exists at most as long as this value.
pub struct Schema {
    server: String,
    options: MySqlConnectOptions,
    name: String,
}

impl Schema {
    /// A name that no other test has, on the server of that address; nothing is created yet.
    pub async fn named(server: &str) -> anyhow::Result<Self> {
        let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
        let name = format!("praxis_store_{}_{number}", std::process::id());
        let schema = Self {
            server: server.to_owned(),
            options: server.parse()?,
            name,
        };
        let drop = schema.drop_statement();
        schema.run(drop).await?;
        Ok(schema)
    }

    /// Its address.
    pub fn url(&self) -> String {
        in_schema(&self.server, &self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements as the server's own user, outside of the adapter, and returns the rows.
    pub async fn run(&self, statements: String) -> anyhow::Result<Vec<MySqlRow>> {
        run_at(&in_schema(&self.server, ""), statements).await
    }

    /// Runs one statement whose first column is a number.
    pub async fn number(&self, statement: String) -> anyhow::Result<i64> {
        let rows = self.run(statement).await?;
        let row = rows.first().ok_or_else(|| anyhow::anyhow!("no row"))?;
        Ok(row.try_get(0)?)
    }

    /// Its address under another account.
    pub fn url_as(&self, account: &str, password: &str, ssl_mode: &str) -> String {
        let port = self.port();
        format!(
            "mysql://{account}:{password}@{}:{port}/{}?ssl-mode={ssl_mode}",
            self.options.get_host(),
            self.name
        )
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.options.get_port()
    }

    /// How many connections use it.
    pub async fn connections(&self) -> anyhow::Result<i64> {
        self.number(format!(
            "SELECT COUNT(*) FROM performance_schema.processlist WHERE DB = '{}'",
            self.name
        ))
        .await
    }

    /// Ends every connection that uses it, as a server that restarts would, and waits until they are gone.
    pub async fn end_connections(&self) -> anyhow::Result<()> {
        let list = format!(
            "SELECT ID FROM performance_schema.processlist WHERE DB = '{}'",
            self.name
        );
        for row in self.run(list).await? {
            let id: u64 = row.try_get(0)?;
            // It may have ended by itself meanwhile.
            let _ = self.run(format!("KILL {id}")).await;
        }
        while self.connections().await? > 0 {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn drop_statement(&self) -> String {
        format!("DROP DATABASE IF EXISTS `{}`", self.name)
    }
}

async fn run_at(url: &str, statements: String) -> anyhow::Result<Vec<MySqlRow>> {
    let mut conn = MySqlConnection::connect(url).await?;
    let rows = sqlx::raw_sql(AssertSqlSafe(statements))
        .fetch_all(&mut conn)
        .await?;
    conn.close().await?;
    Ok(rows)
}

impl Drop for Schema {
    /// A test's runtime may be gone or blocked by now, so the statement gets a thread and a runtime of its own.
    fn drop(&mut self) {
        let (url, statement) = (in_schema(&self.server, ""), self.drop_statement());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(run_at(&url, statement))
        });
        // A server that was killed took the schema with it.
        let _ = dropping.join();
    }
}
