//! Which servers, accounts and schemas does the adapter refuse, and does it say why?

use praxis_event_store::port::{LogReader, LogWriter, StoreError};
use praxis_events::ids::LogId;
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use praxis_store_mysql::migrate::migrate;
use praxis_testkit::conformance::sample;
use praxis_testkit::servers::{MySqlServer, mysql_url};

use schema::Schema;

#[allow(dead_code, reason = "each test program uses its part")]
mod schema;

fn log_id() -> LogId {
    LogId(sample::id(1))
}

async fn migrated() -> anyhow::Result<Schema> {
    let schema = Schema::named(&mysql_url()).await?;
    migrate(&schema.url(), log_id()).await?;
    Ok(schema)
}

async fn open(url: &str) -> Result<MySqlLog, StoreError> {
    MySqlLog::open(url, MySqlLogOptions::default()).await
}

fn assert_unfit<T>(result: Result<T, StoreError>, because: &str) {
    let error = result.err();
    let text = error.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(
        matches!(error, Some(StoreError::Unfit(_))) && text.contains(because),
        "{because}: {error:?}"
    );
}

#[tokio::test]
async fn settings_that_lose_what_was_seen_are_refused_at_the_start_and_as_soon_as_they_are_set()
-> anyhow::Result<()> {
    let server = MySqlServer::start().await?;
    let schema = Schema::named(&server.url()).await?;
    migrate(&schema.url(), log_id()).await?;
    let log = open(&schema.url()).await?;
    for (setting, value, good) in [("sync_binlog", 0, 1), ("innodb_flush_log_at_trx_commit", 2, 1)] {
        schema.run(format!("SET GLOBAL {setting} = {value}")).await?;
        assert_unfit(
            open(&schema.url()).await,
            &format!("{setting} is {value} and must be 1"),
        );
        // On connections that were checked before, and on new ones.
        assert_unfit(log.begin().await.map(drop), setting);
        assert_unfit(log.head().await, setting);
        schema.end_connections().await?;
        assert_unfit(log.begin().await.map(drop), setting);
        assert_unfit(log.head().await, setting);
        schema.run(format!("SET GLOBAL {setting} = {good}")).await?;
        log.begin().await?.rollback().await?;
        log.head().await?;
    }
    schema.run("SET GLOBAL read_only = ON".to_owned()).await?;
    assert!(matches!(
        open(&schema.url()).await,
        Err(StoreError::Unavailable(_))
    ));
    Ok(())
}

