//! Is a batch there as a whole or not at all, and only after its commit?

use std::time::Duration;

use praxis_event_store::append::Span;
use praxis_event_store::port::{Facts, Lookup, Rows, WriteError};
use tokio::time::timeout;

use super::sample::{
    claim, command, commit, data_key, id, nothing_after, over_span, span, stream, with_events,
};
use super::{LogUnderTest, Outcome};

/// Rows of every kind.
fn one_of_each(rows: Rows) -> Rows {
    Rows {
        commands: vec![command(7)],
        keys: vec![data_key(40, 1, 1)],
        claims_taken: vec![claim(b"m", 1)],
        spans_taken: vec![span(0, 1, 1), over_span(0, 1, 2)],
        ..with_events(rows, stream(1), 0, 2)
    }
}

fn everything_asked() -> Lookup {
    Lookup {
        streams: vec![id(1)],
        commands: vec![[7; 32]],
        claims: vec![(b"test".to_vec(), b"m".to_vec())],
        spans: vec![span(0, 1, 1)],
        subjects: vec![id(1)],
    }
}

async fn assert_nothing_is_there(log: &LogUnderTest) -> Outcome {
    assert_eq!(log.reader.head().await?.position, 0);
    assert_eq!(log.reader.read_log(0, 10).await?, []);
    assert_eq!(log.reader.command([7; 32]).await?, None);
    assert_eq!(log.reader.keys(&[id(40)]).await?, []);
    assert!(log.reader.claim_owners(b"test", b"m").await?.is_empty());
    let facts = log.reader.look_up(&everything_asked()).await?;
    assert_eq!(facts.spans, []);
    assert!(facts.versions.is_empty());
    Ok(())
}

async fn assert_everything_is_there(log: &LogUnderTest, rows: &Rows) -> Outcome {
    assert_eq!(log.reader.head().await?.position, 2);
    assert_eq!(log.reader.read_log(0, 10).await?, rows.events);
    assert_eq!(log.reader.command([7; 32]).await?, Some(command(7)));
    assert_eq!(log.reader.keys(&[id(40)]).await?, [data_key(40, 1, 1)]);
    assert_eq!(log.reader.claim_owners(b"test", b"m").await?, [id(1)]);
    let mut facts: Facts = log.reader.look_up(&everything_asked()).await?;
    facts.spans.sort_unstable();
    let mut spans: Vec<Span> = rows.spans_taken.clone();
    spans.sort_unstable();
    assert_eq!(facts.spans, spans);
    assert_eq!(facts.versions.get(&id(1)), Some(&2));
    Ok(())
}

/// Written rows are seen by no other connection before the commit, and by all after it.
pub async fn rows_are_visible_only_after_commit(log: LogUnderTest) -> Outcome {
    let mut tx = log.writer.begin().await?;
    let rows = one_of_each(nothing_after(tx.head()));
    tx.write(&rows).await?;
    assert_nothing_is_there(&log).await?;
    tx.commit().await?;
    assert_everything_is_there(&log, &rows).await
}

/// A rolled back batch leaves no row and no gap.
pub async fn rollback_leaves_nothing(log: LogUnderTest) -> Outcome {
    let mut tx = log.writer.begin().await?;
    let rows = one_of_each(nothing_after(tx.head()));
    tx.write(&rows).await?;
    tx.rollback().await?;
    assert_nothing_is_there(&log).await?;
    let rows = commit(&log, one_of_each).await?;
    assert_everything_is_there(&log, &rows).await
}

/// A dropped transaction is rolled back, before the same writer or another can begin.
pub async fn a_dropped_transaction_leaves_nothing(log: LogUnderTest) -> Outcome {
    for _ in 0..10 {
        let mut tx = log.writer.begin().await?;
        let rows = one_of_each(nothing_after(tx.head()));
        tx.write(&rows).await?;
        drop(tx);
        assert_eq!(log.other_writer.begin().await?.head().position, 0);
        assert_nothing_is_there(&log).await?;
    }
    let rows = commit(&log, one_of_each).await?;
    assert_everything_is_there(&log, &rows).await
}

/// A transaction given up in the middle of its statement is rolled back too.
pub async fn a_write_given_up_midway_leaves_nothing(log: LogUnderTest) -> Outcome {
    for _ in 0..10 {
        let mut tx = log.writer.begin().await?;
        let rows = (2..200).fold(one_of_each(nothing_after(tx.head())), |rows, n| {
            with_events(rows, stream(n), 0, 5)
        });
        assert!(
            timeout(Duration::ZERO, tx.write(&rows)).await.is_err(),
            "the write was not given up"
        );
        drop(tx);
        assert_nothing_is_there(&log).await?;
    }
    let rows = commit(&log, one_of_each).await?;
    assert_everything_is_there(&log, &rows).await
}

/// Giving up while waiting for the head holds nothing and keeps nobody out.
pub async fn a_begin_given_up_holds_nothing(log: LogUnderTest) -> Outcome {
    for wait_micros in 0..20 {
        let given_up = timeout(Duration::from_micros(wait_micros * 50), log.writer.begin()).await;
        drop(given_up);
        let held = log.other_writer.begin().await?;
        assert!(
            timeout(Duration::from_millis(2), log.writer.begin())
                .await
                .is_err()
        );
        held.rollback().await?;
    }
    let rows = commit(&log, one_of_each).await?;
    assert_everything_is_there(&log, &rows).await
}

/// After a commit that nobody waited for, everything is there or nothing, and appending goes on.
pub async fn a_commit_given_up_is_whole(log: LogUnderTest) -> Outcome {
    for round in 0..10_u128 {
        let mut tx = log.writer.begin().await?;
        let before = tx.head().position;
        let rows = with_events(nothing_after(tx.head()), stream(round), 0, 20);
        tx.write(&rows).await?;
        let given_up = timeout(Duration::ZERO, tx.commit()).await;
        drop(given_up);
        let after = log.other_writer.begin().await?.head().position;
        assert!([before, before + 20].contains(&after), "{before} became {after}");
        assert_eq!(
            log.reader.read_log(before, 100).await?.len(),
            usize::try_from(after - before)?
        );
    }
    Ok(())
}

/// What one statement of a batch refuses, takes the whole batch with it.
pub async fn a_refused_row_takes_its_batch_with_it(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| Rows {
        claims_taken: vec![claim(b"taken", 5)],
        ..rows
    })
    .await?;
    let mut tx = log.writer.begin().await?;
    let mut rows = one_of_each(nothing_after(tx.head()));
    rows.claims_taken.push(claim(b"taken", 5));
    assert!(matches!(tx.write(&rows).await, Err(WriteError::Duplicate)));
    drop(tx);
    assert_nothing_is_there(&log).await?;
    let rows = commit(&log, one_of_each).await?;
    assert_everything_is_there(&log, &rows).await
}
