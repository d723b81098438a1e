//! What a database of read models can do for a projector: rows in bulk, checkpoints, parked events, one transaction.
//!
//! Each [`Views`] is one generation: a whole database of its own, with unchanged SQL.

use std::pin::Pin;

use async_trait::async_trait;
use praxis_events::ids::{AppointmentId, LocationId, LogId, MessageId, PatientId, PractitionerId, ThreadId};
use uuid::Uuid;

use crate::fold::ReadModel;
use crate::models::appointments::AppointmentRow;
use crate::models::locations::LocationRow;
use crate::models::messages::MessageRow;
use crate::models::patients::PatientRow;
use crate::models::practitioners::PractitionerRow;
use crate::models::threads::ThreadRow;

/// Up to where one partition's events are folded into the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The partition.
    pub partition: u32,
    /// Every event of the partition at or before this position is in the rows, or parked.
    pub position: u64,
    /// The epoch of the log when it was read.
    pub epoch: u32,
    /// The log it was read from.
    pub log_id: LogId,
    /// The leaf hash at `position`, whatever partition that event is of; zeros at position 0.
    pub leaf_hash: [u8; 32],
}

/// A checkpoint on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Where it must be.
    pub from: Checkpoint,
    /// Where it is to be, in the same partition.
    pub to: Checkpoint,
}

/// An event that is not in the rows: it could not be read, or an earlier one of its stream could not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Stored name of its kind of stream, which this program may not know.
    pub stream_type: String,
    /// Its stream.
    pub stream_id: Uuid,
    /// Its stream's partition.
    pub partition: u32,
    /// Its position.
    pub position: u64,
    /// Its place in the stream.
    pub stream_version: u64,
    /// Stored name of its type.
    pub event_type: String,
    /// Why: the code of a decode fault, or [`PARKED_BEHIND`].
    pub code: String,
}

/// The code of an event parked only because an earlier one of its stream is.
pub const PARKED_BEHIND: &str = "behind";

/// Why the views did not answer. Split by what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum ViewsError {
    /// The database cannot be reached, is busy, or is shutting down: answer 503 and try again.
    #[error("read models are unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database refuses to be used as it is (schema, settings, no such generation): stop with this text.
    #[error("read models are not fit for use: {0}")]
    Unfit(String),
    /// The statement failed for good: a fault of the data or of this program.
    #[error("read models refused a statement")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was read is not what the schema promises.
    #[error("read models hold a row that cannot be read: {0}")]
    Corrupt(&'static str),
}

/// One generation, for writing.
#[async_trait]
pub trait Views: Send + Sync {
    /// Begins a transaction.
    async fn begin(&self) -> Result<Box<dyn ViewsTransaction>, ViewsError>;

    /// Every checkpoint, by partition.
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, ViewsError>;

    /// Stores checkpoints of partitions that have none, all or nothing; leaves those that have one alone.
    async fn start_partitions(&self, checkpoints: &[Checkpoint]) -> Result<(), ViewsError>;

    /// Parked events after a position, in order of position.
    async fn parked(&self, after_position: u64, limit: u32) -> Result<Vec<ParkedEvent>, ViewsError>;

    /// How many streams are parked.
    async fn parked_stream_count(&self) -> Result<u64, ViewsError>;
}

/// A transaction over checkpoints, rows and parked events. Dropping it rolls back.
///
/// Move the checkpoints before anything else, in order of partition: the row stays locked until the end, so whatever
/// is read afterwards is not changed by another projector of the same partition, and two of them cannot deadlock.
/// Lists given in are bounded by the batch (a few thousand) and without repetition; loads leave out what is not there.
#[async_trait]
pub trait ViewsTransaction: Send {
    /// Compare-and-set of several partitions, each named once and in order: `false` unless the checkpoint of each is at
    /// the place (position, epoch, log) of its `from`; then drop the transaction, in which others of them may have moved.
    async fn move_checkpoints(&mut self, moves: &[Move]) -> Result<bool, ViewsError>;

