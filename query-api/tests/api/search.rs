//! Are patients found by what is known of them, and faults told without a word of what was searched for?

use praxis_events::record_number::RecordNumber;
use serde_json::{Value, json};

use crate::practice::{Practice, staff};

async fn found(practice: &Practice, body: Value) -> Vec<String> {
    let reply = practice.search(staff(), &body).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let items = reply.json["items"].as_array().unwrap().iter();
    items
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn each_criterion_finds_the_patient_it_is_of() {
    let practice = Practice::new();
    let full = |row: &&praxis_read_models::models::patients::PatientRow| {
        row.demographics.value().unwrap().birth_date.is_some() && !row.identifiers.value().unwrap().is_empty()
    };
    let row = practice.rows.patients.values().find(full).unwrap();
    let known = row.demographics.value().unwrap();
    let identifier = &row.identifiers.value().unwrap()[0].value;
    let birth_date = known.birth_date.as_ref().unwrap().reveal();
    let number = RecordNumber::new(row.record_number).to_string();
    for body in [
        json!({ "name": known.family_name.reveal().to_uppercase() }),
        json!({ "birth_date": birth_date }),
        json!({ "birth_date": birth_date[..4] }),
        json!({ "identifier": identifier.reveal().replace(' ', "") }),
        json!({ "record_number": number }),
    ] {
        assert!(
            found(&practice, body.clone()).await.contains(&row.id.to_string()),
            "{body}"
        );
    }
    let both = json!({ "record_number": number, "identifier": "no such" });
    assert_eq!(found(&practice, both).await, Vec::<String>::new());
    assert_eq!(
        found(
            &practice,
            json!({ "record_number": number.to_lowercase().replace('-', " ") })
        )
        .await,
        [row.id.to_string()]
    );
}

#[tokio::test]
async fn pages_of_a_search_walk_everyone_found_once() {
    let practice = Practice::new();
    let all = found(&practice, json!({ "name": "l", "limit": 200 })).await;
    assert!(all.len() > 2 && all.len() < practice.rows.patients.len());
    let (mut walked, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let reply = practice
            .search(staff(), &json!({ "name": "l", "limit": 2, "cursor": cursor }))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        assert!(!reply.headers.contains_key("link"));
        walked.extend(
            reply.json["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].clone()),
        );
        cursor = reply.json["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(walked, all);
}

#[tokio::test]
async fn a_name_without_a_letter_finds_nobody() {
    let practice = Practice::new();
    assert_eq!(
        found(&practice, json!({ "name": " - " })).await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn every_fault_of_a_search_is_named_and_no_value_told() {
    let practice = Practice::new();
    let marker = "Marker".repeat(40);
    let body = json!({
        "name": marker, "birth_date": "Marker", "record_number": "Marker", "limit": 0, "cursor": "Marker", "phone": "Marker",
    });
    let reply = practice.search(staff(), &body).await;
    assert_eq!(reply.code(), (422, "invalid-input"));
    let expected = [
        ("/name", "too-long"),
        ("/birth_date", "not-a-date"),
        ("/record_number", "invalid-record-number"),
        ("/limit", "out-of-range"),
        ("/cursor", "not-a-cursor"),
        ("/phone", "unknown-field"),
    ];
    assert_eq!(reply.faults(), expected);
    assert!(!reply.json.to_string().contains("Marker"));
}

#[tokio::test]
async fn a_mistyped_record_number_is_told_from_one_that_nobody_has() {
    let practice = Practice::new();
    for (number, code) in [
        (json!("P-0000572-5"), "wrong-check-digit"),
        (json!("572"), "invalid-record-number"),
        (json!(572), "wrong-type"),
    ] {
        let reply = practice
            .search(staff(), &json!({ "record_number": number }))
            .await;
        assert_eq!(reply.faults(), [("/record_number", code)]);
    }
    let nobodys = json!({ "record_number": RecordNumber::new(u64::from(u32::MAX)).to_string() });
    assert_eq!(found(&practice, nobodys).await, Vec::<String>::new());
}

#[tokio::test]
async fn something_must_be_searched_for() {
    let practice = Practice::new();
    for body in [json!({}), json!({ "name": null, "limit": 5 })] {
        assert_eq!(
            practice.search(staff(), &body).await.faults(),
            [("/name", "required")]
        );
    }
}
