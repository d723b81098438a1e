//! Is there one order: a head that is locked, and dense positions behind it?

use std::pin::pin;
use std::time::Duration;

use praxis_event_store::port::{Head, StoreError};
use tokio::time::timeout;

use super::sample::{RECORDED_AT, commit, nothing_after, stream, with_events, with_events_at};
use super::{LogUnderTest, Outcome};

/// Long enough to begin a transaction that nothing stands in the way of, shorter than any lock wait.
const NOT_YET: Duration = Duration::from_millis(150);

/// The head of a log that nothing was appended to.
pub async fn a_new_log_is_empty_at_position_zero_and_epoch_one(log: LogUnderTest) -> Outcome {
    let empty = Head {
        log_id: log.log_id,
        epoch: 1,
        position: 0,
        recorded_at: 0,
        tombstone_position: 0,
    };
    assert_eq!(log.reader.head().await?, empty);
    assert_eq!(log.reader.read_log(0, 10).await?, []);
    let tx = log.writer.begin().await?;
    assert_eq!(*tx.head(), empty);
    tx.rollback().await?;
    Ok(())
}

/// The head is where the last batch left it, for readers and for the next transaction.
pub async fn the_head_moves_with_each_batch(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| with_events_at(rows, stream(1), 0, 2, RECORDED_AT)).await?;
    commit(&log, |rows| {
        with_events_at(rows, stream(2), 0, 3, RECORDED_AT + 7)
    })
    .await?;
    let moved = Head {
        log_id: log.log_id,
        epoch: 1,
        position: 5,
        recorded_at: RECORDED_AT + 7,
        tombstone_position: 0,
    };
    assert_eq!(log.reader.head().await?, moved);
    assert_eq!(*log.other_writer.begin().await?.head(), moved);
    Ok(())
}

/// Positions are 1, 2, 3 … in the order of the batches, whatever the streams.
pub async fn positions_are_dense_in_the_order_of_commits(log: LogUnderTest) -> Outcome {
    let mut written = commit(&log, |rows| with_events(rows, stream(9), 0, 2))
        .await?
        .events;
    written.extend(
        commit(&log, |rows| with_events(rows, stream(3), 0, 1))
            .await?
            .events,
    );
    written.extend(
        commit(&log, |rows| with_events(rows, stream(9), 2, 2))
            .await?
            .events,
    );
    assert_eq!(log.reader.read_log(0, 100).await?, written);
    let positions: Vec<u64> = written.iter().map(|event| event.position).collect();
    assert_eq!(positions, [1, 2, 3, 4, 5]);
    Ok(())
}

/// A batch without rows is committed and changes nothing.
pub async fn a_batch_without_rows_changes_nothing(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| rows).await?;
    assert_eq!(log.reader.head().await?.position, 0);
    commit(&log, |rows| with_events(rows, stream(1), 0, 1)).await?;
    commit(&log, |rows| rows).await?;
    assert_eq!(log.reader.head().await?.position, 1);
    Ok(())
}

/// One batch of far more events than one packet, page or parameter list likes.
pub async fn fifteen_hundred_events_are_one_batch(log: LogUnderTest) -> Outcome {
    let rows = commit(&log, |rows| {
        (0..300).fold(rows, |rows, n| with_events(rows, stream(n), 0, 5))
    })
    .await?;
    assert_eq!(rows.events.len(), 1_500);
    assert_eq!(log.reader.read_log(0, 2_000).await?, rows.events);
    assert_eq!(log.reader.head().await?.position, 1_500);
    Ok(())
}

/// While one process holds the head, another waits, and then sees where the first left it.
pub async fn the_head_excludes_another_process_until_commit(log: LogUnderTest) -> Outcome {
    let mut first = log.writer.begin().await?;
    let mut second = pin!(log.other_writer.begin());
    assert!(
        timeout(NOT_YET, &mut second).await.is_err(),
        "a second transaction began while the head was held"
    );
    let rows = with_events(nothing_after(first.head()), stream(1), 0, 3);
    first.write(&rows).await?;
    first.commit().await?;
    assert_eq!(second.await?.head().position, 3);
    Ok(())
}

/// The same within one process.
pub async fn the_head_excludes_another_task_until_commit(log: LogUnderTest) -> Outcome {
    let mut first = log.writer.begin().await?;
    let mut second = pin!(log.writer.begin());
    assert!(
        timeout(NOT_YET, &mut second).await.is_err(),
        "a second transaction began while the head was held"
    );
    let rows = with_events(nothing_after(first.head()), stream(1), 0, 3);
    first.write(&rows).await?;
    first.commit().await?;
    assert_eq!(second.await?.head().position, 3);
    Ok(())
}

/// Waiting for the head ends, and says that another holds it.
pub async fn a_head_that_stays_held_is_busy(log: LogUnderTest) -> Outcome {
    let held = log.writer.begin().await?;
    let (here, there) = tokio::join!(log.writer.begin(), log.other_writer.begin());
    assert!(matches!(here, Err(StoreError::Busy)), "the same process");
    assert!(matches!(there, Err(StoreError::Busy)), "another process");
    held.rollback().await?;
    log.other_writer.begin().await?.rollback().await?;
    log.writer.begin().await?.rollback().await?;
    Ok(())
}

/// Reading does not wait for whoever writes.
pub async fn reading_does_not_wait_for_the_head(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| with_events(rows, stream(1), 0, 1)).await?;
    let mut held = log.writer.begin().await?;
    let rows = with_events(nothing_after(held.head()), stream(1), 1, 1);
    held.write(&rows).await?;
    assert_eq!(timeout(NOT_YET * 10, log.reader.read_log(0, 10)).await??.len(), 1);
    held.rollback().await?;
    Ok(())
}

/// The clock is the database's, in microseconds.
pub async fn the_clock_counts_microseconds_and_does_not_go_back(log: LogUnderTest) -> Outcome {
    let year_2020 = 1_577_836_800_000_000;
    let year_2100 = 4_102_444_800_000_000;
    let mut last = year_2020;
    for _ in 0..5 {
        let now = log.writer.begin().await?.now_micros();
        assert!((last..year_2100).contains(&now), "{now} after {last}");
        last = now;
    }
    Ok(())
}
