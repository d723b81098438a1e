//! A log in memory with faults on demand, for tests of what stands above the port. The real stores have the
//! conformance suite.

#![allow(dead_code, reason = "each test program uses what it needs")]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "test support"
)]

mod reader;
pub mod sealing;

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use praxis_event_store::append::{
    Append, Calendar, CalendarKind, Claim, CommandRecord, Delta, Layer, PreparedEvent, Span, StreamWrite,
};
use praxis_event_store::judge::{Scrutiny, Verdict, judge, lookup_for};
use praxis_event_store::port::{
    CommitError, Facts, Head, LogTransaction, LogWriter, Lookup, Rows, StoreError, StoredCommand,
    StoredEvent, StoredKey, WriteError,
};
use praxis_events::ids::{LogId, StreamId, StreamType};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use uuid::Uuid;

/// What goes wrong at the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It happens, but the answer is lost.
    AnswerLost,
    /// It does not happen, and the answer is lost.
    RequestLost,
    /// The store is gone before the lock.
    Unavailable,
    /// Another writer holds the head.
    Busy,
    /// A statement is refused for good if it has more than one event.
    RefuseMany,
}

#[derive(Default)]
pub struct Tables {
    pub events: Vec<StoredEvent>,
    pub commands: HashMap<[u8; 32], StoredCommand>,
    pub claims: Vec<Claim>,
    pub spans: Vec<Span>,
    pub keys: Vec<StoredKey>,
    pub clock: i64,
    pub faults: VecDeque<Fault>,
    pub transactions: usize,
    pub key_reads: usize,
    pub head_reads: usize,
    pub keys_unavailable: bool,
}

impl Tables {
    fn head(&self) -> Head {
        Head {
            log_id: LOG,
            epoch: 1,
            position: u64::try_from(self.events.len()).unwrap(),
            recorded_at: self.events.last().map_or(0, |event| event.recorded_at),
            tombstone_position: self
                .keys
                .iter()
                .filter_map(|key| key.destroyed_position)
                .max()
                .unwrap_or(0),
        }
    }

    fn look_up(&self, lookup: &Lookup) -> Facts {
        let mut facts = Facts::default();
        for stream in &lookup.streams {
            let version = self
                .events
                .iter()
                .filter(|event| event.stream_id == *stream)
                .count();
            facts.versions.insert(*stream, u64::try_from(version).unwrap());
        }
        for key in &lookup.commands {
            facts
                .commands
                .extend(self.commands.get(key).map(|command| (*key, *command)));
        }
        for (resource, member) in &lookup.claims {
            let owners = self
                .claims
                .iter()
                .filter(|claim| &claim.resource == resource && &claim.member == member);
            facts.claims.insert(
                (resource.clone(), member.clone()),
                owners.map(|claim| claim.owner).collect(),
            );
        }
        facts.spans = self
            .spans
            .iter()
            .filter(|span| lookup.spans.iter().any(|asked| asked.overlaps(span)))
            .copied()
            .collect();
        let destroyed = self.keys.iter().filter(|key| key.destroyed_position.is_some());
        facts.erased = destroyed
            .map(|key| key.subject_id)
            .filter(|subject| lookup.subjects.contains(subject))
            .collect();
        facts
    }

    /// Counts a question about keys, unless the store is gone.
    fn answer_about_keys(&mut self) -> Result<(), StoreError> {
        self.key_reads += 1;
        if self.keys_unavailable {
            return Err(StoreError::Unavailable("gone".into()));
        }
        Ok(())
    }

    /// Destroys all keys of a person, as an erasure at that position does.
    pub fn destroy_keys_of(&mut self, subject: Uuid, position: u64) {
        for key in self.keys.iter_mut().filter(|key| key.subject_id == subject) {
            key.wrapped_key = None;
            key.destroyed_position = Some(position);
        }
    }

    /// Whether a unique index would refuse the rows: releases go first, as the port promises.
    fn is_violated_by(&self, rows: &Rows) -> bool {
        let stream_version = |event: &StoredEvent| (event.stream_id, event.stream_version);
        let stays = |claim: &Claim| !rows.claims_released.iter().any(|gone| is_row(gone, claim));
        let versions = self.events.iter().chain(&rows.events).map(stream_version);
        let commands = self
            .commands
            .keys()
            .copied()
            .chain(rows.commands.iter().map(|command| command.key));
        let claims = self
            .claims
            .iter()
            .filter(|claim| stays(claim))
            .chain(&rows.claims_taken);
        let claims = claims.map(|claim| (&claim.resource, &claim.member, claim.owner));
        let spans = self
            .spans
            .iter()
            .filter(|span| !rows.spans_released.contains(span));
        has_twins(versions)
            || has_twins(commands)
            || has_twins(claims)
            || has_twins(spans.chain(&rows.spans_taken))
            || has_twins(self.keys.iter().chain(&rows.keys).map(|key| key.key_id))
    }
}

/// Whether both are the row of one primary key.
fn is_row(one: &Claim, other: &Claim) -> bool {
    (&one.resource, &one.member, one.owner) == (&other.resource, &other.member, other.owner)
}

fn has_twins<T: Eq + Hash>(mut items: impl Iterator<Item = T>) -> bool {
    let mut seen = HashSet::new();
    !items.all(|item| seen.insert(item))
}

#[derive(Clone, Default)]
pub struct MemoryLog {
    pub tables: Arc<Mutex<Tables>>,
    head: Arc<AsyncMutex<()>>,
}

pub const LOG: LogId = LogId(Uuid::from_u128(7));

