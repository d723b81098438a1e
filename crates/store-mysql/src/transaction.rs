//! How is the head held, and what does it take to be sure that a batch is in the log, or is not?

mod outcomes;

use std::sync::Arc;

use async_trait::async_trait;
use praxis_event_store::port::{
    CommitError, Facts, Head, LogTransaction, Lookup, Rows, StoreError, WriteError,
};
use sqlx::Row;

use crate::errors::{begin_error, proves_rollback, refused, store_error};
use crate::fitness::no_head;
use crate::look_up::look_up;
use crate::rows::head_from;
use crate::session::{Session, Sessions};
use crate::write;

/// One round trip. While the head is held the server waits 3 s for the next statement, then rolls back: a paused
/// writer must not stop the others. SYSDATE, unlike NOW, is read after the lock was granted; the DECIMAL that
/// `UNIX_TIMESTAMP` makes of microseconds loses nothing.
const BEGIN: &str = "-- store_mysql::transaction::begin
SET SESSION wait_timeout = 3;
BEGIN;
SELECT log_id, epoch, position, recorded_at, tombstone_position,
    CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED),
    CAST(@@GLOBAL.sync_binlog AS SIGNED), CAST(@@GLOBAL.innodb_flush_log_at_trx_commit AS SIGNED)
FROM log_head WHERE id = 1 FOR UPDATE";

/// Moves the head and commits, in one round trip: the head is held until its answer. The two numbers are this
/// program's own; a prepared statement would take a round trip of its own. Between batches nothing is held, so the
/// server's own patience applies again.
fn commit_at((position, recorded_at): (u64, i64)) -> String {
    format!(
        "-- store_mysql::transaction::commit
UPDATE log_head SET position = {position}, recorded_at = {recorded_at} WHERE id = 1;
COMMIT;
SET SESSION wait_timeout = DEFAULT"
    )
}

const ROLLBACK: &str = "-- store_mysql::transaction::rollback
ROLLBACK;
SET SESSION wait_timeout = DEFAULT";

/// A transaction that holds the head row. Dropped, it closes its connection, and the server rolls back.
pub(crate) struct MySqlTransaction {
    session: Session,
    head: Head,
    now_micros: i64,
    /// Set before and cleared after each statement: with one failed or given up nothing may be committed.
    failed: bool,
    /// Position and time after what was written so far.
    end: (u64, i64),
    /// The leaf hash of the event at that position, where this transaction wrote it.
    end_leaf: Option<[u8; 32]>,
}

/// Takes the head. An idle session whose connection has ended unseen is replaced once.
pub(crate) async fn begin(writers: &Arc<Sessions>) -> Result<MySqlTransaction, StoreError> {
    writers
        .within(async {
            let mut session = writers.take().await?;
            let used_before = session.used_before();
            match lock_head(&mut session, writers).await {
                Err(StoreError::Unavailable(_)) if used_before && !session.is_connected() => {
                    drop(session);
                    let mut session = writers.take_new().await?;
                    let locked = lock_head(&mut session, writers).await?;
                    Ok(MySqlTransaction::new(session, locked))
                }
                Ok(locked) => Ok(MySqlTransaction::new(session, locked)),
                Err(error) => Err(error),
            }
        })
        .await
}

async fn lock_head(session: &mut Session, writers: &Sessions) -> Result<(Head, i64), StoreError> {
    let floor = writers.identity().floor();
    session.begin_unfinished();
    let answer = session.text(BEGIN).await.map_err(begin_error);
    let locked = answer.and_then(|rows| {
        let row = rows.first().ok_or_else(no_head)?;
        let head = head_from(row)?;
        writers.identity().recognise(&head, floor)?;
        writers.identity().check_durable(row, 6)?;
        Ok((head, row.try_get(5).map_err(store_error)?))
    });
    if locked.is_err() && session.is_connected() && session.text(ROLLBACK).await.is_ok() {
        session.end_unfinished();
    }
    locked
}

impl MySqlTransaction {
    const fn new(session: Session, (head, now_micros): (Head, i64)) -> Self {
        let end = (head.position, head.recorded_at);
        Self {
            session,
            head,
            now_micros,
            failed: false,
            end,
            end_leaf: None,
        }
    }

    fn check_usable(&self) -> Result<(), StoreError> {
        if self.failed {
            Err(refused("an earlier statement of this transaction failed"))
        } else {
            Ok(())
        }
    }

    /// Positions are dense from the head on, and the head ends at the last.
    fn check_order(&self, rows: &Rows) -> Result<(), StoreError> {
        let mut position = self.end.0;
        for event in &rows.events {
            position += 1;
            if event.position != position {
                return Err(refused("positions of a batch are not dense from the head on"));
            }
        }
        if rows.head_position != position {
            return Err(refused(
                "the head of a batch is not the position of its last event",
            ));
        }
        Ok(())
    }
}

#[async_trait]
impl LogTransaction for MySqlTransaction {
    fn head(&self) -> &Head {
        &self.head
    }

    fn now_micros(&self) -> i64 {
        self.now_micros
    }

    async fn look_up(&mut self, lookup: &Lookup) -> Result<Facts, StoreError> {
        self.check_usable()?;
        self.failed = true;
        let facts = look_up(&mut self.session, lookup).await?;
        self.failed = false;
        Ok(facts)
    }

    async fn write(&mut self, rows: &Rows) -> Result<(), WriteError> {
        self.check_usable()?;
        self.failed = true;
        self.check_order(rows)?;
        write::rows(&mut self.session, rows).await?;
        self.end = (rows.head_position, rows.head_recorded_at);
        self.end_leaf = rows.events.last().map(|event| event.leaf_hash).or(self.end_leaf);
        self.failed = false;
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), CommitError> {
        self.check_usable().map_err(CommitError::NotCommitted)?;
        match self.session.commit(commit_at(self.end)).await {
            Ok(()) => {
                self.session.end_unfinished();
                self.session.home().identity().reached(self.end.0, self.end_leaf);
                Ok(())
            }
            Err(error) if proves_rollback(&error) => Err(CommitError::NotCommitted(store_error(error))),
            Err(error) => Err(CommitError::Unknown(store_error(error))),
        }
    }

    async fn rollback(mut self: Box<Self>) -> Result<(), StoreError> {
        if self.session.is_connected() {
            self.session.text(ROLLBACK).await.map_err(store_error)?;
            self.session.end_unfinished();
        }
        Ok(())
    }
}
