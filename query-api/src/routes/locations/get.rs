//! `GET /locations/{id}`: a site of the practice, now or as it was.

use axum::extract::State;
use praxis_events::ids::LocationId;
use praxis_http_kit::params::PathId;
use praxis_read_models::models::locations::Locations;

use crate::access;
use crate::answer::Answer;
use crate::app::App;
use crate::as_of::{When, row_at};
use crate::asked::AskedOf;
use crate::error::ReadError;
use crate::freshness::Fresh;
use crate::openapi::{AsOfQuery, MinPositionHeader, RecordPath, RecordProblems};
use crate::view::location::LocationView;

/// Show a location.
///
/// Its zone is the one its appointments' wall-clock times are in.
#[utoipa::path(
    get,
    path = "/locations/{id}",
    tag = "locations",
    params(RecordPath, AsOfQuery, MinPositionHeader),
    responses(
        (status = OK, description = "The record.", body = LocationView,
            headers(("Praxis-Position" = String), ("ETag" = String)),
            example = json!({
                "id": "0198c7a2-8e41-7f77-a043-6b9d5ebc70a4", "version": 1, "name": "North Clinic", "zone": "Europe/London",
            })),
        RecordProblems,
    ),
)]
pub async fn get_location(
    State(app): State<App>,
    asked: AskedOf<LocationId, When>,
) -> Result<Answer<LocationView>, ReadError> {
    let PathId(id) = asked.path;
    access::location(&asked.caller).require()?;
    let (row, position) = match asked.query {
        When::Then(as_of) => {
            let place = as_of.place(&app).await?;
            (row_at::<Locations>(&app, id, id, place.position).await?, place)
        }
        When::Now => {
            let fresh = Fresh::open(&app, asked.min).await?;
            let standing = fresh.standing(id.0).await?;
            let row = fresh.reads.location(id).await?;
            standing.require_current()?;
            let position = fresh.position_with(row.iter().map(|row| row.place.position));
            (row, position)
        }
    };
    let row = row.ok_or(ReadError::NotFound)?;
    let version = row.place.version;
    Ok(Answer::record(row.into(), position, version))
}
