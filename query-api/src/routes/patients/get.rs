//! `GET /patients/{id}`: a patient's record, now or as it was.

use axum::extract::State;
use praxis_events::ids::PatientId;
use praxis_http_kit::params::PathId;
use praxis_read_models::models::patients::Patients;

use crate::access;
use crate::answer::Answer;
use crate::app::App;
use crate::as_of::{When, row_at};
use crate::asked::AskedOf;
use crate::error::ReadError;
use crate::freshness::Fresh;
use crate::openapi::{AsOfQuery, MinPositionHeader, RecordPath, RecordProblems};
use crate::view::patient::PatientView;

/// Show a patient.
///
/// A patient may see their own record. What was erased is `{"erased": true}`.
#[utoipa::path(
    get,
    path = "/patients/{id}",
    tag = "patients",
    params(RecordPath, AsOfQuery, MinPositionHeader),
    responses(
        (status = OK, description = "The record.", body = PatientView,
            headers(("Praxis-Position" = String), ("ETag" = String)),
            example = json!({
                "id": "0198c7a2-5b1e-7c44-9d10-3f6a2b8e4d71", "version": 3, "record_number": "P-0001234-0",
                "status": "active", "registered_at": "2026-01-05T08:00:00Z",
                "demographics": { "family_name": "Okafor", "given_names": ["Amara"], "birth_date": "1984-06", "gender": "female" },
                "contact": { "phones": ["+15550100"], "emails": [] },
                "identifiers": [{ "system": "https://insurer.example/members", "value": "AB-12345" }],
            })),
        RecordProblems,
    ),
)]
pub async fn get_patient(
    State(app): State<App>,
    asked: AskedOf<PatientId, When>,
) -> Result<Answer<PatientView>, ReadError> {
    let PathId(id) = asked.path;
    access::patient(&asked.caller, id).require()?;
    let (row, position) = match asked.query {
        When::Then(as_of) => {
            let place = as_of.place(&app).await?;
            (row_at::<Patients>(&app, id, id, place.position).await?, place)
        }
        When::Now => {
            let fresh = Fresh::open(&app, asked.min).await?;
            let standing = fresh.standing(id.0).await?;
            let row = fresh.reads.patient(id).await?;
            standing.require_current()?;
            let position = fresh.position_with(row.iter().map(|row| row.place.position));
            (row, position)
        }
    };
    let row = row.ok_or(ReadError::NotFound)?;
    let version = row.place.version;
    Ok(Answer::record(row.into(), position, version))
}
