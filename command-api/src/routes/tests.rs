use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use praxis_auth::policy::{Access, PolicyTable};
use praxis_http_kit::body;
use praxis_http_kit::code::Code;
use praxis_http_kit::fields::FromFields;
use praxis_http_kit::guard;
use serde_json::{Map, Value};
use utoipa::PartialSchema;

use super::*;

fn now() -> DateTime<Utc> {
    "2027-01-15T08:00:00Z".parse().unwrap()
}

fn policy() -> PolicyTable {
    PolicyTable::try_new(RULES.iter().copied()).unwrap()
}

#[test]
fn every_route_has_a_rule_and_every_rule_a_route() {
    let api = routes().into_openapi();
    assert_eq!(guard::disagreements(&api, &policy()), Vec::<String>::new());
}

#[test]
fn no_command_is_public_and_none_is_for_auditors() {
    for rule in RULES {
        let Access::Roles(roles) = rule.access else {
            panic!("{} {} is public", rule.verb, rule.path)
        };
        assert!(
            !roles.is_empty() && !roles.contains(&Role::Auditor),
            "{}",
            rule.path
        );
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_its_problems() {
    let api = serde_json::to_value(routes().into_openapi()).unwrap();
    let paths = api["paths"].as_object().unwrap();
    let operations: Vec<&Value> = paths
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .collect();
    assert_eq!(operations.len(), RULES.len());
    let names: BTreeSet<&str> = operations
        .iter()
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), operations.len());
    for operation in operations {
        assert!(operation["summary"].is_string(), "{operation}");
        let problem = &operation["responses"]["422"]["content"]["application/problem+json"]["schema"];
        assert_eq!(problem["$ref"], "#/components/schemas/ProblemDocument");
    }
}

#[test]
fn every_schema_that_is_referred_to_is_there() {
    let api = serde_json::to_value(routes().into_openapi()).unwrap();
    let mut referred = BTreeSet::new();
    collect_references(&api, &mut referred);
    assert!(referred.len() > 15, "{referred:?}");
    for pointer in referred {
        assert!(
            api.pointer(pointer.trim_start_matches('#')).is_some(),
            "{pointer}"
        );
    }
}

