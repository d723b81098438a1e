//! How parked streams get their rows: their events are decoded again, in order, as far as they can be.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use praxis_event_store::decode::Decoder;
use praxis_event_store::port::{LogReader, StoreError, StoredEvent, StreamRange};
use praxis_events::ids::{StreamId, StreamType};
use praxis_read_models::save::{Folded, fold_events};
use praxis_read_models::views::{Checkpoint, ParkedEvent, Views, ViewsError};

use crate::apply::{ApplyError, parked_event};

/// Parked events listed at once.
const LIST_EVENTS_MAX: u32 = 500;
/// Events of one stream folded in one transaction.
const SLICE_EVENTS_MAX: usize = 500;
/// As many, and the one after them.
const READ_EVENTS_MAX: u32 = 501;
/// How often a slice of a stream is tried when its partition's checkpoint moves meanwhile.
const ATTEMPTS_MAX: u32 = 5;
/// The code of the event at which a retry goes on that was interrupted: it may well be readable.
const PARKED_TO_RETRY: &str = "retry";

/// What a retry came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    /// Streams that are not parked any more.
    pub streams: u64,
    /// Events folded, of those streams and of some that are parked at a later event now.
    pub events: u64,
}

/// Why a retry stopped; what it did before stays done.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// The log did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rows were not taken, or the keys not to be had.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl From<ViewsError> for RetryError {
    fn from(error: ViewsError) -> Self {
        Self::Apply(error.into())
    }
}

/// What a retry works with.
#[derive(Clone, Copy)]
pub struct Retry<'a> {
    /// The rows.
    pub views: &'a dyn Views,
    /// The log.
    pub reader: &'a dyn LogReader,
    /// What may be able to read the events now.
    pub decoder: &'a dyn Decoder,
    /// How many partitions feed the rows.
    pub partitions: NonZeroU32,
}

/// Tries every parked stream once. Safe beside a running projector of the same rows, in this process or another: the
/// partition's checkpoint is locked while a stream comes back.
///
/// # Errors
/// [`RetryError`].
pub async fn retry_parked(retry: Retry<'_>) -> Result<Retried, RetryError> {
    let mut retried = Retried::default();
    let mut after = 0;
    loop {
        let listed = retry.views.parked(after, LIST_EVENTS_MAX).await?;
        let Some(last) = listed.last() else {
            return Ok(retried);
        };
        after = last.position;
        for first in listed
            .iter()
            .filter(|event| event.code != praxis_read_models::views::PARKED_BEHIND)
        {
            let (events, is_free) = retry_stream(retry, first).await?;
            retried.events += events;
            retried.streams += u64::from(is_free);
        }
    }
}

/// Folds a stream from its first parked event on, as far as it can be read. Answers how many events, and whether all.
async fn retry_stream(retry: Retry<'_>, first: &ParkedEvent) -> Result<(u64, bool), RetryError> {
    let Some(kind) = StreamType::from_name(&first.stream_type) else {
        return Ok((0, false));
    };
    let stream = StreamId {
        kind,
        id: first.stream_id,
    };
    let (mut after_version, mut folded, mut attempts) = (first.stream_version - 1, 0, 0);
    loop {
        let Some(checkpoint) = checkpoint_of(retry.views, first.partition).await? else {
            return Ok((folded, false));
        };
        let (up_to_position, limit) = (checkpoint.position, READ_EVENTS_MAX);
        let stored = retry
            .reader
            .read_stream(StreamRange {
                stream,
                after_version,
                up_to_position,
                limit,
            })
            .await?;
        let (slice, after) = stored.split_at(SLICE_EVENTS_MAX.min(stored.len()));
        match return_slice(retry, &checkpoint, slice, after.first()).await? {
            Slice::Moved if attempts < ATTEMPTS_MAX => attempts += 1,
            Slice::Moved => return Ok((folded, false)),
            Slice::Returned { events, is_whole } => {
                folded += events;
                after_version += events;
                attempts = 0;
                if !is_whole || after.is_empty() {
                    return Ok((folded, is_whole));
                }
            }
        }
    }
}

enum Slice {
    /// The partition moved on meanwhile, and may have parked more behind: read again.
    Moved,
    Returned {
        events: u64,
        is_whole: bool,
    },
}

/// Folds what can be read. A stream that is not whole afterwards is parked at one event with a code that says why,
/// which is what the next retry looks for: also at the `next` one, should nobody come to it.
async fn return_slice(
    retry: Retry<'_>,
    checkpoint: &Checkpoint,
    stored: &[StoredEvent],
    next: Option<&StoredEvent>,
) -> Result<Slice, RetryError> {
    let decoded = retry.decoder.decode(stored).await.map_err(ApplyError::from)?;
    let fault = decoded
        .iter()
        .zip(stored)
        .find_map(|(decoded, event)| decoded.as_ref().err().map(|fault| (event, *fault)));
    let readable: Vec<_> = decoded.into_iter().map_while(Result::ok).collect();
    let mut tx = retry.views.begin().await?;
    if !tx.move_checkpoint(checkpoint, checkpoint).await? {
        return Ok(Slice::Moved);
    }
    if let Some(last) = readable.last() {
        tx.unpark(last.stream.id, last.position).await?;
        fold_events(tx.as_mut(), &readable, Folded::Perhaps).await?;
    }
    let first_left = fault.map(|(event, fault)| (event, fault.code()));
    if let Some((event, code)) = first_left.or(next.map(|next| (next, PARKED_TO_RETRY))) {
        tx.unpark(event.stream_id, event.position).await?;
        tx.park(&[parked_event(event, retry.partitions, code)]).await?;
    }
    tx.commit().await?;
    let events = u64::try_from(readable.len()).unwrap_or_default();
    Ok(Slice::Returned {
        events,
        is_whole: fault.is_none(),
    })
}

async fn checkpoint_of(views: &dyn Views, partition: u32) -> Result<Option<Checkpoint>, ViewsError> {
    let checkpoints: BTreeMap<u32, Checkpoint> = views
        .checkpoints()
        .await?
        .into_iter()
        .map(|known| (known.partition, known))
        .collect();
    Ok(checkpoints.get(&partition).cloned())
}
