//! What an event store can do: the traits that `store-mysql` and `store-sqlite` implement, and their data.
//!
//! Writing happens only in a [`LogTransaction`], which holds the head row from its beginning to its commit; that
//! lock is the order of the log. Reading never takes it.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use praxis_events::ids::{LogId, StreamId};
use uuid::Uuid;

use crate::append::{Claim, Span};

/// Where the log stands. Positions start at 1; an empty log is at position 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which log.
    pub log_id: LogId,
    /// Rises when the log was restored or failed over with loss.
    pub epoch: u32,
    /// The position of the last event.
    pub position: u64,
    /// `recorded_at` of the last event, microseconds UTC.
    pub recorded_at: i64,
    /// The position of the last erasure; what was read of keys and persons as of it needs no further look.
    pub tombstone_position: u64,
}

/// One event as its row stands in the store; `metadata` and `payload` are the exact bytes that were hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the log.
    pub position: u64,
    /// Its id.
    pub event_id: Uuid,
    /// Stored name of the kind of stream.
    pub stream_type: String,
    /// Its stream.
    pub stream_id: Uuid,
    /// Its place in the stream, from 1.
    pub stream_version: u64,
    /// Stored name of the event type.
    pub event_type: String,
    /// The schema version it was written in.
    pub schema_version: u32,
    /// When it was appended, microseconds UTC by the log's clock; never goes back.
    pub recorded_at: i64,
    /// Whom it is chiefly about.
    pub subject_id: Option<Uuid>,
    /// Metadata bytes (JSON).
    pub metadata: Vec<u8>,
    /// Payload bytes (JSON with boxes).
    pub payload: Vec<u8>,
    /// Format of the leaf entry.
    pub leaf_format: u8,
    /// Hash of the leaf entry.
    pub leaf_hash: [u8; 32],
}

/// The kept outcome of an accepted command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredCommand {
    /// SHA-256 over account and idempotency key.
    pub key: [u8; 32],
    /// HMAC over method, path, `If-Match` and body, behind its key id byte.
    pub request: [u8; 33],
    /// The record the command was about.
    pub answer_id: Uuid,
    /// That record's stream version after the command.
    pub version: u64,
    /// The position after the command.
    pub position: u64,
    /// When, microseconds UTC.
    pub recorded_at: i64,
}

/// A person's data key as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Which key.
    pub key_id: Uuid,
    /// Whose.
    pub subject_id: Uuid,
    /// The wrapped key; `None` once destroyed.
    pub wrapped_key: Option<Vec<u8>>,
    /// The key-encryption key that wraps it.
    pub kek_id: Uuid,
    /// The position of the first event that used it.
    pub created_position: u64,
    /// The position of the erasure that destroyed it.
    pub destroyed_position: Option<u64>,
}

/// Questions to the store, asked under the head lock; every list is bounded by the batch that asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// Current version of these streams.
    pub streams: Vec<Uuid>,
    /// Outcomes kept under these command keys.
    pub commands: Vec<[u8; 32]>,
    /// Owners of these claims, by resource and member.
    pub claims: Vec<(Vec<u8>, Vec<u8>)>,
    /// Spans that overlap these (owner and `over` are ignored).
    pub spans: Vec<Span>,
    /// Which of these persons were erased.
    pub subjects: Vec<Uuid>,
}

impl Lookup {
    /// Whether there is nothing to ask.
    pub const fn is_empty(&self) -> bool {
        self.streams.is_empty()
            && self.commands.is_empty()
            && self.claims.is_empty()
            && self.spans.is_empty()
            && self.subjects.is_empty()
    }
}

