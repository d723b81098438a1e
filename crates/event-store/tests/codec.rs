//! How an event becomes its stored bytes and comes back, and what is said of one that cannot be read.

mod support;

#[cfg(test)]
mod reading {
    use std::collections::HashSet;
    use std::sync::Arc;

    use praxis_event_store::codec::{DecodeFault, EncodeError};
    use praxis_event_store::port::{StoreError, StoredEvent};
    use praxis_event_store::record::boxes::SealedBox;
    use praxis_event_store::record::keys::UnwrapError;
    use praxis_event_store::record::leaf::recomputed_leaf_hash;
    use praxis_event_store::vault::VaultError;
    use praxis_events::event::Event;
    use praxis_events::ids::{StreamId, StreamType};
    use praxis_events::recorded::RecordedEvent;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use crate::support::sealing::{
        Fixture, KEK_ID, PERSON, fixture, fixtures, keys_of, metadata, process, process_with, ring,
        sealed_by_hand, write, write_prepared,
    };
    use crate::support::{LOG, MemoryLog};

    /// Reads one row in a process of its own.
    async fn read(log: &MemoryLog, row: &StoredEvent) -> Result<RecordedEvent, DecodeFault> {
        let mut read = process(log).decode(std::slice::from_ref(row)).await.unwrap();
        assert_eq!(read.len(), 1);
        read.remove(0)
    }

    async fn write_alone(fixture: &Fixture) -> (MemoryLog, StoredEvent) {
        let log = MemoryLog::default();
        let row = write(&log, &process(&log), &fixture.event(), 1).await;
        (log, row)
    }

    fn payload(row: &StoredEvent) -> Value {
        serde_json::from_slice(&row.payload).unwrap()
    }

    fn with_payload(row: &StoredEvent, change: impl FnOnce(&mut Value)) -> StoredEvent {
        let mut document = payload(row);
        change(&mut document);
        StoredEvent {
            payload: serde_json::to_vec(&document).unwrap(),
            ..row.clone()
        }
    }

    fn current() -> impl Iterator<Item = Fixture> {
        fixtures()
            .into_iter()
            .filter(|one| one.version == one.event_type.schema_version)
    }

