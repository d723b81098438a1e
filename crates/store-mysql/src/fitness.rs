//! May this connection be used: does the server keep what it shows, and is it the log this process knows?

use praxis_event_store::port::StoreError;
use sqlx::mysql::MySqlConnection;
use sqlx::{Row, mysql::MySqlRow};

use crate::errors::store_error;
use crate::identity::Identity;
use crate::rows::column;
use crate::session::Session;

/// Every session: what it sends is refused rather than cut to fit, and what it reads is what is committed. Its clock is
/// UTC: in a zone that sets clocks back, an hour of theirs means two. All text
/// that is sent is ASCII. The server copies every parameter into its logs' form of the statement, character by
/// character in the session's character set, even if it is binary and no log is kept: in latin1 that takes 0.5 us a
/// kilobyte, in utf8mb4 6 us.
const PREPARE_READER: &str = "-- store_mysql::fitness::PREPARE_READER
SET NAMES latin1,
    SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    SESSION transaction_isolation = 'READ-COMMITTED', SESSION autocommit = 1, SESSION time_zone = '+00:00'";

/// Sessions that may hold the head besides: nothing they do may keep the others waiting for long. A lock wait of 2 s
/// is well within the time after which a request is given up.
const PREPARE_WRITER: &str = "-- store_mysql::fitness::PREPARE_WRITER
SET NAMES latin1,
    SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    SESSION transaction_isolation = 'READ-COMMITTED', SESSION autocommit = 1, SESSION time_zone = '+00:00',
    SESSION innodb_lock_wait_timeout = 2, SESSION net_read_timeout = 3, SESSION net_write_timeout = 3";

const SETTINGS: &str = "-- store_mysql::fitness::SETTINGS
SELECT CAST(@@GLOBAL.log_bin AS SIGNED), CAST(@@SESSION.sql_log_bin AS SIGNED), CAST(@@GLOBAL.sync_binlog AS SIGNED),
    CAST(@@GLOBAL.innodb_flush_log_at_trx_commit AS SIGNED), CAST(@@GLOBAL.max_allowed_packet AS SIGNED),
    CAST(@@GLOBAL.read_only AS SIGNED), VERSION()";

const PARAMETERS: &str = "-- store_mysql::fitness::PARAMETERS
SELECT LENGTH(p.f) FROM (SELECT ? AS f UNION ALL SELECT payload FROM events WHERE FALSE) AS p";

/// Longer than a VARBINARY.
const LONG_PARAMETER_LEN: usize = 70_000;

/// The largest statement this adapter sends fits well into it.
const MAX_ALLOWED_PACKET_MIN: i64 = 32 * 1024 * 1024;

/// The first version with all the SQL used here that is still supported.
const VERSION_MIN: (u32, u32) = (8, 4);

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Statements that commit themselves.
    Read,
    /// Transactions that hold the head.
    Write,
}

/// Prepares a new connection and checks its server and log.
pub(crate) async fn admit(
    conn: &mut MySqlConnection,
    purpose: Purpose,
    identity: &Identity,
) -> Result<(), StoreError> {
    let prepare = match purpose {
        Purpose::Read => PREPARE_READER,
        Purpose::Write => PREPARE_WRITER,
    };
    sqlx::raw_sql(prepare)
        .execute(&mut *conn)
        .await
        .map_err(store_error)?;
    let settings = sqlx::raw_sql(SETTINGS)
        .fetch_all(&mut *conn)
        .await
        .map_err(store_error)?;
    let settings = settings
        .first()
        .ok_or(StoreError::Corrupt("the server did not state its settings"))?;
    judge_settings(&Settings::from_row(settings).map_err(store_error)?)?;
    let floor = identity.floor();
    let heads = floor.question().fetch_all(conn).await.map_err(store_error)?;
    identity.answer(&heads, floor).map(drop)
}

/// Long parameters arrive whole in the form that all bulk statements give them; a server version that chose another
/// type for it would cut payloads in silence.
pub(crate) async fn check_parameters(session: &mut Session) -> Result<(), StoreError> {
    let parameter = sqlx::query(PARAMETERS).bind(vec![0xe9_u8; LONG_PARAMETER_LEN]);
    let rows = session.rows(parameter).await.map_err(store_error)?;
    let length: i64 = column(rows.first().ok_or_else(no_head)?, 0)?;
    if usize::try_from(length) == Ok(LONG_PARAMETER_LEN) {
        Ok(())
    } else {
        Err(StoreError::Unfit(format!(
            "the server cuts a parameter of {LONG_PARAMETER_LEN} bytes to {length}"
        )))
    }
}

/// The schema is there, but no log was begun in it.
pub(crate) fn no_head() -> StoreError {
    StoreError::Unfit("the schema holds no log: run `praxis migrate`".to_owned())
}

#[derive(Clone, Debug)]
struct Settings {
    log_bin: i64,
    sql_log_bin: i64,
    sync_binlog: i64,
    innodb_flush_log_at_trx_commit: i64,
    max_allowed_packet: i64,
    read_only: i64,
    version: String,
}