/// Answers to a [`Lookup`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Versions of the streams that exist; an absent stream is at version 0.
    pub versions: HashMap<Uuid, u64>,
    /// Kept outcomes.
    pub commands: HashMap<[u8; 32], StoredCommand>,
    /// Owners of each claim asked for.
    pub claims: HashMap<(Vec<u8>, Vec<u8>), Vec<Uuid>>,
    /// Every stored span, normal or over, that overlaps one asked for; without repetition.
    pub spans: Vec<Span>,
    /// Those of the persons asked for who have a destroyed data key.
    pub erased: HashSet<Uuid>,
}

/// The rows of one batch, in their final form: positions are dense from `previous position + 1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// New events in order of position.
    pub events: Vec<StoredEvent>,
    /// New command outcomes.
    pub commands: Vec<StoredCommand>,
    /// New data keys.
    pub keys: Vec<StoredKey>,
    /// Claims to delete.
    pub claims_released: Vec<Claim>,
    /// Claims to insert, after the deletions.
    pub claims_taken: Vec<Claim>,
    /// Spans to delete.
    pub spans_released: Vec<Span>,
    /// Spans to insert, after the deletions.
    pub spans_taken: Vec<Span>,
    /// Where the head stands afterwards: position.
    pub head_position: u64,
    /// Where the head stands afterwards: `recorded_at`.
    pub head_recorded_at: i64,
}

/// Why the store did not answer. Split by what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached or is shutting down: answer 503 and try again.
    #[error("event store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another writer held the head longer than the lock wait allows; nothing happened, try again at once.
    #[error("the log's head is held by another writer")]
    Busy,
    /// The store refuses to be used as it is (settings, schema, another log): stop with this text.
    #[error("event store is not fit for use: {0}")]
    Unfit(String),
    /// The statement failed for good: a fault of the data or of this program.
    #[error("event store refused a statement")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was read is not what the schema promises.
    #[error("event store holds a row that cannot be read: {0}")]
    Corrupt(&'static str),
}

