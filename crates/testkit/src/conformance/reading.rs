//! Does reading give exactly the part asked for, of the log, of a stream, of time?

use praxis_event_store::port::{StoreError, StoredEvent, StreamRange};
use praxis_events::ids::{StreamId, StreamType};

use super::sample::{RECORDED_AT, commit, id, stream, with_events, with_events_at};
use super::{LogUnderTest, Outcome};

fn whole(stream: StreamId) -> StreamRange {
    StreamRange {
        stream,
        after_version: 0,
        up_to_position: u64::MAX,
        limit: 1_000,
    }
}

fn positions(events: &[StoredEvent]) -> Vec<u64> {
    events.iter().map(|event| event.position).collect()
}

fn versions(events: &[StoredEvent]) -> Vec<u64> {
    events.iter().map(|event| event.stream_version).collect()
}

/// From any position, at most the limit, nothing beyond the end.
pub async fn the_log_is_read_from_any_position(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| with_events(rows, stream(1), 0, 10)).await?;
    let parts: [(u64, u32, &[u64]); 6] = [
        (0, 3, &[1, 2, 3]),
        (7, 100, &[8, 9, 10]),
        (9, 1, &[10]),
        (10, 5, &[]),
        (u64::MAX, 5, &[]),
        (0, 0, &[]),
    ];
    for (after_position, limit, expected) in parts {
        assert_eq!(
            positions(&log.reader.read_log(after_position, limit).await?),
            expected
        );
    }
    Ok(())
}

/// Events of one stream among others, in order.
pub async fn a_stream_is_read_in_order(log: LogUnderTest) -> Outcome {
    for after_version in 0..4 {
        commit(&log, |rows| {
            (1..=3).fold(rows, |rows, n| with_events(rows, stream(n), after_version, 1))
        })
        .await?;
    }
    let events = log.reader.read_stream(whole(stream(2))).await?;
    assert_eq!(versions(&events), [1, 2, 3, 4]);
    assert_eq!(positions(&events), [2, 5, 8, 11]);
    assert!(events.iter().all(|event| event.stream_id == id(2)));
    Ok(())
}

/// After a version, up to a position, at most the limit.
pub async fn a_stream_is_read_in_part(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| with_events(rows, stream(1), 0, 6)).await?;
    commit(&log, |rows| with_events(rows, stream(2), 0, 1)).await?;
    commit(&log, |rows| with_events(rows, stream(1), 6, 2)).await?;
    let part = |after_version, up_to_position, limit| StreamRange {
        stream: stream(1),
        after_version,
        up_to_position,
        limit,
    };
    let parts: [(StreamRange, &[u64]); 9] = [
        (part(6, u64::MAX, 1_000), &[7, 8]),
        (part(8, u64::MAX, 1_000), &[]),
        (part(u64::MAX, u64::MAX, 1_000), &[]),
        (part(0, 3, 1_000), &[1, 2, 3]),
        (part(0, 7, 1_000), &[1, 2, 3, 4, 5, 6]),
        (part(5, 8, 1_000), &[6, 7]),
        (part(0, 0, 1_000), &[]),
        (part(1, u64::MAX, 2), &[2, 3]),
        (part(0, u64::MAX, 0), &[]),
    ];
    for (range, expected) in parts {
        assert_eq!(
            versions(&log.reader.read_stream(range).await?),
            expected,
            "{range:?}"
        );
    }
    Ok(())
}

/// An unknown stream is empty, and so is a known id under another kind.
pub async fn a_stream_is_a_kind_and_an_id(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| with_events(rows, stream(1), 0, 2)).await?;
    assert_eq!(log.reader.read_stream(whole(stream(9))).await?, []);
    let other_kind = StreamId {
        kind: StreamType::Appointment,
        ..stream(1)
    };
    assert_eq!(log.reader.read_stream(whole(other_kind)).await?, []);
    Ok(())
}

/// A log or stream that lacks an event is not taken for a shorter one: whatever is folded from it would be wrong.
pub async fn a_lost_event_is_a_fault(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| with_events(rows, stream(1), 0, 4)).await?;
    commit(&log, |rows| with_events(rows, stream(2), 0, 1)).await?;
    log.place.lose_event(3).await?;
    for (after_position, limit) in [(0, 100), (1, 2), (2, 1)] {
        let read = log.reader.read_log(after_position, limit).await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
        let range = StreamRange {
            after_version: after_position,
            limit,
            ..whole(stream(1))
        };
        let read = log.reader.read_stream(range).await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
    }
    assert_eq!(positions(&log.reader.read_log(0, 2).await?), [1, 2]);
    assert_eq!(positions(&log.reader.read_log(3, 100).await?), [4, 5]);
    assert_eq!(versions(&log.reader.read_stream(whole(stream(2))).await?), [1]);
    Ok(())
}

/// The last position at or before an instant, the last of those that share it.
pub async fn an_instant_is_a_position(log: LogUnderTest) -> Outcome {
    assert_eq!(log.reader.position_at(i64::MAX).await?, 0);
    let times = [(10, 2), (20, 1), (20, 2), (30, 4)];
    for ((seconds, count), n) in times.into_iter().zip(1..) {
        commit(&log, |rows| {
            with_events_at(rows, stream(n), 0, count, RECORDED_AT + seconds)
        })
        .await?;
    }
    let at = async |offset| Outcome::Ok(log.reader.position_at(RECORDED_AT + offset).await?);
    assert_eq!(at(9).await?, 0);
    assert_eq!(at(10).await?, 2);
    assert_eq!(at(11).await?, 2);
    assert_eq!(at(19).await?, 2);
    assert_eq!(at(20).await?, 5);
    assert_eq!(at(29).await?, 5);
    assert_eq!(at(30).await?, 9);
    assert_eq!(at(31).await?, 9);
    assert_eq!(log.reader.position_at(i64::MIN).await?, 0);
    assert_eq!(log.reader.position_at(i64::MAX).await?, 9);
    Ok(())
}
