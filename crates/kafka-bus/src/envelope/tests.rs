//! What is written can be read back, and what is not ours cannot.

use super::*;

const PARTITIONS: NonZeroU32 = NonZeroU32::MIN;
const METADATA: &str = r#"{"event_id":"0192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1b","purpose":"TREAT"}"#;

fn event() -> StoredEvent {
    StoredEvent {
        position: u64::MAX,
        event_id: Uuid::from_u128(1),
        stream_type: "patient".to_owned(),
        stream_id: Uuid::from_u128(2),
        stream_version: 3,
        event_type: "patient.registered".to_owned(),
        schema_version: 4,
        recorded_at: 1_700_000_000_123_456,
        subject_id: Some(Uuid::from_u128(5)),
        metadata: METADATA.as_bytes().to_vec(),
        payload: br#"{"name":"marker-6f1c"}"#.to_vec(),
        leaf_format: 1,
        leaf_hash: [7; 32],
    }
}

fn message(content: BusContent) -> BusMessage {
    BusMessage {
        partition: 0,
        life: LogLife {
            log_id: LogId(Uuid::from_u128(9)),
            epoch: 2,
        },
        prev: 41,
        content,
    }
}

fn watermark() -> BusMessage {
    message(BusContent::Watermark {
        position: 42,
        leaf_hash: [8; 32],
    })
}

fn read(message: &BusMessage, headers: &Headers) -> Result<BusMessage, Unreadable> {
    let headers: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    open(
        Arrived {
            partition: 0,
            headers: &headers,
            value: value(message),
        },
        PARTITIONS,
    )
}

fn round_trip(message: &BusMessage) -> BusMessage {
    read(message, &headers(message, PARTITIONS)).expect("what was written can be read")
}

#[test]
fn an_event_comes_back_in_every_column() {
    let sent = message(BusContent::Event(Box::new(event())));
    assert_eq!(round_trip(&sent), sent);
    let sent = message(BusContent::Event(Box::new(StoredEvent {
        subject_id: None,
        recorded_at: -1,
        ..event()
    })));
    assert_eq!(round_trip(&sent), sent);
}

#[test]
fn bytes_that_are_no_json_come_back_as_they_were() {
    let odd = StoredEvent {
        metadata: vec![0, 255, 10],
        payload: vec![255, 0],
        ..event()
    };
    let sent = message(BusContent::Event(Box::new(odd)));
    assert_eq!(round_trip(&sent), sent);
}

#[test]
fn a_watermark_comes_back_and_has_neither_key_nor_value() {
    let sent = watermark();
    assert_eq!(round_trip(&sent), sent);
    assert_eq!((key(&sent), value(&sent).len()), (None, 0));
}

#[test]
fn an_event_is_a_cloud_event() {
    let sent = message(BusContent::Event(Box::new(event())));
    let headers = headers(&sent, PARTITIONS);
    let of = |name: &str| {
        headers
            .iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(of("ce_specversion"), Some("1.0"));
    assert_eq!(of("ce_id"), Some("00000000-0000-0000-0000-000000000001"));
    assert_eq!(
        of("ce_source"),
        Some("urn:uuid:00000000-0000-0000-0000-000000000009")
    );
    assert_eq!(of("ce_type"), Some("patient.registered"));
    assert_eq!(of("ce_subject"), Some("00000000-0000-0000-0000-000000000002"));
    assert_eq!(of("ce_time"), Some("2023-11-14T22:13:20.123456Z"));
    assert_eq!(of("content-type"), Some("application/json"));
    assert_eq!(key(&sent).as_deref(), of("ce_subject"));
    for (name, _) in &headers {
        let attribute = name.strip_prefix("ce_").unwrap_or("contenttype");
        assert!(
            attribute
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()),
            "{name}"
        );
    }
}

#[test]
fn every_header_written_is_in_the_list_and_written_once() {
    let traced = br#"{"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331"}"#;
    let full = StoredEvent {
        metadata: traced.to_vec(),
        ..event()
    };
    let sent = message(BusContent::Event(Box::new(full)));
    let mut names: Vec<&str> = headers(&sent, PARTITIONS).iter().map(|(name, _)| *name).collect();
    let mut all = header::ALL.to_vec();
    names.sort_unstable();
    all.sort_unstable();
    assert_eq!(names, all);
    assert!(
        headers(&watermark(), PARTITIONS)
            .iter()
            .all(|(name, _)| all.contains(name))
    );
}

