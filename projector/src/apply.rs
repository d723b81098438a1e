//! How events become rows: one transaction over rows, parked events and checkpoints.

use std::collections::HashSet;
use std::num::NonZeroU32;

use praxis_event_store::codec::DecodeFault;
use praxis_event_store::decode::Decoder;
use praxis_event_store::partition::partition_of;
use praxis_event_store::port::StoredEvent;
use praxis_event_store::vault::VaultError;
use praxis_events::recorded::RecordedEvent;
use praxis_read_models::save::{Folded, fold_events};
use praxis_read_models::views::{Move, PARKED_BEHIND, ParkedEvent, Views, ViewsError};
use tokio::task::yield_now;
use uuid::Uuid;

/// Events opened before others get their turn: some milliseconds.
const OPENED_AT_ONCE_MAX: usize = 250;

/// Events to fold, and the checkpoints to move with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// By partition; each partition once.
    pub moves: Vec<Move>,
    /// Events of those partitions, those of a stream in order.
    pub events: Vec<StoredEvent>,
}

/// What became of [`Work`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is durable and visible.
    Committed {
        /// How many events were parked.
        parked: usize,
    },
    /// A checkpoint was elsewhere: another projector has the partition. Nothing changed.
    Superseded,
}

/// Why work was not applied. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The read models did not take it.
    #[error(transparent)]
    Views(#[from] ViewsError),
    /// The keys could not be had.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Work whose events were opened: each as it reads, or why it cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The work.
    pub work: Work,
    decoded: Vec<Result<RecordedEvent, DecodeFault>>,
}

impl Opened {
    /// The events that can be read.
    pub(crate) fn readable(&self) -> impl Iterator<Item = &RecordedEvent> {
        self.decoded.iter().flatten()
    }
}

/// Opens the events of some work. A transaction of earlier work may go on meanwhile: every few events it gets its turn.
///
/// # Errors
/// [`VaultError`] when the keys cannot be had now.
pub async fn open(decoder: &dyn Decoder, work: Work) -> Result<Opened, VaultError> {
    let mut decoded = Vec::with_capacity(work.events.len());
    for events in work.events.chunks(OPENED_AT_ONCE_MAX) {
        decoded.extend(decoder.decode(events).await?);
        yield_now().await;
    }
    Ok(Opened { work, decoded })
}

/// Folds events into the rows of every read model and moves the checkpoints, in one transaction. A stream whose event
/// cannot be read is parked from there on; the others go on.
///
/// # Errors
/// [`ViewsError`].
pub async fn write(
    views: &dyn Views,
    partitions: NonZeroU32,
    Opened { work, decoded }: Opened,
) -> Result<Applied, ViewsError> {
    let mut tx = views.begin().await?;
    if !tx.move_checkpoints(&work.moves).await? {
        return Ok(Applied::Superseded);
    }
    let streams: Vec<Uuid> = distinct(work.events.iter().map(|event| event.stream_id));
    let parked_before = if streams.is_empty() {
        Vec::new()
    } else {
        tx.parked_among(&streams).await?
    };
    let sorted = sort_out(&work.events, decoded, partitions, parked_before);
    if !sorted.parked.is_empty() {
        tx.park(&sorted.parked).await?;
    }
    fold_events(tx.as_mut(), &sorted.readable, Folded::Never).await?;
    tx.commit().await?;
    Ok(Applied::Committed {
        parked: sorted.parked.len(),
    })
}

/// Opens events and folds them: [`open`] and [`write()`].
///
/// # Errors
/// [`ApplyError`].
pub async fn apply(
    views: &dyn Views,
    decoder: &dyn Decoder,
    partitions: NonZeroU32,
    work: Work,
) -> Result<Applied, ApplyError> {
    Ok(write(views, partitions, open(decoder, work).await?).await?)
}

struct Sorted {
    readable: Vec<RecordedEvent>,
    parked: Vec<ParkedEvent>,
}

fn sort_out(
    stored: &[StoredEvent],
    decoded: Vec<Result<RecordedEvent, DecodeFault>>,
    partitions: NonZeroU32,
    parked_before: Vec<Uuid>,
) -> Sorted {
    let mut parked_streams: HashSet<Uuid> = parked_before.into_iter().collect();
    let mut sorted = Sorted {
        readable: Vec::with_capacity(decoded.len()),
        parked: Vec::new(),
    };
    for (event, decoded) in stored.iter().zip(decoded) {
        let behind = parked_streams.contains(&event.stream_id);
        match decoded {
            Ok(readable) if !behind => sorted.readable.push(readable),
            Ok(_) => sorted.parked.push(parked_event(event, partitions, PARKED_BEHIND)),
            Err(fault) => {
                let code = if behind { PARKED_BEHIND } else { fault.code() };
                if !behind {
                    tracing::warn!(
                        stream_id = %event.stream_id, position = event.position, event_type = event.event_type, code,
                        "stream is parked: an event of it cannot be read"
                    );
                }
                parked_streams.insert(event.stream_id);
                sorted.parked.push(parked_event(event, partitions, code));
            }
        }
    }
    sorted
}

/// The parked form of an event: where it is and why, nothing of what it says.
pub(crate) fn parked_event(event: &StoredEvent, partitions: NonZeroU32, code: &str) -> ParkedEvent {
    ParkedEvent {
        stream_type: event.stream_type.clone(),
        stream_id: event.stream_id,
        partition: partition_of(event.stream_id, partitions),
        position: event.position,
        stream_version: event.stream_version,
        event_type: event.event_type.clone(),
        code: code.to_owned(),
    }
}

fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    items
}
