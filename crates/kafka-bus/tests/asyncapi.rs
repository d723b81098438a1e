//! Does `events/asyncapi.yaml` say what is sent? By text: the document is laid out one fact per line.

use std::collections::BTreeSet;

use praxis_events::event::Event;
use praxis_events::ids::StreamType;
use praxis_kafka_bus::envelope::{WATERMARK_TYPE, header};
use praxis_kafka_bus::settings::{PARTITIONS, RETENTION, TOPIC_NAME};

const DOCUMENT: &str = include_str!("../../../events/asyncapi.yaml");

fn lines() -> impl Iterator<Item = &'static str> {
    DOCUMENT.lines().map(str::trim)
}

/// The items of the list that follows a line.
fn list_after(heading: &str) -> BTreeSet<&'static str> {
    let mut rest = DOCUMENT.lines().skip_while(|line| line.trim() != heading).skip(1);
    rest.by_ref()
        .map_while(|line| line.trim().strip_prefix("- "))
        .collect()
}

#[test]
fn every_header_is_described_and_no_other() {
    let described: BTreeSet<&str> = lines()
        .filter_map(|line| line.strip_suffix(':'))
        .filter(|name| name.starts_with("ce_") || *name == header::CONTENT_TYPE)
        .collect();
    assert_eq!(described, BTreeSet::from(header::ALL));
}

#[test]
fn every_event_type_is_listed_with_its_version_and_sealed_groups_and_no_other() {
    let types = || StreamType::ALL.into_iter().flat_map(Event::types);
    let rows: BTreeSet<String> = types()
        .map(|known| {
            let sealed = known.sealed.join(", ");
            format!(
                "{{ type: {}, schemaVersion: {}, sealed: [{sealed}] }}",
                known.name, known.schema_version
            )
        })
        .collect();
    assert_eq!(
        list_after("x-praxis-event-types:"),
        rows.iter().map(String::as_str).collect()
    );
    assert_eq!(list_after("enum:"), types().map(|known| known.name).collect());
}

#[test]
fn every_kind_of_stream_is_listed() {
    let kinds: Vec<&str> = StreamType::ALL.into_iter().map(StreamType::name).collect();
    assert!(lines().any(|line| line == format!("enum: [{}]", kinds.join(", "))));
}

#[test]
fn the_topic_is_described_as_it_is_made() {
    for line in [
        format!("address: {TOPIC_NAME}"),
        format!("partitions: {PARTITIONS}"),
        format!("retention.ms: {}", RETENTION.as_millis()),
        format!("const: {WATERMARK_TYPE}"),
    ] {
        assert!(lines().any(|found| found == line), "{line}");
    }
}
