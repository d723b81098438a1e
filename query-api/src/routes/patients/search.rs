//! `POST /patients/search`: the patients that a name, birth date, identifier or record number leads to.

use axum::extract::State;
use praxis_events::ids::PatientId;
use praxis_events::personal::Personal;
use praxis_events::record_number::{RecordNumber, RecordNumberFault};
use praxis_http_kit::body::Body;
use praxis_http_kit::fault::FaultCode;
use praxis_http_kit::fields::{Fields, FromFields, values};
use praxis_http_kit::params::NoQuery;
use praxis_read_models::search::PatientQuery;
use serde_json::Value;
use utoipa::ToSchema;

use crate::answer::{Answer, Completeness, Listing};
use crate::app::App;
use crate::asked::{Asked, NoPath};
use crate::error::ReadError;
use crate::freshness::Fresh;
use crate::openapi::{MinPositionHeader, SearchProblems};
use crate::page::Slice;
use crate::view::patient::PatientSummary;

/// Longest text of a criterion, characters.
const TEXT_CHARS_MAX: usize = 200;

const NO_CRITERION: FaultCode = FaultCode::new(
    "required",
    "is required, unless there is a birth_date, an identifier or a record_number",
);
const TOO_LONG: FaultCode = FaultCode::new("too-long", "has more than 200 characters");
const NOT_A_PARTIAL_DATE: FaultCode =
    FaultCode::new("not-a-date", "must be a date as YYYY, YYYY-MM or YYYY-MM-DD");
const NOT_A_RECORD_NUMBER: FaultCode =
    FaultCode::new("invalid-record-number", "must be a record number as P-0001234-0");
const WRONG_CHECK_DIGIT: FaultCode = FaultCode::new("wrong-check-digit", "has a wrong check digit");

/// Whom to look for. All that is given must hold, and something must be given.
#[derive(Clone, Debug, ToSchema)]
#[schema(example = json!({ "name": "okafor am", "birth_date": "1984" }))]
pub struct PatientSearch {
    /// Beginnings of words of the name, in any order; case, accents and punctuation do not matter.
    #[schema(value_type = Option<String>, max_length = 200)]
    pub name: Option<Personal<String>>,
    /// A birth date, or its year, or its year and month.
    #[schema(value_type = Option<String>)]
    pub birth_date: Option<Personal<String>>,
    /// The whole value of an identifier; case, spaces and punctuation do not matter.
    #[schema(value_type = Option<String>, max_length = 200)]
    pub identifier: Option<Personal<String>>,
    /// The record number with its check digit; case, spaces and hyphens do not matter.
    #[schema(value_type = Option<String>, example = "P-0001234-0")]
    pub record_number: Option<RecordNumber>,
    /// The page, as `limit` and `cursor`.
    #[schema(ignore)]
    pub slice: Slice<PatientId>,
}

impl FromFields for PatientSearch {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let search = Self {
            name: fields.optional("name", bounded),
            birth_date: fields.optional("birth_date", partial_date),
            identifier: fields.optional("identifier", bounded),
            record_number: fields.optional("record_number", record_number),
            slice: Slice::from_fields(fields),
        };
        let criteria = ["name", "birth_date", "identifier", "record_number"];
        if !criteria.iter().any(|criterion| fields.has(criterion)) {
            fields.fault("name", NO_CRITERION);
            return None;
        }
        Some(search)
    }
}

fn bounded(value: &Value) -> Result<Personal<String>, FaultCode> {
    let text = values::text(value)?;
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(TOO_LONG);
    }
    Ok(Personal::new(text.to_owned()))
}

fn record_number(value: &Value) -> Result<RecordNumber, FaultCode> {
    RecordNumber::parse(values::text(value)?).map_err(|fault| match fault {
        RecordNumberFault::Empty | RecordNumberFault::Form => NOT_A_RECORD_NUMBER,
        RecordNumberFault::CheckDigit => WRONG_CHECK_DIGIT,
    })
}

/// A date whose month and day may be missing: it is one exactly if completing it gives a date.
fn partial_date(value: &Value) -> Result<Personal<String>, FaultCode> {
    let text = values::text(value)?;
    let completed = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    match values::date_of_text(&completed) {
        Ok(_) => Ok(Personal::new(text.to_owned())),
        Err(_) => Err(NOT_A_PARTIAL_DATE),
    }
}

/// Search patients.
///
/// By `POST`, because what is searched for is personal and a URL is written down on the way. The next page is had by
/// sending the same body with `cursor`.
#[utoipa::path(
    post,
    path = "/patients/search",
    tag = "patients",
    params(MinPositionHeader),
    request_body = PatientSearch,
    responses(
        (status = OK, description = "A page of patients.", body = Listing<PatientSummary>,
            headers(("Praxis-Position" = String)),
            example = json!({
                "items": [{
                    "id": "0198c7a2-5b1e-7c44-9d10-3f6a2b8e4d71", "version": 3, "record_number": "P-0001234-0",
                    "status": "active", "registered_at": "2026-01-05T08:00:00Z",
                    "demographics": { "family_name": "Okafor", "given_names": ["Amara"], "birth_date": "1984-06", "gender": "female" },
                }],
                "incomplete": false,
            })),
        SearchProblems,
    ),
)]
pub async fn search_patients(
    State(app): State<App>,
    asked: Asked<NoPath, NoQuery>,
    Body { value: search, .. }: Body<PatientSearch>,
) -> Result<Answer<Listing<PatientSummary>>, ReadError> {
    let fresh = Fresh::open(&app, asked.min).await?;
    let query = PatientQuery {
        name: search.name,
        birth_date: search.birth_date,
        identifier: search.identifier,
        record_number: search.record_number.map(RecordNumber::counter),
    };
    // A name without a letter leads to nobody.
    let Some(criteria) = query.criteria() else {
        return Ok(Answer::page(
            Vec::new(),
            None,
            Completeness::Complete,
            fresh.place,
        ));
    };
    let slice = search.slice;
    let rows = fresh
        .reads
        .search_patients(&criteria, slice.after, slice.rows_len())
        .await?;
    let (rows, next) = slice.cut(rows, |row| row.id);
    let position = fresh.position_with(rows.iter().map(|row| row.place.position));
    let items = rows.into_iter().map(Into::into).collect();
    Ok(Answer::page(
        items,
        next.as_ref(),
        fresh.completeness().await?,
        position,
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_birth_date_may_lack_day_and_month() {
        for text in ["1984", "1984-06", "1984-06-30"] {
            assert_eq!(partial_date(&json!(text)), Ok(Personal::new(text.to_owned())));
        }
        for text in [
            "84",
            "1984-13",
            "1984-6",
            "1984-06-31",
            "198%",
            "",
            "1984-06-30T00",
        ] {
            assert_eq!(partial_date(&json!(text)), Err(NOT_A_PARTIAL_DATE), "{text}");
        }
    }

    #[test]
    fn a_text_is_bounded_in_characters() {
        assert!(bounded(&json!("é".repeat(200))).is_ok());
        assert_eq!(bounded(&json!("é".repeat(201))), Err(TOO_LONG));
    }
}
