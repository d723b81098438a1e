//! What is a patient found by, and how is it asked for?

use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::search::{Condition, PatientCriteria};
use praxis_read_models::views::ViewsError;
use serde_json::{Value, json};
use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;

use super::conn::json as parameter;

/// Whoever has a wanted key, by id, and a key in each of the other ranges. The documents are read for the page only.
macro_rules! search {
    ($name:literal, $distinct:literal, $wanted:literal) => {
        concat!(
            "-- praxis_store_sqlite::views::search::",
            $name,
            "
WITH asked (kind, first, past) AS MATERIALIZED (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?4))
SELECT p.document
FROM (
    SELECT ",
            $distinct,
            "k.patient_id FROM patient_keys AS k
    WHERE k.kind = ?5 AND ",
            $wanted,
            " AND k.patient_id > ?2
        AND NOT EXISTS (
            SELECT 1 FROM asked
            WHERE NOT EXISTS (
                SELECT 1 FROM patient_keys AS other
                WHERE other.patient_id = k.patient_id AND other.kind = asked.kind
                    AND other.value >= asked.first AND other.value < asked.past))
    ORDER BY k.patient_id LIMIT ?3) AS found
CROSS JOIN patients AS p ON p.id = found.patient_id
ORDER BY found.patient_id"
        )
    };
}

const SEARCH_BY_RANGE: &str = search!("search_by_range", "DISTINCT ", "k.value >= ?1 AND k.value < ?6");

/// For exactly that key: the index has them by id, and is read until there is a page.
const SEARCH_BY_VALUE: &str = search!("search_by_value", "", "k.value = ?1");

/// Kind and folded value of everything a patient is found by.
pub(super) fn stored_keys(row: &PatientRow) -> Vec<(&'static str, String)> {
    let keys = row.search_keys();
    let mut stored = vec![("number", row.record_number.to_string())];
    let initials = keys.initials();
    let listed = [
        ("name", keys.names.as_slice()),
        ("initial", initials.as_slice()),
        ("birth", keys.birth_date.as_slice()),
        ("identifier", keys.identifiers.as_slice()),
    ];
    for (kind, values) in listed {
        stored.extend(values.iter().map(|value| (kind, value.reveal().clone())));
    }
    stored
}

/// Stored keys of one kind that a patient must have one of.
struct Wanted {
    kind: &'static str,
    value: String,
    /// The first value after those wanted, where they begin with `value`; else they are `value`.
    past: Option<String>,
}

impl Wanted {
    fn by(condition: Condition<'_>) -> Self {
        let (kind, value, extent) = match condition {
            Condition::Identifier(value) => ("identifier", value.reveal().clone(), None),
            Condition::RecordNumber(number) => ("number", number.to_string(), None),
            Condition::Initial(letter) => ("initial", letter.reveal().clone(), None),
            Condition::BirthDate(date) => ("birth", date.reveal().clone(), Some('\u{10ffff}')),
            Condition::Name(word) => ("name", word.reveal().clone(), Some('\u{10ffff}')),
        };
        let past = extent.map(|last| format!("{value}{last}"));
        Self { kind, value, past }
    }

    fn as_range(&self) -> Value {
        match &self.past {
            Some(past) => json!([self.kind, self.value, past]),
            None => json!([self.kind, self.value, format!("{}\0", self.value)]),
        }
    }
}

/// The statement that finds whom the criteria mean; `None` where nothing is asked for.
pub(super) fn statement(
    criteria: &PatientCriteria,
    after: Vec<u8>,
    limit: u32,
) -> Result<Option<Query<'static, Sqlite, SqliteArguments>>, ViewsError> {
    let mut conditions = criteria.conditions().into_iter().map(Wanted::by);
    let Some(first) = conditions.next() else {
        return Ok(None);
    };
    let others: Vec<Value> = conditions.map(|wanted| wanted.as_range()).collect();
    let text = match &first.past {
        Some(_) => SEARCH_BY_RANGE,
        None => SEARCH_BY_VALUE,
    };
    let statement = sqlx::query(text)
        .bind(first.value)
        .bind(after)
        .bind(i64::from(limit))
        .bind(parameter(&others)?)
        .bind(first.kind);
    Ok(Some(match first.past {
        Some(past) => statement.bind(past),
        None => statement,
    }))
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};

    use super::*;
    use crate::views::files::SCHEMA;

    /// How SQLite means to answer a statement, step by step.
    async fn plan(text: &str) -> Vec<String> {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(SCHEMA).execute(&mut conn).await.unwrap();
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
        let steps = sqlx::raw_sql(explain).fetch_all(&mut conn).await.unwrap();
        steps.iter().map(|step| step.get::<String, _>(3)).collect()
    }

    #[tokio::test]
    async fn a_key_is_looked_up_in_order_of_patients_so_that_a_page_ends_the_search() {
        let steps = plan(SEARCH_BY_VALUE).await.join("\n");
        let page = "SEARCH k USING PRIMARY KEY (kind=? AND value=? AND patient_id>?)";
        assert!(steps.contains(page), "{steps}");
        assert!(!steps.contains("USE TEMP B-TREE FOR ORDER BY"), "{steps}");
        assert!(!steps.contains("SCAN k") && !steps.contains("SCAN p"), "{steps}");
    }

    #[tokio::test]
    async fn keys_are_sought_by_their_beginning_and_documents_by_id() {
        let steps = plan(SEARCH_BY_RANGE).await.join("\n");
        let range = "SEARCH k USING PRIMARY KEY (kind=? AND value>? AND value<?)";
        assert!(steps.contains(range), "{steps}");
        assert!(steps.contains("SEARCH p USING INDEX"), "{steps}");
        assert!(!steps.contains("SCAN k") && !steps.contains("SCAN p"), "{steps}");
    }
}
