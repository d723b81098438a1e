//! Persons, their keys, and events sealed for them: reproducible, and all invented.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use praxis_event_store::append::{Append, CommandRecord, Delta, PreparedEvent, StreamWrite};
use praxis_event_store::codec::Codec;
use praxis_event_store::judge::Verdict;
use praxis_event_store::port::StoredEvent;
use praxis_event_store::record::boxes::{self, BoxPlace};
use praxis_event_store::record::hash::sha256;
use praxis_event_store::record::keys::{DataKey, Kek, KekRing};
use praxis_event_store::record::names::RecordName;
use praxis_event_store::record::random::{RandomSource, RandomUnavailable};
use praxis_event_store::vault::{SealingKeys, Vault};
use praxis_events::event::{Event, EventType};
use praxis_events::ids::{AccountId, EventId, StreamId, StreamType, SubjectId};
use praxis_events::metadata::{Actor, ActorRole, Metadata, Purpose};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{LOG, MemoryLog, commit};

pub const PERSON: SubjectId = SubjectId(Uuid::from_u128(0xada));
pub const KEK_ID: Uuid = Uuid::from_u128(0x6b65_6b01);

/// Gives other bytes at every call, the same ones in every run.
#[derive(Default)]
pub struct Counting(AtomicU64);

impl RandomSource for Counting {
    fn fill(&self, dest: &mut [u8]) -> Result<(), RandomUnavailable> {
        let call = self.0.fetch_add(1, Ordering::Relaxed);
        dest.copy_from_slice(&sha256(&call.to_be_bytes())[..dest.len()]);
        Ok(())
    }
}

/// A ring of one key-encryption key, of that id.
pub fn ring(kek_id: Uuid) -> KekRing {
    KekRing::try_new(Kek::try_new(kek_id, &[0x4b; 32]).unwrap(), Vec::new()).unwrap()
}

fn new_key_id() -> Uuid {
    static MADE: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(u128::from(MADE.fetch_add(1, Ordering::Relaxed)) << 64)
}

/// A process over that log, its caches empty.
pub fn process(log: &MemoryLog) -> Codec {
    process_with(log, ring(KEK_ID))
}

pub fn process_with(log: &MemoryLog, ring: KekRing) -> Codec {
    let random = Arc::new(Counting::default());
    Codec::new(Arc::new(Vault::new(
        LOG,
        Arc::new(log.clone()),
        ring,
        random,
        new_key_id,
    )))
}

pub fn metadata(event_id: u128) -> Metadata {
    Metadata {
        event_id: EventId(Uuid::from_u128(event_id)),
        actor: Actor {
            account_id: AccountId(Uuid::from_u128(0xacc)),
            role: ActorRole::Staff,
            on_behalf_of: None,
        },
        purpose: Purpose::Hoperat,
        correlation_id: Uuid::from_u128(0xc0),
        causation_id: None,
        trace_id: None,
        span_id: None,
        reason_code: None,
        occurred_at: None,
    }
}

/// The keys with which that process seals for a person now.
pub async fn keys_of(process: &Codec, subject: SubjectId) -> SealingKeys {
    process
        .vault()
        .sealing_keys(&HashSet::from([subject.0]))
        .await
        .unwrap()
}

/// An append of one prepared event to a new stream.
pub fn append_of(stream: StreamId, event: PreparedEvent, keys: &SealingKeys) -> Append {
    Append {
        command: CommandRecord {
            key: sha256(event.event_id.as_bytes()),
            request: [1; 33],
            other_requests: Vec::new(),
            answer_id: stream.id,
            version: 0,
        },
        writes: vec![StreamWrite {
            stream,
            expected_version: 0,
            events: vec![event],
        }],
        reads: Vec::new(),
        claims: Delta::default(),
        spans: Delta::default(),
        new_keys: keys.new_keys.clone(),
        subjects: keys.by_subject.keys().copied().collect(),
        keys_as_of: keys.as_of,
    }
}

