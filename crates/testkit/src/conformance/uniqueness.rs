//! Do the unique indexes refuse what the judge left to them?

use praxis_event_store::port::{Rows, WriteError};

use super::sample::{claim, command, commit, data_key, nothing_after, over_span, span, stream, with_events};
use super::{LogUnderTest, Outcome};

/// Commits `first`, then tries `second` and expects that it is refused as a duplicate and leaves nothing.
async fn assert_duplicate(
    log: &LogUnderTest,
    first: impl FnOnce(Rows) -> Rows + Send,
    second: impl FnOnce(Rows) -> Rows + Send,
) -> Outcome {
    commit(log, first).await?;
    let before = log.reader.head().await?;
    let mut tx = log.other_writer.begin().await?;
    let rows = second(with_events(nothing_after(tx.head()), stream(500), 0, 1));
    let outcome = tx.write(&rows).await;
    assert!(matches!(outcome, Err(WriteError::Duplicate)), "{outcome:?}");
    tx.rollback().await?;
    assert_eq!(log.reader.head().await?, before);
    commit(log, |rows| with_events(rows, stream(500), 0, 1)).await?;
    Ok(())
}

/// Two events at one version of one stream.
pub async fn a_stream_version_is_taken_once(log: LogUnderTest) -> Outcome {
    assert_duplicate(
        &log,
        |rows| with_events(rows, stream(1), 0, 2),
        |rows| with_events(rows, stream(1), 1, 1),
    )
    .await
}

/// The same within one batch.
pub async fn a_stream_version_is_taken_once_within_a_batch(log: LogUnderTest) -> Outcome {
    assert_duplicate(
        &log,
        |rows| rows,
        |rows| with_events(with_events(rows, stream(1), 0, 2), stream(1), 1, 1),
    )
    .await
}

/// Two outcomes under one command key.
pub async fn a_command_key_is_used_once(log: LogUnderTest) -> Outcome {
    assert_duplicate(
        &log,
        |rows| Rows {
            commands: vec![command(1), command(2)],
            ..rows
        },
        |rows| Rows {
            commands: vec![command(3), command(2)],
            ..rows
        },
    )
    .await?;
    assert_eq!(log.reader.command([3; 32]).await?, None);
    Ok(())
}

/// Two keys of one id.
pub async fn a_data_key_is_made_once(log: LogUnderTest) -> Outcome {
    assert_duplicate(
        &log,
        |rows| Rows {
            keys: vec![data_key(1, 2, 1)],
            ..rows
        },
        |rows| Rows {
            keys: vec![data_key(1, 3, 1)],
            ..rows
        },
    )
    .await
}

/// One owner's claim on one member, twice.
pub async fn an_owner_holds_a_claim_once(log: LogUnderTest) -> Outcome {
    assert_duplicate(
        &log,
        |rows| Rows {
            claims_taken: vec![claim(b"a", 1), claim(b"a", 2)],
            ..rows
        },
        |rows| Rows {
            claims_taken: vec![claim(b"a", 2)],
            ..rows
        },
    )
    .await
}

/// Two normal spans of one calendar that start at once; an overbooking may.
pub async fn normal_spans_of_a_calendar_do_not_start_at_once(log: LogUnderTest) -> Outcome {
    assert_duplicate(
        &log,
        |rows| Rows {
            spans_taken: vec![span(0, 1, 1), over_span(0, 1, 2), over_span(0, 1, 3)],
            ..rows
        },
        |rows| Rows {
            spans_taken: vec![span(0, 2, 4)],
            ..rows
        },
    )
    .await
}

/// What differs in one byte is not the same.
pub async fn bytes_decide_what_is_the_same(log: LogUnderTest) -> Outcome {
    let members: [&[u8]; 8] = [b"a", b"A", b"a ", b"a\0", b" a", "ä".as_bytes(), b"", b"\0"];
    let taken = members.map(|member| claim(member, 1)).to_vec();
    commit(&log, |rows| Rows {
        claims_taken: taken,
        ..rows
    })
    .await?;
    commit(&log, |rows| Rows {
        claims_released: vec![claim(b"A", 1), claim(b"", 1)],
        ..rows
    })
    .await?;
    for member in members {
        let held = !log.reader.claim_owners(b"test", member).await?.is_empty();
        assert_eq!(held, member != b"A" && !member.is_empty(), "{member:?}");
    }
    Ok(())
}