fn collect_references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                into.insert(reference.clone());
            }
            object.values().for_each(|value| collect_references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// That the reader takes what the description shows: each documented field, each required one required, no other.
fn assert_read_as_described<Read: FromFields, Described: PartialSchema>() {
    let schema = serde_json::to_value(Described::schema()).unwrap();
    let example = schema["example"].as_object().unwrap();
    let names = |object: &Map<String, Value>| object.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(example), names(schema["properties"].as_object().unwrap()));
    let read = |document: &Map<String, Value>| {
        body::read::<Read>(&serde_json::to_vec(document).unwrap(), now()).map_err(|problem| {
            let faults = problem.faults().iter();
            faults
                .map(|fault| format!("{} {}", fault.pointer, fault.code))
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(read(example).err(), None);
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for name in example.keys() {
        let mut without = example.clone();
        without.remove(name);
        let expected = required
            .contains(&Value::from(name.as_str()))
            .then(|| vec![format!("/{name} required")]);
        assert_eq!(read(&without).err(), expected, "without {name}");
    }
    for name in ["id", "nonsense"] {
        let mut with = example.clone();
        with.insert(name.to_owned(), Value::from("x"));
        assert_eq!(read(&with).err(), Some(vec![format!("/{name} unknown-field")]));
    }
}

#[test]
fn patients_are_read_as_described() {
    use patients::change_contact::ChangeContactBody;
    use patients::contact::WrittenContact;
    use patients::correct::CorrectPatientBody;
    use patients::record_death::RecordDeathBody;
    use patients::register::RegisterPatientBody;

    assert_read_as_described::<RegisterPatientBody, RegisterPatientBody>();
    assert_read_as_described::<CorrectPatientBody, CorrectPatientBody>();
    assert_read_as_described::<ChangeContactBody, WrittenContact>();
    assert_read_as_described::<RecordDeathBody, RecordDeathBody>();
}

#[test]
fn practitioners_and_locations_are_read_as_described() {
    use locations::register::RegisterLocationBody;
    use practitioners::register::RegisterPractitionerBody;

    assert_read_as_described::<RegisterPractitionerBody, RegisterPractitionerBody>();
    assert_read_as_described::<RegisterLocationBody, RegisterLocationBody>();
}

#[test]
fn appointments_are_read_as_described() {
    use appointments::book::{BookAppointmentBody, WrittenBooking};
    use appointments::cancel::CancelAppointmentBody;
    use appointments::mark_in_error::MarkInErrorBody;
    use appointments::record::{RecordAppointmentBody, WrittenVisit};
    use appointments::reschedule::{RescheduleAppointmentBody, WrittenMove};
    use appointments::undo::UndoAppointmentBody;

    assert_read_as_described::<BookAppointmentBody, WrittenBooking>();
    assert_read_as_described::<RecordAppointmentBody, WrittenVisit>();
    assert_read_as_described::<RescheduleAppointmentBody, WrittenMove>();
    assert_read_as_described::<CancelAppointmentBody, CancelAppointmentBody>();
    assert_read_as_described::<UndoAppointmentBody, UndoAppointmentBody>();
    assert_read_as_described::<MarkInErrorBody, MarkInErrorBody>();
}

#[test]
fn threads_are_read_as_described() {
    use threads::messages::send::SendMessageBody;
    use threads::open::OpenThreadBody;

    assert_read_as_described::<OpenThreadBody, OpenThreadBody>();
    assert_read_as_described::<SendMessageBody, SendMessageBody>();
}

#[test]
fn every_fault_of_a_deep_body_has_its_pointer() {
    let body = br#"{
        "family_name": "", "given_names": ["Ann", 5], "birth_date": "1984-13", "gender": "f", "language": "?",
        "contact": {
            "phones": ["044 668 18 00"], "emails": ["nobody"],
            "address": { "lines": ["ok", "a\u0007b"], "city": 7, "country": "XX", "zip": "1" }
        },
        "identifiers": [{ "system": "no uri", "value": "" }, { "value": " " }],
        "source": 1
    }"#;
    let problem = body::read::<patients::register::RegisterPatientBody>(body, now()).unwrap_err();
    assert_eq!(problem.code(), Code::InvalidInput);
    let faults: Vec<_> = problem
        .faults()
        .iter()
        .map(|fault| (fault.pointer.as_str(), &*fault.code))
        .collect();
    let expected = [
        ("/family_name", "empty"),
        ("/given_names/1", "wrong-type"),
        ("/birth_date", "invalid-date"),
        ("/gender", "unknown-code"),
        ("/language", "invalid-language"),
        ("/contact/phones/0", "phone-without-country"),
        ("/contact/emails/0", "invalid-email"),
        ("/contact/address/lines/1", "control-character"),
        ("/contact/address/city", "wrong-type"),
        ("/contact/address/country", "unknown-country"),
        ("/contact/address/zip", "unknown-field"),
        ("/identifiers/0/system", "invalid-uri"),
        ("/identifiers/0/value", "empty"),
        ("/identifiers/1/system", "required"),
        ("/identifiers/1/value", "empty"),
        ("/source", "wrong-type"),
    ];
    assert_eq!(faults, expected);
}

#[test]
fn an_address_is_refused_as_a_whole_when_it_says_nothing_or_has_too_many_lines() {
    use patients::change_contact::ChangeContactBody;

    let faults = |address: &str| {
        let body = format!(r#"{{ "address": {address} }}"#);
        let problem = body::read::<ChangeContactBody>(body.as_bytes(), now()).unwrap_err();
        let named = problem
            .faults()
            .iter()
            .map(|fault| format!("{} {}", fault.pointer, fault.code));
        named.collect::<Vec<_>>()
    };
    assert_eq!(faults("{}"), ["/address empty"]);
    assert_eq!(faults(r#"{ "lines": [" "], "city": "" }"#), ["/address empty"]);
    let lines = r#"{ "lines": ["1", "2", "3", "4", "5", "6"] }"#;
    assert_eq!(faults(lines), ["/address/lines too-many-lines"]);
    // A line that is no text keeps the others from being looked at as a whole, and is a fault already.
    assert_eq!(faults(r#"{ "lines": [1] }"#), ["/address/lines/0 wrong-type"]);
}

#[test]
fn a_visit_ends_after_it_starts() {
    let body = br#"{
        "patient_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c01",
        "practitioner_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c02",
        "location_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c03",
        "starts": "2026-11-30T09:00:00+01:00",
        "ends": "2026-11-30T08:00:00Z"
    }"#;
    let problem = body::read::<appointments::book::BookAppointmentBody>(body, now()).unwrap_err();
    let fault = &problem.faults()[0];
    assert_eq!(
        (fault.pointer.as_str(), &*fault.code),
        ("/ends", "not-after-start")
    );
}
