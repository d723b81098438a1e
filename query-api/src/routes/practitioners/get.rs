//! `GET /practitioners/{id}`: a practitioner's record, now or as it was.

use axum::extract::State;
use praxis_events::ids::PractitionerId;
use praxis_http_kit::params::PathId;
use praxis_read_models::models::practitioners::Practitioners;

use crate::access;
use crate::answer::Answer;
use crate::app::App;
use crate::as_of::{When, row_at};
use crate::asked::AskedOf;
use crate::error::ReadError;
use crate::freshness::Fresh;
use crate::openapi::{AsOfQuery, MinPositionHeader, RecordPath, RecordProblems};
use crate::view::practitioner::PractitionerView;

/// Show a practitioner.
///
/// What was erased is `{"erased": true}`.
#[utoipa::path(
    get,
    path = "/practitioners/{id}",
    tag = "practitioners",
    params(RecordPath, AsOfQuery, MinPositionHeader),
    responses(
        (status = OK, description = "The record.", body = PractitionerView,
            headers(("Praxis-Position" = String), ("ETag" = String)),
            example = json!({
                "id": "0198c7a2-7d30-7e66-9f32-5a8c4dab6f93", "version": 1, "specialities": ["394802001"],
                "profile": { "family_name": "Lindqvist", "given_names": ["Ebba"], "identifiers": [] },
            })),
        RecordProblems,
    ),
)]
pub async fn get_practitioner(
    State(app): State<App>,
    asked: AskedOf<PractitionerId, When>,
) -> Result<Answer<PractitionerView>, ReadError> {
    let PathId(id) = asked.path;
    access::practitioner(&asked.caller).require()?;
    let (row, position) = match asked.query {
        When::Then(as_of) => {
            let place = as_of.place(&app).await?;
            (
                row_at::<Practitioners>(&app, id, id, place.position).await?,
                place,
            )
        }
        When::Now => {
            let fresh = Fresh::open(&app, asked.min).await?;
            let standing = fresh.standing(id.0).await?;
            let row = fresh.reads.practitioner(id).await?;
            standing.require_current()?;
            let position = fresh.position_with(row.iter().map(|row| row.place.position));
            (row, position)
        }
    };
    let row = row.ok_or(ReadError::NotFound)?;
    let version = row.place.version;
    Ok(Answer::record(row.into(), position, version))
}
