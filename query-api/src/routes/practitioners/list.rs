//! `GET /practitioners`: every practitioner, by id.

use axum::extract::State;
use praxis_events::ids::PractitionerId;

use crate::access;
use crate::answer::{Answer, Listing};
use crate::app::App;
use crate::asked::{Asked, NoPath};
use crate::error::ReadError;
use crate::freshness::Fresh;
use crate::openapi::{ListProblems, MinPositionHeader, PageQuery};
use crate::page::Slice;
use crate::view::practitioner::PractitionerView;

/// List practitioners.
///
/// By id, which is about the order of registration, and stable.
#[utoipa::path(
    get,
    path = "/practitioners",
    tag = "practitioners",
    params(PageQuery, MinPositionHeader),
    responses(
        (status = OK, description = "A page of practitioners.", body = Listing<PractitionerView>,
            headers(("Praxis-Position" = String), ("Link" = String)),
            example = json!({
                "items": [{
                    "id": "0198c7a2-7d30-7e66-9f32-5a8c4dab6f93", "version": 1, "specialities": ["394802001"],
                    "profile": { "family_name": "Lindqvist", "given_names": ["Ebba"], "identifiers": [] },
                }],
                "incomplete": false,
            })),
        ListProblems,
    ),
)]
pub async fn list_practitioners(
    State(app): State<App>,
    asked: Asked<NoPath, Slice<PractitionerId>>,
) -> Result<Answer<Listing<PractitionerView>>, ReadError> {
    access::practitioner(&asked.caller).require()?;
    let fresh = Fresh::open(&app, asked.min).await?;
    let rows = fresh
        .reads
        .practitioners_page(asked.query.after, asked.query.rows_len())
        .await?;
    let (rows, next) = asked.query.cut(rows, |row| row.id);
    let position = fresh.position_with(rows.iter().map(|row| row.place.position));
    let items = rows.into_iter().map(Into::into).collect();
    Ok(Answer::page(items, next.as_ref(), fresh.completeness().await?, position).linked(asked.uri, next))
}
