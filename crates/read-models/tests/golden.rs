//! Do folds make of kept histories the rows that they made when those were kept?
//!
//! A generation of read models lives as long as its fingerprint, and that holds the fold versions: a fold that makes
//! other rows under the same version would leave the rows that are there wrong, and mix with new ones. So: in
//! `golden/<n>/` lies a history, and beside it the rows of each model by fold version. No file is ever edited. Rows of a
//! version that are missing are written, and fail once: look at them, check them in, and remove those of the version
//! before. A new event type needs another folder with a history that has it.
#![allow(clippy::expect_used, clippy::panic, reason = "test helpers")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use praxis_events::event::Event;
use praxis_events::ids::{StreamId, StreamType};
use praxis_events::recorded::RecordedEvent;
use praxis_read_models::fold::{ReadModel, fold};
use praxis_read_models::for_each_read_model;
use praxis_testkit::history::history;
use serde::Serialize;
use serde_json::{Value, json};

/// How long a kept history is, and how many are tried for one that has every event type early.
const LEN: usize = 150;
const SEEDS_MAX: u64 = 500;

fn folders() -> Vec<PathBuf> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let entries = std::fs::read_dir(golden).expect("the folder is there");
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "no history is kept");
    folders
}

fn read(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The events of a folder. An empty folder is given a history that has every event type.
fn kept_history(folder: &Path) -> Vec<RecordedEvent> {
    let file = folder.join("history.json");
    if !file.exists() {
        let lines: Vec<String> = varied().iter().map(|event| kept(event).to_string()).collect();
        let text = format!("[\n{}\n]\n", lines.join(",\n"));
        std::fs::write(&file, text).expect("it can be written");
    }
    let events = read(&file);
    events.as_array().expect("a list").iter().map(recorded).collect()
}

fn varied() -> Vec<RecordedEvent> {
    let complete_after = |seed: &u64| {
        let events = history(*seed, LEN);
        (1..=LEN)
            .find(|len| missing(&events[..*len]).is_empty())
            .unwrap_or(usize::MAX)
    };
    let seed = (1..SEEDS_MAX)
        .min_by_key(complete_after)
        .expect("seeds are tried");
    history(seed, LEN)
}

fn missing(events: &[RecordedEvent]) -> BTreeSet<&'static str> {
    let happened: BTreeSet<_> = events.iter().map(|event| event.event.event_type().name).collect();
    let known = StreamType::ALL.into_iter().flat_map(Event::types);
    known
        .map(|known| known.name)
        .filter(|name| !happened.contains(name))
        .collect()
}

fn kept(event: &RecordedEvent) -> Value {
    let event_type = event.event.event_type();
    json!({
        "position": event.position, "event_id": event.event_id, "stream_type": event.stream.kind.name(),
        "stream_id": event.stream.id, "stream_version": event.stream_version, "recorded_at": event.recorded_at,
        "subject_id": event.subject_id, "metadata": event.metadata, "type": event_type.name,
        "schema_version": event_type.schema_version, "document": event.event.to_document().expect("an event is JSON"),
    })
}

fn recorded(kept: &Value) -> RecordedEvent {
    fn member<T: serde::de::DeserializeOwned>(kept: &Value, name: &str) -> T {
        serde_json::from_value(kept[name].clone()).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
    let kind = StreamType::from_name(&member::<String>(kept, "stream_type")).expect("a kind of stream");
    let (name, version): (String, u32) = (member(kept, "type"), member(kept, "schema_version"));
    RecordedEvent {
        position: member(kept, "position"),
        event_id: member(kept, "event_id"),
        stream: StreamId {
            kind,
            id: member(kept, "stream_id"),
        },
        stream_version: member(kept, "stream_version"),
        recorded_at: member(kept, "recorded_at"),
        subject_id: member(kept, "subject_id"),
        metadata: member(kept, "metadata"),
        event: Event::from_document(kind, &name, version, kept["document"].clone()).expect("an event"),
    }
}

/// Compares the rows of one model; says what is wrong.
fn compare<M>(folder: &Path, events: &[RecordedEvent]) -> Result<(), String>
where
    M: ReadModel,
    M::Row: Serialize,
{
    let mut rows: BTreeMap<M::Key, Option<M::Row>> = BTreeMap::new();
    for event in events {
        for key in M::keys(event) {
            fold::<M>(rows.entry(key).or_default(), key, event);
        }
    }
    let rows: Vec<&M::Row> = rows.values().flatten().collect();
    assert!(!rows.is_empty(), "the history makes no {}", M::NAME);
    let made = serde_json::to_value(rows).expect("rows are JSON");
    let (name, version) = (M::NAME, M::FOLD_VERSION);
    let file = folder.join(format!("{name}.{version}.json"));
    if !file.exists() {
        let text = serde_json::to_string_pretty(&made).expect("rows are JSON") + "\n";
        std::fs::write(&file, text).expect("it can be written");
        return Err(format!(
            "{} was written: look at it and check it in",
            file.display()
        ));
    }
    let golden = read(&file);
    if golden == made {
        return Ok(());
    }
    let place = (0..golden
        .as_array()
        .map_or(0, Vec::len)
        .max(made.as_array().map_or(0, Vec::len)))
        .find(|index| golden.get(index) != made.get(index))
        .unwrap_or(0);
    Err(format!(
        "the fold of {name} makes other rows than version {version} did: raise its FOLD_VERSION, run this again, and look \
         at what it writes. Row {place} was\n{:#}\nand is\n{:#}",
        golden.get(place).unwrap_or(&Value::Null),
        made.get(place).unwrap_or(&Value::Null),
    ))
}

#[test]
fn folds_of_the_same_version_make_the_same_rows() {
    let mut wrong = Vec::new();
    for folder in folders() {
        let events = kept_history(&folder);
        macro_rules! compare_every_model {
            ($($model:ty: $load:ident, $save:ident;)+) => { $(wrong.extend(compare::<$model>(&folder, &events).err());)+ };
        }
        for_each_read_model!(compare_every_model);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_event_type_is_in_a_kept_history() {
    let all: Vec<RecordedEvent> = folders().iter().flat_map(|folder| kept_history(folder)).collect();
    let missing = missing(&all);
    assert!(
        missing.is_empty(),
        "{missing:?} are in no history: make tests/golden/{} and run this again",
        folders().len() + 1
    );
}

/// Rows of a version that is no more say nothing.
#[test]
fn only_rows_of_this_version_are_kept() {
    let mut current = BTreeSet::from(["history.json".to_owned()]);
    macro_rules! name_every_model {
        ($($model:ty: $load:ident, $save:ident;)+) => {
            $(current.insert(format!("{}.{}.json", <$model>::NAME, <$model>::FOLD_VERSION));)+
        };
    }
    for_each_read_model!(name_every_model);
    for folder in folders() {
        let entries = std::fs::read_dir(&folder).expect("the folder is there");
        for entry in entries {
            let name = entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned();
            assert!(
                current.contains(&name),
                "{} has {name}: remove it",
                folder.display()
            );
        }
    }
}