#[test]
fn no_header_holds_a_value_of_the_payload() {
    let sent = message(BusContent::Event(Box::new(event())));
    for (name, value) in headers(&sent, PARTITIONS) {
        let decoded = URL_SAFE_NO_PAD.decode(&value).unwrap_or_default();
        assert!(!value.contains("marker-6f1c"), "{name}");
        assert!(
            !String::from_utf8_lossy(&decoded).contains("marker-6f1c"),
            "{name}"
        );
    }
}

#[test]
fn trace_ids_become_a_traceparent_only_when_both_are_well_formed() {
    let of = |metadata: &str| traceparent(metadata.as_bytes());
    let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    assert_eq!(
        of(&format!(r#"{{"x":1,"trace_id":"{trace}","span_id":"{span}"}}"#)),
        Some(format!("00-{trace}-{span}-01"))
    );
    for metadata in [
        format!(r#"{{"trace_id":"{trace}"}}"#),
        format!(r#"{{"span_id":"{span}"}}"#),
        format!(r#"{{"trace_id":"{}","span_id":"{span}"}}"#, trace.to_uppercase()),
        format!(r#"{{"trace_id":"{trace}0","span_id":"{span}"}}"#),
        "no json".to_owned(),
    ] {
        assert_eq!(of(&metadata), None, "{metadata}");
    }
}

#[test]
fn a_message_without_any_one_of_its_necessary_headers_is_unreadable() {
    let optional = [
        header::SOURCE,
        header::TIME,
        header::CONTENT_TYPE,
        header::SUBJECT_ID,
        header::TRACEPARENT,
    ];
    for sent in [message(BusContent::Event(Box::new(event()))), watermark()] {
        let whole = headers(&sent, PARTITIONS);
        let is_event = matches!(sent.content, BusContent::Event(_));
        for missing in 0..whole.len() {
            let name = whole[missing].0;
            let mut rest = whole.clone();
            rest.remove(missing);
            if optional.contains(&name) || (name == header::ID && !is_event) {
                assert!(read(&sent, &rest).is_ok(), "{name}");
            } else {
                assert_eq!(read(&sent, &rest), Err(Unreadable::Header(name)));
            }
        }
    }
}

#[test]
fn values_that_are_not_what_they_must_be_are_unreadable() {
    let sent = message(BusContent::Event(Box::new(event())));
    for (name, value) in [
        (header::SPEC_VERSION, "2.0"),
        (header::POSITION, "-1"),
        (header::PREV, ""),
        (header::EPOCH, "4294967296"),
        (header::LOG_ID, "x"),
        (header::ID, "watermark"),
        (header::SUBJECT_ID, ""),
        (header::METADATA, "="),
        (header::LEAF_HASH, "AAAA"),
        (header::LEAF_FORMAT, "256"),
        (header::PARTITIONS, "0"),
    ] {
        let mut changed = headers(&sent, PARTITIONS);
        for (_, found) in changed.iter_mut().filter(|(found, _)| *found == name) {
            value.clone_into(found);
        }
        assert_eq!(
            read(&sent, &changed),
            Err(Unreadable::Header(name)),
            "{name}={value}"
        );
    }
    let no_text: &[(&str, &[u8])] = &[(header::SPEC_VERSION, &[0xff])];
    assert_eq!(
        open(
            Arrived {
                partition: 0,
                headers: no_text,
                value: &[]
            },
            PARTITIONS
        ),
        Err(Unreadable::Header(header::SPEC_VERSION))
    );
}

#[test]
fn messages_for_another_number_of_partitions_stop_the_consumer() {
    let twelve = NonZeroU32::new(12).expect("not zero");
    for sent in [message(BusContent::Event(Box::new(event()))), watermark()] {
        assert_eq!(
            read(&sent, &headers(&sent, twelve)),
            Err(Unreadable::OtherPartitions)
        );
    }
}

#[test]
fn an_event_in_a_partition_that_is_not_its_streams_stops_the_consumer() {
    let two = NonZeroU32::new(2).expect("not zero");
    let sent = message(BusContent::Event(Box::new(event())));
    let owned = headers(&sent, two);
    let headers: Vec<(&str, &[u8])> = owned
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    let right = partition_of(Uuid::from_u128(2), two);
    let at = |partition| {
        open(
            Arrived {
                partition,
                headers: &headers,
                value: value(&sent),
            },
            two,
        )
        .map(|_| ())
    };
    assert_eq!(at(right), Ok(()));
    assert_eq!(at(1 - right), Err(Unreadable::OtherPartitions));
}