/// Seals an event for [`PERSON`]. Its stream and its id are of that number.
pub fn prepared(
    process: &Codec,
    event: &Event,
    number: u128,
    keys: &SealingKeys,
) -> (StreamId, PreparedEvent) {
    let stream = StreamId {
        kind: event.stream_type(),
        id: Uuid::from_u128(number),
    };
    let key = keys.by_subject.get(&PERSON.0).map(Arc::as_ref);
    let event = process
        .encode(stream, event, &metadata(number), Some(PERSON), key)
        .unwrap();
    (stream, event)
}

/// Seals an event for [`PERSON`], appends it, and answers its row.
pub async fn write(log: &MemoryLog, process: &Codec, event: &Event, number: u128) -> StoredEvent {
    let keys = keys_of(process, PERSON).await;
    let (stream, event) = prepared(process, event, number, &keys);
    write_prepared(log, process, stream, event, &keys).await
}

pub async fn write_prepared(
    log: &MemoryLog,
    process: &Codec,
    stream: StreamId,
    event: PreparedEvent,
    keys: &SealingKeys,
) -> StoredEvent {
    let verdicts = commit(log, &[&append_of(stream, event, keys)]).await;
    assert!(matches!(verdicts[..], [Verdict::Accepted(_)]), "{verdicts:?}");
    process.vault().keep(keys);
    log.tables.lock().unwrap().events.last().unwrap().clone()
}

/// A document of any version, sealed as that version sealed it, without the codec.
pub fn sealed_by_hand(
    stream: StreamId,
    (event_type, version): (&'static EventType, u32),
    document: &Value,
    event_id: u128,
    key: &DataKey,
) -> PreparedEvent {
    let random = Counting::default();
    let mut fields: Map<String, Value> = document.as_object().unwrap().clone();
    for label in event_type.sealed {
        let Some(group) = fields.get_mut(*label) else {
            continue;
        };
        let place = BoxPlace {
            log_id: LOG.0,
            event_id: Uuid::from_u128(event_id),
            stream_id: stream.id,
            stored_type: RecordName::try_new(event_type.name).unwrap(),
            schema_version: version,
            label: RecordName::try_new(label).unwrap(),
        };
        let plain = serde_json::to_vec(&group["value"]).unwrap();
        *group = Value::String(boxes::seal(&place, key, &plain, &random).unwrap().to_text());
    }
    let payload = serde_json::to_vec(&Value::Object(fields)).unwrap();
    let metadata = serde_json::to_vec(&metadata(event_id)).unwrap();
    PreparedEvent {
        event_id: Uuid::from_u128(event_id),
        event_type: event_type.name,
        schema_version: version,
        subject_id: Some(PERSON.0),
        metadata_hash: sha256(&metadata),
        metadata,
        payload_hash: sha256(&payload),
        payload,
    }
}

/// The readable document of an event version, as the contract's fixtures have it.
#[derive(Clone, Debug)]
pub struct Fixture {
    pub kind: StreamType,
    pub event_type: &'static EventType,
    pub version: u32,
    pub document: Value,
}

impl Fixture {
    /// The event it means today.
    pub fn event(&self) -> Event {
        Event::from_document(
            self.kind,
            self.event_type.name,
            self.version,
            self.document.clone(),
        )
        .unwrap()
    }
}

/// Every version of every type.
pub fn fixtures() -> Vec<Fixture> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/fixtures");
    let types = StreamType::ALL
        .into_iter()
        .flat_map(|kind| Event::types(kind).iter().map(move |known| (kind, known)));
    types
        .flat_map(|(kind, event_type)| {
            (1..=event_type.schema_version).map(move |version| (kind, event_type, version))
        })
        .map(|(kind, event_type, version)| {
            let path = folder.join(format!("{}.v{version}.json", event_type.name));
            let document = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            Fixture {
                kind,
                event_type,
                version,
                document,
            }
        })
        .collect()
}

pub fn fixture(name: &str, version: u32) -> Fixture {
    let mut fixtures = fixtures().into_iter();
    fixtures
        .find(|one| one.event_type.name == name && one.version == version)
        .unwrap()
}