/// Why a batch's rows were not written. The transaction can only be rolled back after it.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A unique index was violated: judge the batch again by explicit queries.
    #[error("a unique index was violated")]
    Duplicate,
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a commit did not answer.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// It certainly did not happen.
    #[error("transaction was not committed")]
    NotCommitted(#[source] StoreError),
    /// Nobody knows: the connection died after the request. Settle it by command keys under the head lock.
    #[error("outcome of the commit is unknown")]
    Unknown(#[source] StoreError),
}

/// A transaction that holds the head row. Dropping it rolls back.
#[async_trait]
pub trait LogTransaction: Send {
    /// The head as locked.
    fn head(&self) -> &Head;

    /// The database's clock when the head was locked, microseconds UTC.
    fn now_micros(&self) -> i64;

    /// Answers questions as of the locked head.
    async fn look_up(&mut self, lookup: &Lookup) -> Result<Facts, StoreError>;

    /// Writes the rows and moves the head.
    async fn write(&mut self, rows: &Rows) -> Result<(), WriteError>;

    /// Makes everything durable, then visible.
    async fn commit(self: Box<Self>) -> Result<(), CommitError>;

    /// Gives everything up.
    async fn rollback(self: Box<Self>) -> Result<(), StoreError>;
}

/// Appending to the log.
#[async_trait]
pub trait LogWriter: Send + Sync {
    /// Locks the head row and begins. Waits as long as the store's lock wait allows (about 2 s), then fails.
    async fn begin(&self) -> Result<Box<dyn LogTransaction>, StoreError>;

    /// Reserves `count` numbers of a counter and returns the first; numbers start at 1, are never given twice, and may
    /// have gaps. Durable before it returns; takes no head lock.
    async fn reserve_numbers(&self, counter: &'static str, count: u32) -> Result<u64, StoreError>;
}

/// Which part of a stream to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamRange {
    /// The stream.
    pub stream: StreamId,
    /// Versions after this one.
    pub after_version: u64,
    /// Positions up to this one.
    pub up_to_position: u64,
    /// At most so many events.
    pub limit: u32,
}

/// Reading the log. What is read was durable before it was visible.
#[async_trait]
pub trait LogReader: Send + Sync {
    /// Where the log stands.
    async fn head(&self) -> Result<Head, StoreError>;

    /// Events after a position, dense and in order; [`StoreError::Corrupt`] where one is missing.
    async fn read_log(&self, after_position: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError>;

    /// Events of one stream in order, each version after the one before; [`StoreError::Corrupt`] where one is missing.
    async fn read_stream(&self, range: StreamRange) -> Result<Vec<StoredEvent>, StoreError>;

    /// The last position whose `recorded_at` is at or before an instant (microseconds UTC); 0 if none.
    async fn position_at(&self, instant_micros: i64) -> Result<u64, StoreError>;

    /// The outcome kept under a command key.
    async fn command(&self, key: [u8; 32]) -> Result<Option<StoredCommand>, StoreError>;

    /// Data keys by id; unknown ones are absent from the answer.
    async fn keys(&self, key_ids: &[Uuid]) -> Result<Vec<StoredKey>, StoreError>;

    /// For each subject that has one, the data key that stands for them: a destroyed one if there is any, as they were
    /// erased then, else the newest. With the head's tombstone position as of which this holds.
    async fn subject_keys(&self, subjects: &[Uuid]) -> Result<(Vec<StoredKey>, u64), StoreError>;

    /// Answers questions without the head lock: advice for a refusal's list of reasons, never a basis to append.
    async fn look_up(&self, lookup: &Lookup) -> Result<Facts, StoreError>;

    /// The owners of a claim.
    async fn claim_owners(&self, resource: &[u8], member: &[u8]) -> Result<Vec<Uuid>, StoreError>;
}

/// Events read after a position, if none is missing among them.
///
/// # Errors
/// [`StoreError::Corrupt`] otherwise.
pub fn dense(events: Vec<StoredEvent>, after_position: u64) -> Result<Vec<StoredEvent>, StoreError> {
    let numbers = events.iter().map(|event| event.position);
    if follow(numbers, after_position) {
        Ok(events)
    } else {
        Err(StoreError::Corrupt("a position is missing from the log"))
    }
}

/// Events of a stream read after a version, if none is missing among them.
///
/// # Errors
/// [`StoreError::Corrupt`] otherwise.
pub fn contiguous(events: Vec<StoredEvent>, after_version: u64) -> Result<Vec<StoredEvent>, StoreError> {
    let numbers = events.iter().map(|event| event.stream_version);
    if follow(numbers, after_version) {
        Ok(events)
    } else {
        Err(StoreError::Corrupt("a version is missing from a stream"))
    }
}

fn follow(numbers: impl Iterator<Item = u64>, after: u64) -> bool {
    numbers
        .zip(after.saturating_add(1)..)
        .all(|(number, there)| number == there)
}

/// Where the relay stands: one row, moved by compare-and-set on the term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayState {
    /// Rises with every change of leader.
    pub term: u64,
    /// All events up to here are acknowledged by Kafka.
    pub position: u64,
    /// As of `position`: the last position in each partition; empty when unknown.
    pub partitions: Vec<u64>,
    /// The Merkle frontier, serialised. Its size is a place of its own: the tree does not wait for Kafka.
    pub frontier: Vec<u8>,
}

/// The relay's lease and progress; all times are the database's.
#[async_trait]
pub trait RelayStore: Send + Sync {
    /// Takes or renews the lease for `holder` for `ttl_ms`. `None` while another holds it.
    async fn lease(&self, holder: Uuid, ttl_ms: u32) -> Result<Option<RelayState>, StoreError>;

    /// Stores progress if `state.term` is still the term in the row; `false` if another leads.
    async fn save(&self, holder: Uuid, state: &RelayState) -> Result<bool, StoreError>;

    /// Ends the lease, so that another can lead at once.
    async fn release(&self, holder: Uuid) -> Result<(), StoreError>;
}
