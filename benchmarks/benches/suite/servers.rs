//! What is asked of the MySQL server beside measuring it.

use anyhow::Result;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _};

/// Lets a server take so many connections, where it takes fewer: a baseline needs one for each of its writers.
pub async fn allow_connections(url: &str, wanted: usize) -> Result<()> {
    let mut connection = MySqlConnection::connect(url).await?;
    let (allowed,): (i64,) = sqlx::query_as("SELECT CAST(@@GLOBAL.max_connections AS SIGNED)")
        .fetch_one(&mut connection)
        .await?;
    if allowed < i64::try_from(wanted)? {
        sqlx::query(AssertSqlSafe(format!("SET GLOBAL max_connections = {wanted}")))
            .execute(&mut connection)
            .await?;
    }
    connection.close().await?;
    Ok(())
}

/// Memory and redo log as any deployment has them, where the server of the tests has less. With its 128 MB and 100 MB it
/// stops for a checkpoint every second or so under this load, and on whose turn that falls is chance.
pub async fn as_deployed(url: &str) -> Result<()> {
    let mut connection = MySqlConnection::connect(url).await?;
    for (variable, bytes) in [
        ("innodb_buffer_pool_size", 2_i64 << 30),
        ("innodb_redo_log_capacity", 1 << 30),
    ] {
        let asked = format!("SELECT CAST(@@GLOBAL.{variable} AS SIGNED)");
        let (had,): (i64,) = sqlx::query_as(AssertSqlSafe(asked))
            .fetch_one(&mut connection)
            .await?;
        if had < bytes {
            sqlx::query(AssertSqlSafe(format!("SET GLOBAL {variable} = {bytes}")))
                .execute(&mut connection)
                .await?;
        }
    }
    connection.close().await?;
    Ok(())
}

/// The server's process, where it runs on this machine and says which it is.
pub async fn pid_of_mysqld(url: &str) -> Option<u32> {
    let mut connection = MySqlConnection::connect(url).await.ok()?;
    let (file,): (String,) = sqlx::query_as("SELECT @@GLOBAL.pid_file")
        .fetch_one(&mut connection)
        .await
        .ok()?;
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Deletes a schema that was made to be measured.
pub async fn drop_schema(url: &str) -> Result<()> {
    let mut connection = MySqlConnection::connect(url).await?;
    let (name,): (String,) = sqlx::query_as("SELECT DATABASE()")
        .fetch_one(&mut connection)
        .await?;
    sqlx::query(AssertSqlSafe(format!("DROP DATABASE `{name}`")))
        .execute(&mut connection)
        .await?;
    Ok(())
}