impl Settings {
    fn from_row(row: &MySqlRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            log_bin: row.try_get(0)?,
            sql_log_bin: row.try_get(1)?,
            sync_binlog: row.try_get(2)?,
            innodb_flush_log_at_trx_commit: row.try_get(3)?,
            max_allowed_packet: row.try_get(4)?,
            read_only: row.try_get(5)?,
            version: row.try_get(6)?,
        })
    }
}

/// The settings that say whether a commit is on disk when it is answered, as they are now.
pub(crate) fn judge_durability(
    sync_binlog: i64,
    innodb_flush_log_at_trx_commit: i64,
) -> Result<(), StoreError> {
    unless_none(&lowered(&[
        ("sync_binlog", sync_binlog),
        ("innodb_flush_log_at_trx_commit", innodb_flush_log_at_trx_commit),
    ]))
}

fn lowered(settings: &[(&str, i64)]) -> Vec<String> {
    let lowered = settings.iter().filter(|(_, value)| *value != 1);
    lowered
        .map(|(name, value)| format!("{name} is {value} and must be 1"))
        .collect()
}

fn unless_none(faults: &[String]) -> Result<(), StoreError> {
    if faults.is_empty() {
        return Ok(());
    }
    let faults = faults.join("; server setting ");
    Err(StoreError::Unfit(format!("server setting {faults}")))
}

/// Without the binary log `InnoDB` shows a commit to others before it is on disk, and a crash takes it back.
fn judge_settings(settings: &Settings) -> Result<(), StoreError> {
    let mut faults = lowered(&[
        ("log_bin", settings.log_bin),
        ("sql_log_bin of this session", settings.sql_log_bin),
        ("sync_binlog", settings.sync_binlog),
        (
            "innodb_flush_log_at_trx_commit",
            settings.innodb_flush_log_at_trx_commit,
        ),
    ]);
    if settings.max_allowed_packet < MAX_ALLOWED_PACKET_MIN {
        faults.push(format!(
            "max_allowed_packet is {} and must be at least {MAX_ALLOWED_PACKET_MIN}",
            settings.max_allowed_packet
        ));
    }
    if major_minor(&settings.version).is_none_or(|version| version < VERSION_MIN) {
        faults.push(format!(
            "version is {} and must be MySQL 8.4 or later",
            settings.version
        ));
    }
    unless_none(&faults)?;
    if settings.read_only != 0 {
        return Err(StoreError::Unavailable(
            "the server is read only: it is not, or not yet, the primary".into(),
        ));
    }
    Ok(())
}

/// `None` too for `MariaDB`, which numbers from 10 and says its name: its SQL differs.
fn major_minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    let version_parts = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (!version.contains("MariaDB")).then_some(version_parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit() -> Settings {
        Settings {
            log_bin: 1,
            sql_log_bin: 1,
            sync_binlog: 1,
            innodb_flush_log_at_trx_commit: 1,
            max_allowed_packet: 67_108_864,
            read_only: 0,
            version: "8.4.3-log".to_owned(),
        }
    }

    fn refusal(settings: &Settings) -> String {
        judge_settings(settings).unwrap_err().to_string()
    }

    #[test]
    fn default_settings_of_the_oldest_version_are_fit() {
        judge_settings(&fit()).unwrap();
        judge_settings(&Settings {
            version: "9.7.4-2".to_owned(),
            ..fit()
        })
        .unwrap();
    }

    #[test]
    fn each_setting_that_could_lose_what_was_seen_is_named_with_what_it_must_be() {
        assert!(refusal(&Settings { log_bin: 0, ..fit() }).contains("log_bin is 0 and must be 1"));
        assert!(
            refusal(&Settings {
                sql_log_bin: 0,
                ..fit()
            })
            .contains("sql_log_bin of this session is 0")
        );
        assert!(
            refusal(&Settings {
                sync_binlog: 0,
                ..fit()
            })
            .contains("sync_binlog is 0 and must be 1")
        );
        let flush = refusal(&Settings {
            innodb_flush_log_at_trx_commit: 2,
            ..fit()
        });
        assert!(flush.contains("innodb_flush_log_at_trx_commit is 2 and must be 1"));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let text = refusal(&Settings {
            log_bin: 0,
            sync_binlog: 1000,
            ..fit()
        });
        assert!(text.contains("log_bin is 0") && text.contains("sync_binlog is 1000"));
    }

    #[test]
    fn older_versions_and_other_servers_are_unfit() {
        assert!(
            refusal(&Settings {
                version: "8.3.0".to_owned(),
                ..fit()
            })
            .contains("8.4")
        );
        assert!(
            refusal(&Settings {
                version: "10.11.6-MariaDB".to_owned(),
                ..fit()
            })
            .contains("8.4")
        );
    }

    #[test]
    fn small_packets_are_unfit() {
        assert!(
            refusal(&Settings {
                max_allowed_packet: 4_194_304,
                ..fit()
            })
            .contains("max_allowed_packet")
        );
    }

    #[test]
    fn a_replica_is_unavailable_because_it_may_become_the_primary() {
        let error = judge_settings(&Settings {
            read_only: 1,
            ..fit()
        })
        .unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)));
    }
}