#[tokio::test]
async fn sessions_count_in_utc_wherever_the_server_stands() -> anyhow::Result<()> {
    let server = MySqlServer::start_with(&["--default-time-zone=-05:00"]).await?;
    let schema = Schema::named(&server.url()).await?;
    migrate(&schema.url(), log_id()).await?;
    let log = open(&schema.url()).await?;
    let _held = log.begin().await?;
    log.head().await?;
    let zones = "SELECT COUNT(*) FROM performance_schema.variables_by_thread AS v
        JOIN performance_schema.threads AS t USING (THREAD_ID)
        WHERE v.VARIABLE_NAME = 'time_zone' AND v.VARIABLE_VALUE";
    let of = |which: &str| format!("{zones} {which} AND t.PROCESSLIST_DB = '{}'", schema.name());
    assert_eq!(schema.number(of("= '+00:00'")).await?, 2);
    assert_eq!(schema.number(of("<> '+00:00'")).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_log_set_back_and_grown_again_is_refused_by_who_has_seen_another_event() -> anyhow::Result<()> {
    let schema = migrated().await?;
    let append = async |log: &MySqlLog, stream: u128| {
        let mut tx = log.begin().await?;
        let rows = sample::with_events(sample::nothing_after(tx.head()), sample::stream(stream), 0, 3);
        tx.write(&rows).await?;
        Ok::<_, anyhow::Error>(tx.commit().await?)
    };
    let (writer, reader) = (open(&schema.url()).await?, open(&schema.url()).await?);
    append(&writer, 1).await?;
    assert_eq!(reader.head().await?.position, 3);
    let name = schema.name();
    schema
        .run(format!(
            "DELETE FROM `{name}`.events WHERE position > 1; UPDATE `{name}`.log_head SET position = 1"
        ))
        .await?;
    let other = open(&schema.url()).await?;
    let mut tx = other.begin().await?;
    let mut rows = sample::with_events(sample::nothing_after(tx.head()), sample::stream(2), 0, 4);
    for event in &mut rows.events {
        event.leaf_hash[31] ^= 1;
    }
    tx.write(&rows).await?;
    tx.commit().await?;
    for log in [&writer, &reader] {
        assert_unfit(log.head().await, "restored");
        assert_unfit(log.begin().await.map(drop), "restored");
    }
    assert_eq!(other.head().await?.position, 5);
    // A process that only writes learns of it with its next connection.
    let writer = open(&schema.url()).await?;
    append(&writer, 3).await?;
    schema
        .run(format!(
            "UPDATE `{name}`.events SET leaf_hash = REVERSE(leaf_hash) WHERE position = 8"
        ))
        .await?;
    schema.end_connections().await?;
    assert_unfit(writer.begin().await.map(drop), "restored");
    Ok(())
}

#[tokio::test]
async fn a_server_without_its_binary_log_is_refused() -> anyhow::Result<()> {
    let server = MySqlServer::start_with(&["--skip-log-bin"]).await?;
    let schema = Schema::named(&server.url()).await?;
    migrate(&schema.url(), log_id()).await?;
    assert_unfit(open(&schema.url()).await, "log_bin is 0 and must be 1");
    Ok(())
}

#[tokio::test]
async fn a_password_over_tls_opens_the_log_and_nothing_less_does() -> anyhow::Result<()> {
    let schema = migrated().await?;
    let account = schema.name();
    schema
        .run(format!(
            "DROP USER IF EXISTS `{account}`;
             CREATE USER `{account}` IDENTIFIED BY 'correct-horse' REQUIRE SSL;
             GRANT SELECT, INSERT, UPDATE, DELETE ON `{account}`.* TO `{account}`"
        ))
        .await?;
    let url = |password: &str, mode: &str| schema.url_as(account, password, mode);

    let log = open(&url("correct-horse", "REQUIRED")).await?;
    log.begin().await?.rollback().await?;
    log.head().await?;

    assert_unfit(open(&url("wrong-horse", "REQUIRED")).await, "refuses the account");
    open(&url("correct-horse", "DISABLED")).await.unwrap_err();
    schema.run(format!("DROP USER `{account}`")).await?;
    Ok(())
}

#[tokio::test]
async fn an_account_that_may_only_read_cannot_take_the_head() -> anyhow::Result<()> {
    let schema = migrated().await?;
    let account = schema.name();
    schema
        .run(format!(
            "DROP USER IF EXISTS `{account}`;
             CREATE USER `{account}` IDENTIFIED BY 'reader';
             GRANT SELECT ON `{account}`.* TO `{account}`"
        ))
        .await?;
    let log = open(&schema.url_as(account, "reader", "REQUIRED")).await?;
    log.head().await?;
    assert_unfit(log.begin().await.map(drop), "privilege");
    schema.run(format!("DROP USER `{account}`")).await?;
    Ok(())
}

#[tokio::test]
async fn addresses_that_cannot_be_used_are_refused_without_repeating_their_password() -> anyhow::Result<()> {
    for url in [
        "postgres://u:secret@h/s",
        "mysql://u:secret@h",
        "mysql://u:secret@h:x/s",
        "secret",
    ] {
        let error = open(url).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::Unfit(text) if !text.contains("secret")),
            "{error}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_schema_that_is_missing_or_empty_asks_for_migrate() -> anyhow::Result<()> {
    let schema = Schema::named(&mysql_url()).await?;
    assert_unfit(open(&schema.url()).await, "praxis migrate");
    schema.run(format!("CREATE DATABASE `{}`", schema.name())).await?;
    assert_unfit(open(&schema.url()).await, "praxis migrate");
    Ok(())
}

#[tokio::test]
async fn migrating_again_keeps_the_log_that_is_there() -> anyhow::Result<()> {
    let schema = migrated().await?;
    assert_eq!(migrate(&schema.url(), LogId(sample::id(2))).await?, log_id());
    assert_eq!(open(&schema.url()).await?.head().await?.log_id, log_id());
    Ok(())
}

#[tokio::test]
async fn a_schema_of_another_version_is_refused() -> anyhow::Result<()> {
    let schema = migrated().await?;
    let alter = async |statement: &str| {
        let statement = statement.replace("MIGRATIONS", &format!("`{}`._sqlx_migrations", schema.name()));
        schema.run(statement).await
    };
    alter("UPDATE MIGRATIONS SET success = FALSE WHERE version = 2").await?;
    assert_unfit(open(&schema.url()).await, "cut off");
    alter("UPDATE MIGRATIONS SET success = TRUE, checksum = X'00' WHERE version = 2").await?;
    assert_unfit(open(&schema.url()).await, "not the one this version knows");
    assert_unfit(
        migrate(&schema.url(), log_id()).await,
        "not the one this version knows",
    );
    alter("DELETE FROM MIGRATIONS WHERE version = 2").await?;
    assert_unfit(open(&schema.url()).await, "lacks migration 2");

    let schema = migrated().await?;
    let later = format!(
        "INSERT INTO `{}`._sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9000, 'later', TRUE, X'00', 0)",
        schema.name()
    );
    schema.run(later).await?;
    assert_unfit(open(&schema.url()).await, "migration 9000");
    assert_unfit(migrate(&schema.url(), log_id()).await, "migration 9000");
    Ok(())
}

#[tokio::test]
async fn a_log_that_was_replaced_or_set_back_is_refused_by_who_has_seen_more() -> anyhow::Result<()> {
    let schema = migrated().await?;
    let log = open(&schema.url()).await?;
    let mut tx = log.begin().await?;
    let rows = sample::with_events(sample::nothing_after(tx.head()), sample::stream(1), 0, 3);
    tx.write(&rows).await?;
    tx.commit().await?;
    let changes = [
        ("position = 2", "position = 3", "restored"),
        ("epoch = 2", "epoch = 1", "epoch 2"),
        (
            "log_id = REVERSE(log_id)",
            "log_id = REVERSE(log_id)",
            "holds log",
        ),
    ];
    for (change, back, because) in changes {
        let log = open(&schema.url()).await?;
        assert_eq!(log.head().await?.position, 3);
        schema
            .run(format!("UPDATE `{}`.log_head SET {change}", schema.name()))
            .await?;
        assert_unfit(log.head().await, because);
        assert_unfit(log.begin().await.map(drop), because);
        schema.end_connections().await?;
        assert_unfit(log.read_log(0, 10).await, because);
        schema
            .run(format!("UPDATE `{}`.log_head SET {back}", schema.name()))
            .await?;
        // What was decided from it may be anywhere by now: it stays refused until this process begins anew.
        assert_unfit(log.begin().await.map(drop), because);
        open(&schema.url()).await?.begin().await?.rollback().await?;
    }
    Ok(())
}
