//! Does search find whom the criteria mean, and nobody else?

use praxis_events::personal::Personal;
use praxis_events::sealed::Sealed;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::search::PatientQuery;

use super::{Open, RegistryUnderTest, usual_history};
use crate::conformance::Outcome;
use crate::history::redact;
use crate::rows::Rows;

const LIMIT: u32 = 1_000;

fn personal(text: &str) -> Personal<String> {
    Personal::new(text.to_owned())
}

fn named(name: &str) -> PatientQuery {
    PatientQuery {
        name: Some(personal(name)),
        ..PatientQuery::default()
    }
}

/// Whom a look at every row finds.
fn expected(rows: &Rows, query: &PatientQuery) -> Vec<PatientRow> {
    let Some(criteria) = query.criteria() else {
        return Vec::new();
    };
    let meant = |row: &&PatientRow| criteria.is_met_by(&row.search_keys(), row.record_number);
    rows.patients.values().filter(meant).cloned().collect()
}

async fn found(open: &Open, query: &PatientQuery) -> Outcome<Vec<PatientRow>> {
    let criteria = query.criteria().expect("something is asked for");
    Ok(open.reads.search_patients(&criteria, None, LIMIT).await?)
}

pub async fn search_finds_whom_the_criteria_mean(under: RegistryUnderTest) -> Outcome {
    let (open, rows) = Open::filled(under, &usual_history()).await?;
    let mut queries: Vec<PatientQuery> = [
        "o",
        "ode",
        "odegard",
        "odegardx",
        "zoe",
        "le zo",
        "STRAUSS",
        "nguyen mira",
        "l",
        "ohara",
    ]
    .map(named)
    .into();
    queries.extend(
        ["19", "1970", "1970-", "1970-01", "2010-12-28"].map(|date| PatientQuery {
            birth_date: Some(personal(date)),
            ..PatientQuery::default()
        }),
    );
    for row in rows.patients.values() {
        queries.push(PatientQuery {
            record_number: Some(row.record_number),
            ..PatientQuery::default()
        });
        for identifier in row.identifiers.value().into_iter().flatten() {
            let by_identifier = PatientQuery {
                identifier: Some(identifier.value.clone()),
                ..PatientQuery::default()
            };
            let shortened = identifier
                .value
                .reveal()
                .trim_end_matches(|last: char| last.is_ascii_digit())
                .to_owned();
            queries.push(PatientQuery {
                name: Some(personal("a")),
                ..by_identifier.clone()
            });
            queries.push(by_identifier);
            queries.push(PatientQuery {
                identifier: Some(personal(&shortened)),
                ..PatientQuery::default()
            });
        }
        if let Some(known) = row.demographics.value() {
            queries.push(PatientQuery {
                name: Some(known.family_name.clone()),
                birth_date: known.birth_date.clone(),
                ..PatientQuery::default()
            });
        }
    }
    let mut hits = 0;
    for query in &queries {
        let wanted = expected(&rows, query);
        hits += wanted.len();
        assert_eq!(
            found(&open, query).await?,
            wanted,
            "criteria {}",
            criteria_shape(query)
        );
    }
    assert!(hits > queries.len(), "too few searches find someone");
    Ok(())
}

/// What was asked for, without saying whom: test output is a log too.
fn criteria_shape(query: &PatientQuery) -> String {
    let given = [
        query.name.is_some(),
        query.birth_date.is_some(),
        query.identifier.is_some(),
    ];
    format!(
        "name, birth date, identifier: {given:?}, record number {:?}",
        query.record_number
    )
}

pub async fn searches_are_paged_by_id(under: RegistryUnderTest) -> Outcome {
    let (open, rows) = Open::filled(under, &usual_history()).await?;
    let query = named("o");
    let criteria = query.criteria().expect("a word");
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = open.reads.search_patients(&criteria, after, 3).await?;
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3);
        after = Some(last.id);
        listed.extend(page);
    }
    assert!(listed.len() > 6, "the search is longer than two pages");
    assert_eq!(listed, expected(&rows, &query));
    Ok(())
}

pub async fn a_corrected_patient_is_found_by_the_new_name_only(under: RegistryUnderTest) -> Outcome {
    let (open, mut rows) = Open::filled(under, &usual_history()).await?;
    let row = rows.patients.values_mut().next().expect("a patient");
    if let Sealed::Value(known) = &mut row.demographics {
        known.family_name = Personal::new("Quetzal".to_owned());
        known.given_names = Vec::new();
        known.birth_date = Some(personal("1899-12-31"));
    }
    let corrected = row.clone();
    open.save(&rows).await?;
    assert_eq!(found(&open, &named("quetzal")).await?, [corrected]);
    for query in [
        "ode", "alv", "oh", "ngu", "stra", "lee", "zoe", "mira", "tomas", "ilse", "bao", "nia",
    ]
    .map(named)
    {
        assert_eq!(found(&open, &query).await?, expected(&rows, &query));
    }
    Ok(())
}

pub async fn an_erased_patient_is_found_by_the_record_number_only(under: RegistryUnderTest) -> Outcome {
    let events = usual_history();
    let (open, before) = Open::filled(under, &events).await?;
    let erased = Rows::of(&events.iter().map(redact).collect::<Vec<_>>());
    open.save(&erased).await?;
    for row in before.patients.values() {
        let known = row.demographics.value().expect("not erased before");
        let name = PatientQuery {
            name: Some(known.family_name.clone()),
            ..PatientQuery::default()
        };
        assert_eq!(found(&open, &name).await?, []);
        let number = PatientQuery {
            record_number: Some(row.record_number),
            ..PatientQuery::default()
        };
        assert_eq!(found(&open, &number).await?, [erased.patients[&row.id].clone()]);
    }
    Ok(())
}

pub async fn wildcards_are_letters_like_any_other(under: RegistryUnderTest) -> Outcome {
    let (open, rows) = Open::filled(under, &usual_history()).await?;
    assert!(!rows.patients.is_empty());
    for text in ["%", "_", "19_0", "%-%", "*", "?"] {
        let query = PatientQuery {
            birth_date: Some(personal(text)),
            ..PatientQuery::default()
        };
        assert_eq!(found(&open, &query).await?, []);
    }
    Ok(())
}
