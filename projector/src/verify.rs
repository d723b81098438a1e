//! Whether read models belong to the log they are about to follow: asked at start and after every lost connection.

use std::collections::HashMap;

use praxis_event_store::port::{LogReader, StoreError};
use praxis_read_models::views::Checkpoint;

use crate::rule::LogMismatch;

/// Why it is not known that they do.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// They do not.
    #[error(transparent)]
    Mismatch(#[from] LogMismatch),
    /// The log did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Compares every checkpoint with the log: its identity, its epoch, its end, and the event at the checkpoint.
///
/// # Errors
/// [`VerifyError`].
pub async fn verify(reader: &dyn LogReader, checkpoints: &[&Checkpoint]) -> Result<(), VerifyError> {
    let head = reader.head().await?;
    let mut leaf_hashes: HashMap<u64, Option<[u8; 32]>> = HashMap::from([(0, Some([0; 32]))]);
    for checkpoint in checkpoints {
        let (partition, position) = (checkpoint.partition, checkpoint.position);
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
        if position > head.position {
            return Err(LogMismatch::BeyondHead {
                partition,
                position,
                head: head.position,
            }
            .into());
        }
        let leaf_hash = if let Some(known) = leaf_hashes.get(&position) {
            *known
        } else {
            let at = reader.read_log(position - 1, 1).await?;
            let found = at
                .first()
                .filter(|event| event.position == position)
                .map(|event| event.leaf_hash);
            leaf_hashes.insert(position, found);
            found
        };
        if leaf_hash != Some(checkpoint.leaf_hash) {
            return Err(LogMismatch::OtherLeaf { partition, position }.into());
        }
    }
    Ok(())
}
