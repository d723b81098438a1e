//! How a gap is filled: one scan of the log for all partitions of the process that lag.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use praxis_event_store::partition::partition_of;
use praxis_event_store::port::{LogReader, StoreError, StoredEvent};
use praxis_read_models::views::{Checkpoint, Move};

use crate::apply::Work;
use crate::rule::LogMismatch;
use crate::verify::VerifyError;

/// The next slice of the log after the partition that lags most, as work for every partition that lags: their events
/// in it that are not in the rows yet, and their checkpoints at its end, since nothing of them is left before it.
///
/// # Errors
/// [`VerifyError`]: the log did not answer, is another one than the checkpoints are of, or ends before what the feed
/// said of it.
pub async fn read_slice(
    reader: &dyn LogReader,
    partitions: NonZeroU32,
    checkpoints: &BTreeMap<u32, Checkpoint>,
    lagging: &BTreeMap<u32, u64>,
    events_max: u32,
) -> Result<Work, VerifyError> {
    let behind: BTreeMap<u32, &Checkpoint> = lagging
        .keys()
        .filter_map(|partition| checkpoints.get(partition).map(|known| (*partition, known)))
        .collect();
    let Some(after) = behind.values().map(|known| known.position).min() else {
        return Ok(Work::default());
    };
    let head = reader.head().await?;
    for checkpoint in behind.values() {
        let partition = checkpoint.partition;
        if checkpoint.log_id != head.log_id {
            let (known, found) = (checkpoint.log_id, head.log_id);
            return Err(LogMismatch::OtherLog {
                partition,
                known,
                found,
            }
            .into());
        }
        if checkpoint.epoch != head.epoch {
            let (known, found) = (checkpoint.epoch, head.epoch);
            return Err(LogMismatch::OtherEpoch {
                partition,
                known,
                found,
            }
            .into());
        }
        let position = lagging.get(&partition).copied().unwrap_or_default();
        if position > head.position {
            return Err(LogMismatch::BeyondHead {
                partition,
                position,
                head: head.position,
            }
            .into());
        }
    }
    let slice = reader.read_log(after, events_max).await?;
    if !is_dense(after, &slice) {
        return Err(StoreError::Corrupt("the log has a hole").into());
    }
    Ok(share(partitions, &behind, slice))
}

fn is_dense(after: u64, slice: &[StoredEvent]) -> bool {
    !slice.is_empty()
        && slice
            .iter()
            .zip(after + 1..)
            .all(|(event, position)| event.position == position)
}

fn share(partitions: NonZeroU32, behind: &BTreeMap<u32, &Checkpoint>, slice: Vec<StoredEvent>) -> Work {
    let Some((end, leaf_hash)) = slice.last().map(|last| (last.position, last.leaf_hash)) else {
        return Work::default();
    };
    let moves = behind
        .values()
        .filter(|known| known.position < end)
        .map(|known| Move {
            from: (*known).clone(),
            to: Checkpoint {
                position: end,
                leaf_hash,
                ..(*known).clone()
            },
        })
        .collect();
    let is_wanted = |event: &StoredEvent| {
        behind
            .get(&partition_of(event.stream_id, partitions))
            .is_some_and(|known| event.position > known.position)
    };
    Work {
        moves,
        events: slice.into_iter().filter(is_wanted).collect(),
    }
}
