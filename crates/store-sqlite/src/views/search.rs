//! What is a patient found by, and how is it asked for?

use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::search::PatientCriteria;
use serde_json::{Value, json};

/// Kind and folded value of everything a patient is found by.
pub(super) fn stored_keys(row: &PatientRow) -> Vec<(&'static str, String)> {
    let keys = row.search_keys();
    let mut stored = vec![("number", row.record_number.to_string())];
    stored.extend(keys.names.iter().map(|name| ("name", name.reveal().clone())));
    stored.extend(
        keys.birth_date
            .iter()
            .map(|date| ("birth", date.reveal().clone())),
    );
    stored.extend(
        keys.identifiers
            .iter()
            .map(|value| ("identifier", value.reveal().clone())),
    );
    stored
}

/// The criteria as ranges of stored keys: kind, first value, the value after the last. Every one must hold.
pub(super) fn ranges(criteria: &PatientCriteria) -> Vec<Value> {
    let exactly = |kind: &str, value: &str| json!([kind, value, format!("{value}\0")]);
    let beginning = |kind: &str, value: &str| json!([kind, value, format!("{value}\u{10ffff}")]);
    let mut ranges: Vec<Value> = Vec::new();
    ranges.extend(
        criteria
            .identifier
            .iter()
            .map(|value| exactly("identifier", value.reveal())),
    );
    ranges.extend(
        criteria
            .record_number
            .iter()
            .map(|number| exactly("number", &number.to_string())),
    );
    ranges.extend(
        criteria
            .name_tokens
            .iter()
            .map(|token| beginning("name", token.reveal())),
    );
    ranges.extend(
        criteria
            .birth_date
            .iter()
            .map(|date| beginning("birth", date.reveal())),
    );
    ranges
}
