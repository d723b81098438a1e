//! `GET /locations`: every site of the practice, by id.

use axum::extract::State;
use praxis_events::ids::LocationId;

use crate::access;
use crate::answer::{Answer, Listing};
use crate::app::App;
use crate::asked::{Asked, NoPath};
use crate::error::ReadError;
use crate::freshness::Fresh;
use crate::openapi::{ListProblems, MinPositionHeader, PageQuery};
use crate::page::Slice;
use crate::view::location::LocationView;

/// List locations.
///
/// By id, which is about the order of registration, and stable.
#[utoipa::path(
    get,
    path = "/locations",
    tag = "locations",
    params(PageQuery, MinPositionHeader),
    responses(
        (status = OK, description = "A page of sites.", body = Listing<LocationView>,
            headers(("Praxis-Position" = String), ("Link" = String)),
            example = json!({
                "items": [{
                    "id": "0198c7a2-8e41-7f77-a043-6b9d5ebc70a4", "version": 1, "name": "North Clinic", "zone": "Europe/London",
                }],
                "incomplete": false,
            })),
        ListProblems,
    ),
)]
pub async fn list_locations(
    State(app): State<App>,
    asked: Asked<NoPath, Slice<LocationId>>,
) -> Result<Answer<Listing<LocationView>>, ReadError> {
    access::location(&asked.caller).require()?;
    let fresh = Fresh::open(&app, asked.min).await?;
    let rows = fresh
        .reads
        .locations_page(asked.query.after, asked.query.rows_len())
        .await?;
    let (rows, next) = asked.query.cut(rows, |row| row.id);
    let position = fresh.position_with(rows.iter().map(|row| row.place.position));
    let items = rows.into_iter().map(Into::into).collect();
    Ok(Answer::page(items, next.as_ref(), fresh.completeness().await?, position).linked(asked.uri, next))
}