    fn texts_in(value: &Value, found: &mut HashSet<String>) {
        match value {
            Value::String(text) => {
                found.insert(text.clone());
            }
            Value::Array(items) => items.iter().for_each(|item| texts_in(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| texts_in(field, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn contains(bytes: &[u8], text: &str) -> bool {
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }

    #[tokio::test]
    async fn an_event_of_every_type_comes_back_as_it_was_written() {
        let log = MemoryLog::default();
        let writer = process(&log);
        let mut rows = Vec::new();
        for (number, fixture) in (1..).zip(current()) {
            rows.push(write(&log, &writer, &fixture.event(), number).await);
        }
        let read = process(&log).decode(&rows).await.unwrap();
        assert_eq!(read.len(), rows.len());
        for ((fixture, row), read) in current().zip(&rows).zip(read) {
            let read = read.unwrap();
            let name = fixture.event_type.name;
            assert_eq!(read.event, fixture.event(), "{name}");
            assert_eq!(read.metadata, metadata(row.event_id.as_u128()), "{name}");
            assert_eq!((read.position, read.stream_version), (row.position, 1), "{name}");
            assert_eq!(
                (read.stream.kind, read.subject_id),
                (fixture.kind, Some(PERSON)),
                "{name}"
            );
            assert_eq!(recomputed_leaf_hash(LOG.0, row), Ok(row.leaf_hash), "{name}");
        }
    }

    #[tokio::test]
    async fn sealed_groups_are_stored_as_boxes_and_nothing_of_them_can_be_read() {
        for fixture in current() {
            let (log, row) = write_alone(&fixture).await;
            let stored = payload(&row);
            let key_id = log.tables.lock().unwrap().keys[0].key_id;
            for (field, value) in fixture.document.as_object().unwrap() {
                if fixture.event_type.sealed.contains(&field.as_str()) {
                    let sealed = SealedBox::try_from_text(stored[field].as_str().unwrap()).unwrap();
                    assert_eq!(sealed.key_id(), key_id, "{field}");
                    let mut secrets = HashSet::new();
                    texts_in(value, &mut secrets);
                    // Shorter ones may occur in a box's text by chance.
                    for secret in secrets.iter().filter(|secret| secret.len() > 4) {
                        assert!(!contains(&row.payload, secret), "{secret} in the payload");
                        assert!(!contains(&row.metadata, secret), "{secret} in the metadata");
                    }
                } else {
                    assert_eq!(&stored[field], value, "{field} is open");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_group_that_is_absent_stays_absent() {
        for fixture in current() {
            let optional = |field: &&&str| {
                let mut without = fixture.document.clone();
                without.as_object_mut().unwrap().remove(**field);
                Event::from_document(fixture.kind, fixture.event_type.name, fixture.version, without).is_ok()
            };
            for field in fixture.event_type.sealed.iter().filter(optional) {
                let mut without = fixture.clone();
                without.document.as_object_mut().unwrap().remove(*field);
                let (log, row) = write_alone(&without).await;
                assert_eq!(payload(&row).get(field), None);
                let read = read(&log, &row).await.unwrap();
                assert_eq!(read.event.to_document().unwrap(), without.document);
            }
        }
    }

    #[tokio::test]
    async fn an_event_of_an_older_version_opens_under_it_and_is_lifted() {
        let old = fixture("practitioner.registered", 1);
        let log = MemoryLog::default();
        let writer = process(&log);
        let keys = keys_of(&writer, PERSON).await;
        let stream = StreamId {
            kind: StreamType::Practitioner,
            id: Uuid::from_u128(1),
        };
        let version = (old.event_type, 1);
        let event = sealed_by_hand(stream, version, &old.document, 1, &keys.by_subject[&PERSON.0]);
        let row = write_prepared(&log, &writer, stream, event, &keys).await;
        let opened = read(&log, &row).await.unwrap().event.to_document().unwrap();
        assert_eq!(opened["specialities"], json!([old.document["speciality"]]));
        assert_eq!(opened["profile"], old.document["profile"]);
        // Its version is part of what the boxes are bound to.
        let lifted_in_place = StoredEvent {
            schema_version: 2,
            ..row
        };
        assert_eq!(read(&log, &lifted_in_place).await, Err(DecodeFault::Box));
    }

    #[tokio::test]
    async fn after_an_erasure_every_group_is_erased_and_every_open_field_stays() {
        for fixture in current() {
            let (log, row) = write_alone(&fixture).await;
            log.tables.lock().unwrap().destroy_keys_of(PERSON.0, 2);
            let mut erased = fixture.document.clone();
            for field in fixture.event_type.sealed {
                erased[*field] = json!("erased");
            }
            let read = read(&log, &row).await.unwrap();
            assert_eq!(read.event.to_document().unwrap(), erased);
        }
    }

    #[tokio::test]
    async fn a_key_that_is_missing_or_damaged_without_an_erasure_is_a_fault() {
        let (log, row) = write_alone(&fixture("thread.message-sent", 1)).await;
        let stored = log.tables.lock().unwrap().keys.clone();
        let mut damaged = stored.clone();
        damaged[0].wrapped_key.as_mut().unwrap()[30] ^= 1;
        let mut emptied = stored.clone();
        emptied[0].wrapped_key = None;
        let mut anothers = stored.clone();
        anothers[0].subject_id = Uuid::from_u128(0xeee);
        for keys in [Vec::new(), damaged, emptied, anothers] {
            log.tables.lock().unwrap().keys = keys;
            assert_eq!(read(&log, &row).await, Err(DecodeFault::Key));
        }
        log.tables.lock().unwrap().keys = stored;
        assert!(read(&log, &row).await.is_ok());
    }

    #[tokio::test]
    async fn a_process_without_the_wrapping_key_or_the_store_stops_instead_of_blaming_the_event() {
        let (log, row) = write_alone(&fixture("thread.message-sent", 1)).await;
        let rows = [row];
        let elsewhere = process_with(&log, ring(Uuid::from_u128(1)));
        let outcome = elsewhere.decode(&rows).await;
        let Err(VaultError::Unusable(UnwrapError::UnknownKek { kek_id })) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(kek_id, KEK_ID);
        log.tables.lock().unwrap().keys_unavailable = true;
        let outcome = process(&log).decode(&rows).await;
        assert!(matches!(
            outcome,
            Err(VaultError::Store(StoreError::Unavailable(_)))
        ));
    }

    #[tokio::test]
    async fn events_without_boxes_need_no_key() {
        let (log, row) = write_alone(&fixture("patient.deactivated", 1)).await;
        log.tables.lock().unwrap().keys_unavailable = true;
        assert!(read(&log, &row).await.is_ok());
    }

    #[tokio::test]
    async fn a_changed_box_does_not_open() {
        let (log, row) = write_alone(&fixture("thread.message-sent", 1)).await;
        let sealed = SealedBox::try_from_text(payload(&row)["body"].as_str().unwrap()).unwrap();
        let len = sealed.as_bytes().len();
        // One byte of nonce, commitment, ciphertext and tag.
        for index in [20, 40, 61, len - 1] {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[index] ^= 1;
            let text = SealedBox::try_from_bytes(bytes).unwrap().to_text();
            let changed = with_payload(&row, |document| document["body"] = json!(text));
            assert_eq!(read(&log, &changed).await, Err(DecodeFault::Box), "byte {index}");
        }
        for text in ["", "no box", &sealed.to_text()[..100]] {
            let changed = with_payload(&row, |document| document["body"] = json!(text));
            assert_eq!(read(&log, &changed).await, Err(DecodeFault::Box), "{text}");
        }
    }

    #[tokio::test]
    async fn a_box_opens_nowhere_but_in_its_place() {
        let log = MemoryLog::default();
        let writer = process(&log);
        let sent = fixture("thread.message-sent", 1).event();
        let one = write(&log, &writer, &sent, 1).await;
        let other = write(&log, &writer, &sent, 2).await;
        let moved = with_payload(&one, |document| {
            document["body"] = payload(&other)["body"].clone();
        });
        assert_eq!(
            read(&log, &moved).await,
            Err(DecodeFault::Box),
            "to another event"
        );
        let moved = StoredEvent {
            stream_id: other.stream_id,
            ..one.clone()
        };
        assert_eq!(
            read(&log, &moved).await,
            Err(DecodeFault::Box),
            "to another stream"
        );
        let registered = write(&log, &writer, &fixture("patient.registered", 1).event(), 3).await;
        let moved = with_payload(&registered, |document| {
            let demographics = document["demographics"].clone();
            document["demographics"] = std::mem::replace(&mut document["contact"], demographics);
        });
        assert_eq!(
            read(&log, &moved).await,
            Err(DecodeFault::Box),
            "to another label"
        );
        assert!(read(&log, &one).await.is_ok() && read(&log, &registered).await.is_ok());
    }

    #[tokio::test]
    async fn what_a_newer_version_wrote_is_said_to_be_newer() {
        let (log, row) = write_alone(&fixture("thread.message-sent", 1)).await;
        let newer = StoredEvent {
            schema_version: 2,
            ..row.clone()
        };
        // Whatever it made of the fields: this version knows nothing of them.
        let open_now = with_payload(&newer, |document| document["body"] = json!({ "lines": [] }));
        let unknown_type = StoredEvent {
            event_type: "thread.closed".to_owned(),
            ..row.clone()
        };
        let unknown_stream = StoredEvent {
            stream_type: "invoice".to_owned(),
            ..row.clone()
        };
        let mut format_2 = SealedBox::try_from_text(payload(&row)["body"].as_str().unwrap())
            .unwrap()
            .as_bytes()
            .to_vec();
        format_2[0] = 2;
        let text = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, format_2);
        let unknown_box = with_payload(&row, |document| document["body"] = json!(text));
        let rows = [newer, open_now, unknown_type, unknown_stream, unknown_box];
        for (index, row) in rows.iter().enumerate() {
            assert_eq!(
                read(&log, row).await,
                Err(DecodeFault::NewerVersion),
                "row {index}"
            );
        }
    }

    #[tokio::test]
    async fn what_has_not_the_shape_of_its_type_is_said_to_be_so() {
        let (log, row) = write_alone(&fixture("thread.message-sent", 1)).await;
        let payload_of = |bytes: &[u8]| StoredEvent {
            payload: bytes.to_vec(),
            ..row.clone()
        };
        let metadata_of = |bytes: &[u8]| StoredEvent {
            metadata: bytes.to_vec(),
            ..row.clone()
        };
        let rows = [
            payload_of(b"{"),
            payload_of(b"[]"),
            payload_of(b"{}"),
            payload_of(&[0xff]),
            with_payload(&row, |document| document["body"] = json!({ "value": "clear" })),
            with_payload(&row, |document| document["author"] = json!(7)),
            metadata_of(b"{}"),
            metadata_of(b"null"),
            StoredEvent {
                recorded_at: i64::MAX,
                ..row.clone()
            },
        ];
        for (index, row) in rows.iter().enumerate() {
            assert_eq!(read(&log, row).await, Err(DecodeFault::Shape), "row {index}");
        }
    }

    #[tokio::test]
    async fn an_event_that_cannot_be_read_spoils_no_other() {
        let log = MemoryLog::default();
        let writer = process(&log);
        let sent = fixture("thread.message-sent", 1).event();
        let mut rows = Vec::new();
        for number in 1..=3 {
            rows.push(write(&log, &writer, &sent, number).await);
        }
        rows[1].payload = b"{".to_vec();
        let read = process(&log).decode(&rows).await.unwrap();
        assert_eq!(read[1], Err(DecodeFault::Shape));
        let positions = [&read[0], &read[2]].map(|read| read.as_ref().unwrap().position);
        assert_eq!(positions, [1, 3]);
    }

    #[test]
    fn faults_have_stable_codes() {
        let codes = [
            DecodeFault::NewerVersion,
            DecodeFault::Shape,
            DecodeFault::Box,
            DecodeFault::Key,
        ]
        .map(DecodeFault::code);
        assert_eq!(codes, ["newer-version", "shape", "box", "key"]);
    }

    #[tokio::test]
    async fn nothing_is_sealed_without_a_key_and_what_was_erased_is_not_written_again() {
        let writer = process(&MemoryLog::default());
        let keys = keys_of(&writer, PERSON).await;
        let encode = |document: &Value, key| {
            let event = Event::from_document(StreamType::Thread, "thread.message-sent", 1, document.clone());
            let stream = StreamId {
                kind: StreamType::Thread,
                id: Uuid::from_u128(1),
            };
            writer.encode(stream, &event.unwrap(), &metadata(1), Some(PERSON), key)
        };
        let mut document = fixture("thread.message-sent", 1).document;
        let key = keys.by_subject.get(&PERSON.0).map(Arc::as_ref);
        assert!(encode(&document, key).is_ok());
        let refused = encode(&document, None);
        assert!(
            matches!(refused, Err(EncodeError::NoKey { field: "body" })),
            "{refused:?}"
        );
        document["body"] = json!("erased");
        let refused = encode(&document, key);
        assert!(
            matches!(refused, Err(EncodeError::Erased { field: "body" })),
            "{refused:?}"
        );
    }
}
