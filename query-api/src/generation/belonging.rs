//! Do the read models belong to the log? Rows of a history that the log does not have any more are not served.
//!
//! A projector stops when its rows and the log part. Here the same is asked every second, because rows outlive their
//! projector, and a database may be restored to an earlier state beneath the one or the other.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use praxis_event_store::port::{LogReader, StoreError};
use praxis_read_models::views::Checkpoint;
use tokio::time::sleep;

use super::{OpenGeneration, ReadSide};

/// How long rows that do not belong to the log may be served.
const PERIOD: Duration = Duration::from_secs(1);

impl ReadSide {
    /// Asks again and again, and never ends: reads are refused for as long as the answer is no.
    pub async fn keep_verifying(&self) {
        loop {
            self.verify().await;
            sleep(PERIOD).await;
        }
    }

    /// Asks once. What cannot be told now changes nothing: reads need no log that answers.
    pub async fn verify(&self) {
        let Ok(open) = self.newest().await else { return };
        let Ok(found) = why_foreign(&open, self.log.as_ref()).await else {
            return;
        };
        let mut foreign = self.foreign.write().unwrap_or_else(PoisonError::into_inner);
        if *foreign != found {
            if let Some(why) = &found {
                tracing::error!(generation = open.number, why, "reads are refused");
            } else {
                tracing::info!(generation = open.number, "read models belong to the log again");
            }
            *foreign = found;
        }
    }

    /// Why reads are refused, if they are.
    pub(super) fn why_refused(&self) -> Option<String> {
        self.foreign
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Nothing could be told.
struct Unanswered;

async fn why_foreign(open: &OpenGeneration, log: &dyn LogReader) -> Result<Option<String>, Unanswered> {
    // In this order: the log was at or beyond the checkpoints when they were read.
    let checkpoints = open.reads.checkpoints().await.map_err(|_| Unanswered)?;
    let head = match log.head().await {
        Ok(head) => head,
        // The log itself is not the one that this process began with.
        Err(StoreError::Unfit(why)) => return Ok(Some(why)),
        Err(_) => return Err(Unanswered),
    };
    for known in &checkpoints {
        if known.log_id != head.log_id || known.epoch != head.epoch {
            let (log_id, epoch) = (known.log_id, known.epoch);
            return Ok(Some(format!(
                "read models are of epoch {epoch} of log {log_id}, the log is {} in epoch {}: a projector that is started \
                 builds others",
                head.log_id, head.epoch
            )));
        }
        if known.position > head.position {
            return Ok(Some(format!(
                "read models are at position {}, and the log ends at {}: it was restored to an earlier state",
                known.position, head.position
            )));
        }
    }
    other_event(log, &checkpoints).await
}

async fn other_event(log: &dyn LogReader, checkpoints: &[Checkpoint]) -> Result<Option<String>, Unanswered> {
    let places: BTreeSet<(u64, [u8; 32])> = checkpoints
        .iter()
        .map(|known| (known.position, known.leaf_hash))
        .filter(|(position, _)| *position > 0)
        .collect();
    for (position, leaf_hash) in places {
        let events = log.read_log(position - 1, 1).await.map_err(|_| Unanswered)?;
        if events.first().is_none_or(|event| event.leaf_hash != leaf_hash) {
            return Ok(Some(format!(
                "the log holds another event at position {position} than read models were made of: it was restored \
                 to an earlier state"
            )));
        }
    }
    Ok(None)
}
