//! Under which words does the report say what the command API found wrong?
//!
//! The vocabulary is that of `scripts/predict-import.py`, which predicts every refusal independently.

use std::collections::BTreeSet;

use praxis_http_kit::body;
use praxis_http_kit::fields::FromFields;
use praxis_runtime::clock;
use serde_json::Value;

/// Fields by the start of their pointer; the first that fits.
const FIELDS: [(&str, &str); 13] = [
    ("/family_name", "family_name"),
    ("/given_names", "given_name"),
    ("/name", "name"),
    ("/birth_date", "birth_date"),
    ("/gender", "gender"),
    ("/language", "language"),
    ("/contact/phones", "phone"),
    ("/contact/emails", "email"),
    ("/contact/address/country", "country"),
    ("/contact/address", "address"),
    ("/identifiers", "identifier"),
    ("/specialities", "speciality"),
    ("/zone", "zone"),
];

/// Fields of free words, which can be missing or too long; a coded value is either right or not.
const WORDED: [&str; 4] = ["family_name", "given_name", "name", "address"];

/// The reason for a fault of a field: its pointer and code as the API tells them.
pub fn of_fault(pointer: &str, code: &str) -> String {
    let field = FIELDS
        .iter()
        .find(|(start, _)| pointer.starts_with(start))
        .map_or("record", |(_, field)| field);
    let is_worded = WORDED.contains(&field);
    match (field, code) {
        ("birth_date", "future-date") => "birth_date_in_future".to_owned(),
        ("birth_date", "too-long-ago") => "age_over_limit".to_owned(),
        ("zone", _) => "zone_unknown".to_owned(),
        (_, "too-many" | "too-many-lines") => format!("{field}_too_many"),
        (_, "required" | "empty") if is_worded => format!("{field}_missing"),
        (_, "too-long") if is_worded => format!("{field}_too_long"),
        _ => format!("{field}_invalid"),
    }
}

/// The reason for a refusal by the domain, from its code.
pub fn of_refusal(code: &str) -> String {
    match code {
        "death_in_the_future" => "death_in_future".to_owned(),
        // A problem's own code, where it states no reasons.
        other => other.replace('-', "_"),
    }
}

/// What the API's reader of that body finds wrong with a document, before anything is sent.
pub fn of_body<T: FromFields>(document: &Value) -> BTreeSet<String> {
    match body::read::<T>(document.to_string().as_bytes(), clock::now()) {
        Ok(_) => BTreeSet::new(),
        Err(problem) if problem.faults().is_empty() => BTreeSet::from([of_refusal(problem.code().name())]),
        Err(problem) => problem
            .faults()
            .iter()
            .map(|fault| of_fault(&fault.pointer, &fault.code))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{of_fault, of_refusal};

    #[test]
    fn a_fault_becomes_the_reason_of_its_field() {
        for (pointer, code, reason) in [
            ("/family_name", "required", "family_name_missing"),
            ("/family_name", "control-character", "family_name_invalid"),
            ("/given_names/1", "too-long", "given_name_too_long"),
            ("/given_names", "too-many", "given_name_too_many"),
            ("/name", "empty", "name_missing"),
            ("/birth_date", "future-date", "birth_date_in_future"),
            ("/birth_date", "too-long-ago", "age_over_limit"),
            ("/birth_date", "empty", "birth_date_invalid"),
            ("/gender", "unknown-code", "gender_invalid"),
            ("/language", "too-long", "language_invalid"),
            ("/contact/phones/0", "phone-without-country", "phone_invalid"),
            ("/contact/emails/2", "too-long", "email_invalid"),
            ("/contact/address/country", "unknown-country", "country_invalid"),
            ("/contact/address/lines/0", "too-long", "address_too_long"),
            ("/contact/address/lines", "too-many-lines", "address_too_many"),
            ("/identifiers/0/value", "too-long", "identifier_invalid"),
            ("/zone", "unknown-zone", "zone_unknown"),
            ("/starts", "required", "record_invalid"),
        ] {
            assert_eq!(of_fault(pointer, code), reason, "{pointer} {code}");
        }
    }

    #[test]
    fn a_refusal_keeps_its_code_but_where_the_vocabulary_has_another_word() {
        assert_eq!(of_refusal("death_in_the_future"), "death_in_future");
        assert_eq!(of_refusal("patient_busy"), "patient_busy");
        assert_eq!(of_refusal("event-too-large"), "event_too_large");
    }
}