    /// The same of one partition, of which nothing moves if it is elsewhere. Moving to the same place is a way to lock it.
    async fn move_checkpoint(&mut self, from: &Checkpoint, to: &Checkpoint) -> Result<bool, ViewsError> {
        let (from, to) = (from.clone(), to.clone());
        self.move_checkpoints(&[Move { from, to }]).await
    }

    /// Which of these streams are parked.
    async fn parked_among(&mut self, streams: &[Uuid]) -> Result<Vec<Uuid>, ViewsError>;

    /// Parks events; one that is parked already stays as it is.
    async fn park(&mut self, events: &[ParkedEvent]) -> Result<(), ViewsError>;

    /// Forgets a stream's parked events up to a position, those included.
    async fn unpark(&mut self, stream_id: Uuid, up_to_position: u64) -> Result<(), ViewsError>;

    /// Patients by id.
    async fn load_patients(&mut self, ids: &[PatientId]) -> Result<Vec<PatientRow>, ViewsError>;
    /// Inserts or replaces patients and what they are found by.
    async fn save_patients(&mut self, rows: &[PatientRow]) -> Result<(), ViewsError>;

    /// Practitioners by id.
    async fn load_practitioners(
        &mut self,
        ids: &[PractitionerId],
    ) -> Result<Vec<PractitionerRow>, ViewsError>;
    /// Inserts or replaces practitioners.
    async fn save_practitioners(&mut self, rows: &[PractitionerRow]) -> Result<(), ViewsError>;

    /// Locations by id.
    async fn load_locations(&mut self, ids: &[LocationId]) -> Result<Vec<LocationRow>, ViewsError>;
    /// Inserts or replaces locations.
    async fn save_locations(&mut self, rows: &[LocationRow]) -> Result<(), ViewsError>;

    /// Appointments by id.
    async fn load_appointments(&mut self, ids: &[AppointmentId]) -> Result<Vec<AppointmentRow>, ViewsError>;
    /// Inserts or replaces appointments.
    async fn save_appointments(&mut self, rows: &[AppointmentRow]) -> Result<(), ViewsError>;

    /// Threads by id, with their participants in order.
    async fn load_threads(&mut self, ids: &[ThreadId]) -> Result<Vec<ThreadRow>, ViewsError>;
    /// Inserts or replaces threads and their participants.
    async fn save_threads(&mut self, rows: &[ThreadRow]) -> Result<(), ViewsError>;

    /// Messages by id.
    async fn load_messages(&mut self, ids: &[MessageId]) -> Result<Vec<MessageRow>, ViewsError>;
    /// Inserts or replaces messages.
    async fn save_messages(&mut self, rows: &[MessageRow]) -> Result<(), ViewsError>;

    /// Makes everything durable and visible.
    async fn commit(self: Box<Self>) -> Result<(), ViewsError>;
}

/// What a load or save of a [`StoredModel`] returns.
pub type ViewsFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ViewsError>> + Send + 'a>>;

/// A read model with the table of its rows: what lets a projector treat all of them alike.
pub trait StoredModel: ReadModel {
    /// Loads the rows with these keys.
    fn load<'a>(tx: &'a mut dyn ViewsTransaction, keys: &'a [Self::Key]) -> ViewsFuture<'a, Vec<Self::Row>>;

    /// Inserts or replaces rows.
    fn save<'a>(tx: &'a mut dyn ViewsTransaction, rows: &'a [Self::Row]) -> ViewsFuture<'a, ()>;
}

macro_rules! stored_models {
    ($($model:ty: $load:ident, $save:ident;)+) => {$(
        impl StoredModel for $model {
            fn load<'a>(tx: &'a mut dyn ViewsTransaction, keys: &'a [Self::Key]) -> ViewsFuture<'a, Vec<Self::Row>> {
                tx.$load(keys)
            }

            fn save<'a>(tx: &'a mut dyn ViewsTransaction, rows: &'a [Self::Row]) -> ViewsFuture<'a, ()> {
                tx.$save(rows)
            }
        }
    )+};
}

crate::for_each_read_model!(stored_models);
