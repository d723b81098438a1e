//! Does every stored value come back byte for byte, at its extremes too?

use praxis_event_store::port::{Rows, StoredCommand, StoredEvent, StoredKey, StreamRange};
use praxis_event_store::record::names::NAME_LEN_MAX;

use super::sample::{command, commit, data_key, destroyed, id, stream, with_events};
use super::{LogUnderTest, Outcome};

/// The largest number any store has to hold: signed 64 bits.
const NUMBER_MAX: u64 = i64::MAX.unsigned_abs();

async fn assert_kept(
    log: &LogUnderTest,
    alter: impl FnOnce(&mut [StoredEvent]) + Send,
    count: u64,
) -> Outcome {
    let rows = commit(log, |rows| {
        let mut rows = with_events(rows, stream(1), 0, count);
        alter(&mut rows.events);
        rows
    })
    .await?;
    assert_eq!(log.reader.read_log(0, 100).await?, rows.events);
    for event in rows.events {
        let range = StreamRange {
            stream: stream(1),
            after_version: event.stream_version - 1,
            up_to_position: u64::MAX,
            limit: 1,
        };
        assert_eq!(log.reader.read_stream(range).await?, [event]);
    }
    Ok(())
}

/// Every value there is of a byte, in both documents; text that is no UTF-8 among it.
pub async fn every_byte_is_kept(log: LogUnderTest) -> Outcome {
    let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
    let alter = |events: &mut [StoredEvent]| {
        events[0].metadata.clone_from(&all);
        events[0].payload = all.iter().rev().copied().collect();
        events[0].payload.extend_from_slice(b"\\'\"`\r\n\x1a%_;--");
        events[0].leaf_hash = [0; 32];
        events[1].leaf_hash = [255; 32];
    };
    assert_kept(&log, alter, 2).await
}

/// Documents without a byte, alone and beside others.
pub async fn empty_documents_are_kept(log: LogUnderTest) -> Outcome {
    let alter = |events: &mut [StoredEvent]| {
        for event in events {
            event.metadata = Vec::new();
            event.payload = Vec::new();
        }
    };
    assert_kept(&log, alter, 2).await
}

/// Documents of very different size in one batch do not run into each other.
pub async fn documents_of_any_size_are_kept_apart(log: LogUnderTest) -> Outcome {
    let sizes = [0, 1, 200 * 1024, 1, 0, 65_535, 65_536, 16_383, 16_384, 200 * 1024];
    let alter = |events: &mut [StoredEvent]| {
        for ((event, size), byte) in events.iter_mut().zip(sizes).zip(1..) {
            event.payload = vec![byte; size];
            event.metadata = vec![255 - byte; sizes[usize::from(byte) % sizes.len()] / 4];
        }
    };
    assert_kept(&log, alter, 10).await
}

/// JSON comes back as it was written, not as a database would print it.
pub async fn documents_are_not_rewritten(log: LogUnderTest) -> Outcome {
    let alter = |events: &mut [StoredEvent]| {
        events[0].payload = br#"{ "b":1.0, "a":"\u00e4", "b":2 ,"c":1e2}"#.to_vec();
        events[0].metadata = b" {\t}\n".to_vec();
    };
    assert_kept(&log, alter, 1).await
}

/// The extremes of every number and name.
pub async fn extreme_columns_are_kept(log: LogUnderTest) -> Outcome {
    let alter = |events: &mut [StoredEvent]| {
        events[0].recorded_at = i64::MIN;
        events[0].schema_version = 0;
        events[0].leaf_format = 0;
        events[0].subject_id = None;
        events[0].event_id = uuid::Uuid::nil();
        "e".clone_into(&mut events[0].event_type);
        events[1].recorded_at = i64::MAX;
        events[1].schema_version = u32::MAX;
        events[1].leaf_format = u8::MAX;
        events[1].subject_id = Some(uuid::Uuid::nil());
        events[1].event_id = uuid::Uuid::max();
        events[1].event_type = "Zz09._-/".repeat(NAME_LEN_MAX / 8);
        events[1].stream_version = NUMBER_MAX;
    };
    assert_kept(&log, alter, 2).await
}

/// The time of the head, at its extremes.
pub async fn the_heads_time_is_kept(log: LogUnderTest) -> Outcome {
    for recorded_at in [i64::MIN, -1, 0, 1, i64::MAX] {
        commit(&log, |rows| Rows {
            head_recorded_at: recorded_at,
            ..rows
        })
        .await?;
        assert_eq!(log.reader.head().await?.recorded_at, recorded_at);
        assert_eq!(log.writer.begin().await?.head().recorded_at, recorded_at);
    }
    Ok(())
}

/// A command's outcome with its extremes.
pub async fn extreme_outcomes_are_kept(log: LogUnderTest) -> Outcome {
    let mut every = [0; 32];
    for (place, byte) in every.iter_mut().zip(224..=255) {
        *place = byte;
    }
    let low = StoredCommand {
        key: [0; 32],
        request: [0; 33],
        version: 0,
        position: 0,
        recorded_at: i64::MIN,
        ..command(0)
    };
    let high = StoredCommand {
        key: every,
        request: [255; 33],
        answer_id: uuid::Uuid::max(),
        version: NUMBER_MAX,
        position: NUMBER_MAX,
        recorded_at: i64::MAX,
    };
    commit(&log, |rows| Rows {
        commands: vec![low, high],
        ..rows
    })
    .await?;
    assert_eq!(log.reader.command([0; 32]).await?, Some(low));
    assert_eq!(log.reader.command(every).await?, Some(high));
    Ok(())
}

/// A data key with its extremes, destroyed and not, in one batch.
pub async fn extreme_keys_are_kept(log: LogUnderTest) -> Outcome {
    let keys = vec![
        StoredKey {
            wrapped_key: Some((0..=255).collect()),
            created_position: NUMBER_MAX,
            ..data_key(1, 11, 0)
        },
        destroyed(&data_key(2, 12, 0), NUMBER_MAX),
        StoredKey {
            wrapped_key: Some(vec![0]),
            kek_id: uuid::Uuid::max(),
            ..data_key(3, 13, 1)
        },
    ];
    commit(&log, |rows| Rows {
        keys: keys.clone(),
        ..rows
    })
    .await?;
    let mut read = log.reader.keys(&[id(1), id(2), id(3)]).await?;
    read.sort_unstable_by_key(|key| key.key_id);
    assert_eq!(read, keys);
    Ok(())
}
