//! What to do with what a feed brings: skip it, fold it, or read first what lies before it. Pure.
//!
//! Per partition: at or before the checkpoint, skip; if `prev` is at or before the checkpoint, fold; else there is a
//! gap. That one rule also gives the catch-up of an empty database, retention, a topic made anew and the hand-over
//! between projectors.

use std::collections::BTreeMap;

use praxis_event_store::bus::{BusContent, BusMessage};
use praxis_event_store::port::StoredEvent;
use praxis_events::ids::LogId;
use praxis_read_models::views::Checkpoint;

/// What one message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is in the rows already, or of an earlier life of the log.
    Skip,
    /// It is the next of its partition.
    Apply,
    /// Events of its partition before it are not in the rows.
    Gap,
}

/// Why rows and log do not belong together. Going on would skip events or fold a history that did not happen, so the
/// projector stops, and someone decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogMismatch {
    /// Rows and events are of two logs.
    #[error("read models of partition {partition} are of log {known}, the events are of log {found}")]
    OtherLog {
        /// The partition.
        partition: u32,
        /// The log in the checkpoint.
        known: LogId,
        /// The log found.
        found: LogId,
    },
    /// The log was restored, or failed over with loss, after the rows were made.
    #[error(
        "read models of partition {partition} are of epoch {known} of the log, the log is in epoch {found}: {}",
        after_a_restore(*.known, *.found)
    )]
    OtherEpoch {
        /// The partition.
        partition: u32,
        /// The epoch in the checkpoint.
        known: u32,
        /// The epoch found.
        found: u32,
    },
    /// The event at the checkpoint is not the one that was folded.
    #[error(
        "the log holds another event at position {position} than read models of partition {partition} were made of"
    )]
    OtherLeaf {
        /// The partition.
        partition: u32,
        /// The position.
        position: u64,
    },
    /// The log ends before the position that the rows, or a message of the feed, are at.
    #[error(
        "the log ends at position {head}, before position {position} of partition {partition}: it was restored to an \
         earlier state"
    )]
    BeyondHead {
        /// The partition.
        partition: u32,
        /// The checkpoint, or the position of the message.
        position: u64,
        /// The end of the log.
        head: u64,
    },
    /// The feed has more partitions than the rows are made of, so that streams are elsewhere.
    #[error("the feed brings partition {partition}, of which read models have no checkpoint")]
    UnknownPartition {
        /// The partition.
        partition: u32,
    },
}

const fn after_a_restore(known: u32, found: u32) -> &'static str {
    if known < found {
        "it was restored since; started again, the projector builds other read models"
    } else {
        "it was restored to an earlier state"
    }
}

/// What one message asks for, given where its partition's rows are.
///
/// # Errors
/// [`LogMismatch`] when it speaks of another log, a later life of it or another history.
pub fn step(checkpoint: &Checkpoint, message: &BusMessage) -> Result<Step, LogMismatch> {
    let (partition, position) = (checkpoint.partition, message.position());
    if message.life.log_id != checkpoint.log_id {
        return Err(LogMismatch::OtherLog {
            partition,
            known: checkpoint.log_id,
            found: message.life.log_id,
        });
    }
    if message.life.epoch < checkpoint.epoch {
        return Ok(Step::Skip);
    }
    if message.life.epoch > checkpoint.epoch {
        return Err(LogMismatch::OtherEpoch {
            partition,
            known: checkpoint.epoch,
            found: message.life.epoch,
        });
    }
    if position == checkpoint.position && leaf_hash(message) != checkpoint.leaf_hash {
        return Err(LogMismatch::OtherLeaf { partition, position });
    }
    Ok(if position <= checkpoint.position {
        Step::Skip
    } else if message.prev <= checkpoint.position {
        Step::Apply
    } else {
        Step::Gap
    })
}

/// What a list of messages asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Events to fold; those of a partition are in order.
    pub events: Vec<StoredEvent>,
    /// Where the checkpoints of the partitions are afterwards; only those that move.
    pub moved: BTreeMap<u32, Checkpoint>,
    /// Partitions with a gap, and up to where the log must be read before messages can be taken again.
    pub gaps: BTreeMap<u32, u64>,
}

/// What messages ask for together. Messages of partitions in `lagging` only say how far the log is to be read, because
/// reading it will bring them too; the same holds behind a gap.
///
/// # Errors
/// [`LogMismatch`] of any message, also one of a partition without a checkpoint: the caller makes checkpoints for all
/// partitions there are.
pub fn plan(
    checkpoints: &BTreeMap<u32, Checkpoint>,
    lagging: &BTreeMap<u32, u64>,
    messages: &[BusMessage],
) -> Result<Plan, LogMismatch> {
    let mut plan = Plan::default();
    for message in messages {
        let partition = message.partition;
        let Some(checkpoint) = plan.moved.get(&partition).or_else(|| checkpoints.get(&partition)) else {
            return Err(LogMismatch::UnknownPartition { partition });
        };
        let step = step(checkpoint, message)?;
        let behind = lagging.contains_key(&partition) || plan.gaps.contains_key(&partition);
        match step {
            Step::Skip => {}
            Step::Apply if !behind => {
                let checkpoint = Checkpoint {
                    position: message.position(),
                    leaf_hash: leaf_hash(message),
                    ..checkpoint.clone()
                };
                plan.moved.insert(partition, checkpoint);
                if let BusContent::Event(event) = &message.content {
                    plan.events.push(event.as_ref().clone());
                }
            }
            Step::Apply | Step::Gap => {
                let up_to = plan.gaps.entry(partition).or_default();
                *up_to = message.position().max(*up_to);
            }
        }
    }
    Ok(plan)
}

fn leaf_hash(message: &BusMessage) -> [u8; 32] {
    match &message.content {
        BusContent::Event(event) => event.leaf_hash,
        BusContent::Watermark { leaf_hash, .. } => *leaf_hash,
    }
}

#[cfg(test)]
mod tests;