pub struct MemoryTransaction {
    tables: Arc<Mutex<Tables>>,
    head: Head,
    now: i64,
    rows: Rows,
    fault: Option<Fault>,
    _lock: OwnedMutexGuard<()>,
}

#[async_trait]
impl LogWriter for MemoryLog {
    async fn begin(&self) -> Result<Box<dyn LogTransaction>, StoreError> {
        let lock = Arc::clone(&self.head).lock_owned().await;
        let mut tables = self.tables.lock().unwrap();
        tables.transactions += 1;
        let fault = tables.faults.pop_front();
        match fault {
            Some(Fault::Unavailable) => return Err(StoreError::Unavailable("gone".into())),
            Some(Fault::Busy) => return Err(StoreError::Busy),
            _ => {}
        }
        let (head, now) = (tables.head(), tables.clock);
        Ok(Box::new(MemoryTransaction {
            tables: Arc::clone(&self.tables),
            head,
            now,
            rows: Rows::default(),
            fault,
            _lock: lock,
        }))
    }

    async fn reserve_numbers(&self, _counter: &'static str, _count: u32) -> Result<u64, StoreError> {
        Err(StoreError::Unfit("no counters in this fake".to_owned()))
    }
}

#[async_trait]
impl LogTransaction for MemoryTransaction {
    fn head(&self) -> &Head {
        &self.head
    }

    fn now_micros(&self) -> i64 {
        self.now
    }

    async fn look_up(&mut self, lookup: &Lookup) -> Result<Facts, StoreError> {
        Ok(self.tables.lock().unwrap().look_up(lookup))
    }

    async fn write(&mut self, rows: &Rows) -> Result<(), WriteError> {
        let tables = self.tables.lock().unwrap();
        if self.fault == Some(Fault::RefuseMany) && rows.events.len() > 1 {
            return Err(StoreError::Refused("too many".into()).into());
        }
        if tables.is_violated_by(rows) {
            return Err(WriteError::Duplicate);
        }
        drop(tables);
        self.rows = rows.clone();
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), CommitError> {
        let lost = || CommitError::Unknown(StoreError::Unavailable("connection died".into()));
        if self.fault == Some(Fault::RequestLost) {
            return Err(lost());
        }
        let mut tables = self.tables.lock().unwrap();
        tables.events.extend(self.rows.events);
        tables.commands.extend(
            self.rows
                .commands
                .into_iter()
                .map(|command| (command.key, command)),
        );
        tables
            .claims
            .retain(|claim| !self.rows.claims_released.iter().any(|gone| is_row(gone, claim)));
        tables.claims.extend(self.rows.claims_taken);
        tables
            .spans
            .retain(|span| !self.rows.spans_released.contains(span));
        tables.spans.extend(self.rows.spans_taken);
        tables.keys.extend(self.rows.keys);
        if self.fault == Some(Fault::AnswerLost) {
            Err(lost())
        } else {
            Ok(())
        }
    }

    async fn rollback(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Judges and commits a batch as the sequencer does.
pub async fn commit(log: &MemoryLog, batch: &[&Append]) -> Vec<Verdict> {
    let mut transaction = log.begin().await.unwrap();
    let head = transaction.head().clone();
    let now = transaction.now_micros();
    let facts = transaction
        .look_up(&lookup_for(batch, &head, Scrutiny::LookUpAll))
        .await
        .unwrap();
    let judgement = judge(batch, &head, now, facts, Scrutiny::LookUpAll).unwrap();
    transaction.write(&judgement.rows).await.unwrap();
    transaction.commit().await.unwrap();
    judgement.verdicts
}

/// Which members were accepted.
pub fn accepted(verdicts: &[Verdict]) -> Vec<bool> {
    verdicts
        .iter()
        .map(|verdict| matches!(verdict, Verdict::Accepted(_)))
        .collect()
}

pub fn stream(number: u128) -> StreamId {
    StreamId {
        kind: StreamType::Appointment,
        id: Uuid::from_u128(number),
    }
}

/// An append of one event to a stream, under a command key of that number.
pub fn append(key: u8, stream: StreamId, expected_version: u64) -> Append {
    let event = PreparedEvent {
        event_id: Uuid::from_u128(u128::from(key) << 64 | u128::from(expected_version)),
        event_type: "appointment.booked",
        schema_version: 1,
        subject_id: None,
        metadata: b"{}".to_vec(),
        metadata_hash: [1; 32],
        payload: b"{}".to_vec(),
        payload_hash: [2; 32],
    };
    Append {
        command: CommandRecord {
            key: [key; 32],
            request: [key; 33],
            other_requests: Vec::new(),
            answer_id: stream.id,
            version: expected_version,
        },
        writes: vec![StreamWrite {
            stream,
            expected_version,
            events: vec![event],
        }],
        reads: Vec::new(),
        claims: Delta::default(),
        spans: Delta::default(),
        new_keys: Vec::new(),
        subjects: Vec::new(),
        keys_as_of: u64::MAX,
    }
}

pub fn span(calendar: u128, layer: Layer, starts: i64, ends: i64, owner: StreamId) -> Span {
    let calendar = Calendar {
        kind: CalendarKind::Practitioner,
        id: Uuid::from_u128(calendar),
    };
    Span {
        calendar,
        layer,
        starts,
        ends,
        owner: owner.id,
    }
}

pub fn claim(member: &str, capacity: u32, owner: StreamId) -> Claim {
    Claim {
        resource: b"test".to_vec(),
        member: member.as_bytes().to_vec(),
        owner: owner.id,
        capacity,
    }
}
