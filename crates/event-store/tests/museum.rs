//! Are stored rows still read? One row of every event version, as the program of its day wrote it.
//!
//! An exhibit is written once, when its version is the current one, and never edited: one that fails means that stored
//! logs could no longer be read or verified. The code is wrong then, never the exhibit.

mod support;

#[cfg(test)]
mod museum {
    use std::path::PathBuf;
    use std::sync::Arc;

    use praxis_event_store::codec::Codec;
    use praxis_event_store::port::{StoredEvent, StoredKey};
    use praxis_event_store::record::boxes::SealedBox;
    use praxis_event_store::record::keys::{DataKey, Kek, KekRing, KeyOwner};
    use praxis_event_store::record::leaf::{LeafFormat, recomputed_leaf_hash};
    use praxis_event_store::vault::Vault;
    use praxis_events::event::Event;
    use praxis_events::ids::{AccountId, EventId, LogId, StreamId, StreamType, SubjectId};
    use praxis_events::metadata::{Actor, ActorRole, Metadata, Purpose};
    use praxis_events::recorded::RecordedEvent;
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};
    use uuid::Uuid;
    use zeroize::Zeroizing;

    use crate::support::MemoryLog;
    use crate::support::sealing::{Counting, Fixture, fixtures};

    /// Bytes written as hexadecimal digits.
    #[derive(Clone, Serialize, Deserialize)]
    #[serde(try_from = "String", into = "String")]
    struct Hex(Vec<u8>);

    impl TryFrom<String> for Hex {
        type Error = String;

        fn try_from(text: String) -> Result<Self, Self::Error> {
            let digit = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(digit).collect();
            bytes.map(Self).ok_or_else(|| format!("not hexadecimal: {text}"))
        }
    }

    impl From<Hex> for String {
        fn from(Hex(bytes): Hex) -> Self {
            bytes
                .iter()
                .fold(Self::new(), |text, byte| text + &format!("{byte:02x}"))
        }
    }

    /// One row as it stands in a store, the key that opens it, and what it says.
    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Exhibit {
        log_id: Uuid,
        row: Row,
        key: KeyRow,
        /// The key-encryption key.
        kek: Hex,
        /// What the row says, in the words of its own version.
        says: Says,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Row {
        position: u64,
        event_id: Uuid,
        stream_type: String,
        stream_id: Uuid,
        stream_version: u64,
        event_type: String,
        schema_version: u32,
        recorded_at: i64,
        subject_id: Option<Uuid>,
        metadata: Hex,
        payload: Hex,
        leaf_format: u8,
        leaf_hash: Hex,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct KeyRow {
        key_id: Uuid,
        subject_id: Uuid,
        wrapped_key: Hex,
        kek_id: Uuid,
        created_position: u64,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Says {
        metadata: Value,
        document: Value,
    }

    fn folder() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/museum")
    }

    fn file_name(fixture: &Fixture) -> String {
        format!("{}.v{}.json", fixture.event_type.name, fixture.version)
    }

    fn load(file: &str) -> Option<Exhibit> {
        let text = std::fs::read_to_string(folder().join(file)).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    fn exhibits() -> Vec<(String, Exhibit)> {
        let files = std::fs::read_dir(folder()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.map(|name| (name.clone(), load(&name).unwrap())).collect()
    }

    impl Exhibit {
        fn row(&self) -> StoredEvent {
            let row = &self.row;
            StoredEvent {
                position: row.position,
                event_id: row.event_id,
                stream_type: row.stream_type.clone(),
                stream_id: row.stream_id,
                stream_version: row.stream_version,
                event_type: row.event_type.clone(),
                schema_version: row.schema_version,
                recorded_at: row.recorded_at,
                subject_id: row.subject_id,
                metadata: row.metadata.0.clone(),
                payload: row.payload.0.clone(),
                leaf_format: row.leaf_format,
                leaf_hash: row.leaf_hash.0.clone().try_into().unwrap(),
            }
        }

        fn key(&self) -> StoredKey {
            StoredKey {
                key_id: self.key.key_id,
                subject_id: self.key.subject_id,
                wrapped_key: Some(self.key.wrapped_key.0.clone()),
                kek_id: self.key.kek_id,
                created_position: self.key.created_position,
                destroyed_position: None,
            }
        }

        /// The row, read by the program of today from a store that holds only its key.
        async fn read(&self, key: StoredKey) -> RecordedEvent {
            let log = MemoryLog::default();
            log.tables.lock().unwrap().keys.push(key);
            let ring = ring(self.key.kek_id, &self.kek.0);
            let codec = codec(LogId(self.log_id), &log, ring);
            codec.decode(&[self.row()]).await.unwrap().remove(0).unwrap()
        }

        fn said(&self) -> Event {
            self.said_with(self.says.document.clone())
        }

        fn said_with(&self, document: Value) -> Event {
            let kind = StreamType::from_name(&self.row.stream_type).unwrap();
            Event::from_document(kind, &self.row.event_type, self.row.schema_version, document).unwrap()
        }
    }

    fn ring(kek_id: Uuid, kek: &[u8]) -> KekRing {
        KekRing::try_new(Kek::try_new(kek_id, kek).unwrap(), Vec::new()).unwrap()
    }

    fn codec(log_id: LogId, log: &MemoryLog, ring: KekRing) -> Codec {
        let random = Arc::new(Counting::default());
        Codec::new(Arc::new(Vault::new(
            log_id,
            Arc::new(log.clone()),
            ring,
            random,
            Uuid::nil,
        )))
    }

    /// The exhibit of a version that is current: its row as this program writes it.
    fn written_today(number: u64, fixture: &Fixture) -> Exhibit {
        let id = |kind: u128| {
            Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | kind << 32 | u128::from(number))
        };
        let (log_id, subject, key_id, kek_id) = (id(1), SubjectId(id(2)), id(3), id(4));
        let secret = |of: u8| [of ^ u8::try_from(number).unwrap(); 32];
        let kek = secret(0x5a);
        let key = DataKey::new(key_id, Zeroizing::new(secret(0xa5)));
        let owner = KeyOwner {
            subject_id: subject.0,
            log_id,
        };
        let wrapped = ring(kek_id, &kek)
            .wrap_key(owner, &key, &Counting::default())
            .unwrap();
        let metadata = Metadata {
            event_id: EventId(id(5)),
            actor: Actor {
                account_id: AccountId(id(6)),
                role: ActorRole::Doctor,
                on_behalf_of: Some(AccountId(id(7))),
            },
            purpose: Purpose::Treat,
            correlation_id: id(8),
            causation_id: Some(EventId(id(9))),
            trace_id: Some("0af7651916cd43dd8448eb211c80319c".to_owned()),
            span_id: Some("b7ad6b7169203331".to_owned()),
            reason_code: Some("pat".to_owned()),
            occurred_at: Some("2026-11-02T08:30:00Z".parse().unwrap()),
        };
        let stream = StreamId {
            kind: fixture.kind,
            id: id(10),
        };
        let codec = codec(LogId(log_id), &MemoryLog::default(), ring(kek_id, &kek));
        // A location is nobody's.
        let subject_id = (fixture.kind != StreamType::Location).then_some(subject);
        let event = codec
            .encode(stream, &fixture.event(), &metadata, subject_id, Some(&key))
            .unwrap();
        let mut row = StoredEvent {
            position: 1_000 + number,
            event_id: event.event_id,
            stream_type: stream.kind.name().to_owned(),
            stream_id: stream.id,
            stream_version: number,
            event_type: event.event_type.to_owned(),
            schema_version: event.schema_version,
            recorded_at: 1_793_610_000_123_456,
            subject_id: event.subject_id,
            metadata: event.metadata,
            payload: event.payload,
            leaf_format: LeafFormat::CURRENT.byte(),
            leaf_hash: [0; 32],
        };
        row.leaf_hash = recomputed_leaf_hash(log_id, &row).unwrap();
        Exhibit {
            log_id,
            key: KeyRow {
                key_id,
                subject_id: subject.0,
                wrapped_key: Hex(wrapped.bytes),
                kek_id: wrapped.kek_id,
                created_position: row.position,
            },
            kek: Hex(kek.to_vec()),
            says: Says {
                metadata: serde_json::to_value(&metadata).unwrap(),
                document: fixture.document.clone(),
            },
            row: Row {
                position: row.position,
                event_id: row.event_id,
                stream_type: row.stream_type,
                stream_id: row.stream_id,
                stream_version: row.stream_version,
                event_type: row.event_type,
                schema_version: row.schema_version,
                recorded_at: row.recorded_at,
                subject_id: row.subject_id,
                metadata: Hex(row.metadata),
                payload: Hex(row.payload),
                leaf_format: row.leaf_format,
                leaf_hash: Hex(row.leaf_hash.to_vec()),
            },
        }
    }

    #[test]
    fn every_version_ever_written_has_an_exhibit() {
        for (number, fixture) in (1..).zip(fixtures()) {
            let file = file_name(&fixture);
            if load(&file).is_none() {
                assert_eq!(
                    fixture.version, fixture.event_type.schema_version,
                    "{file} had to be made when its version was current"
                );
                let exhibit = serde_json::to_string_pretty(&written_today(number, &fixture)).unwrap();
                std::fs::write(folder().join(&file), exhibit + "\n").unwrap();
                panic!("wrote {file}: look at it and check it in");
            }
        }
    }

    #[test]
    fn every_exhibit_is_of_the_type_and_version_its_name_says() {
        for (name, exhibit) in exhibits() {
            let row = &exhibit.row;
            assert_eq!(name, format!("{}.v{}.json", row.event_type, row.schema_version));
        }
    }

    #[tokio::test]
    async fn every_exhibit_is_read_as_it_was_written() {
        for (name, exhibit) in exhibits() {
            let read = exhibit.read(exhibit.key()).await;
            assert_eq!(read.event, exhibit.said(), "{name}");
            let metadata: Metadata = serde_json::from_value(exhibit.says.metadata.clone()).unwrap();
            assert_eq!(read.metadata, metadata, "{name}");
            assert_eq!(read.position, exhibit.row.position, "{name}");
            assert_eq!(
                read.recorded_at.timestamp_micros(),
                exhibit.row.recorded_at,
                "{name}"
            );
            assert_eq!(
                read.subject_id.map(|subject| subject.0),
                exhibit.row.subject_id,
                "{name}"
            );
        }
    }

    #[tokio::test]
    async fn every_exhibit_is_read_after_an_erasure() {
        for (name, exhibit) in exhibits() {
            let erased_key = StoredKey {
                wrapped_key: None,
                destroyed_position: Some(2_000),
                ..exhibit.key()
            };
            let payload: Value = serde_json::from_slice(&exhibit.row.payload.0).unwrap();
            let mut document = exhibit.says.document.clone();
            for (field, group) in document.as_object_mut().unwrap() {
                let stored = payload[field].as_str().unwrap_or_default();
                if SealedBox::try_from_text(stored).is_ok() {
                    *group = json!("erased");
                }
            }
            let read = exhibit.read(erased_key).await;
            assert_eq!(read.event, exhibit.said_with(document), "{name}");
        }
    }

    #[test]
    fn every_exhibit_has_the_leaf_hash_it_was_stored_with() {
        for (name, exhibit) in exhibits() {
            let row = exhibit.row();
            assert_eq!(
                recomputed_leaf_hash(exhibit.log_id, &row),
                Ok(row.leaf_hash),
                "{name}"
            );
        }
    }
}
