//! How documents of older schema versions become documents of today's: one step per version, over JSON.

use serde_json::{Map, Value, json};

use crate::event::EventType;

/// Lifts a document, version by version, to the current schema of its type. `None` when it has not the shape
/// its version promises.
pub fn to_current(event_type: &EventType, from_version: u32, mut document: Value) -> Option<Value> {
    for version in from_version..event_type.schema_version {
        document = step(event_type.name, version, document)?;
    }
    Some(document)
}

/// One step: from `version` of a type to the next.
fn step(name: &str, version: u32, document: Value) -> Option<Value> {
    let Value::Object(fields) = document else {
        return None;
    };
    let lifted = match (name, version) {
        ("practitioner.registered", 1) => specialities_became_a_list(fields)?,
        _ => return None,
    };
    Some(Value::Object(lifted))
}

/// Version 1 had `speciality`, one code or absent; since version 2 `specialities` is a list.
fn specialities_became_a_list(mut fields: Map<String, Value>) -> Option<Map<String, Value>> {
    let list = match fields.remove("speciality") {
        None | Some(Value::Null) => json!([]),
        Some(Value::String(code)) => json!([code]),
        Some(_) => return None,
    };
    fields.insert("specialities".to_owned(), list);
    Some(fields)
}
