//! `GET /locations/{id}/history`: what happened to a site of the practice.

use axum::extract::State;
use praxis_events::ids::LocationId;
use praxis_http_kit::params::PathId;

use crate::access::{self, Access};
use crate::answer::{Answer, Listing};
use crate::app::App;
use crate::asked::AskedOf;
use crate::error::ReadError;
use crate::history::{self, HistoryQuery};
use crate::openapi::{PageQuery, RecordPath, RecordProblems};
use crate::view::event::EventView;

/// Show a location's history.
///
/// Every event of the record, the oldest first, straight from the log.
#[utoipa::path(
    get,
    path = "/locations/{id}/history",
    tag = "locations",
    params(RecordPath, PageQuery),
    responses(
        (status = OK, description = "A page of events.", body = Listing<EventView>,
            headers(("Praxis-Position" = String), ("Link" = String)),
            example = json!({
                "items": [{
                    "position": "1-1", "version": 1, "event_id": "0198c7a2-9f52-7088-b154-7cae6fcd81b5",
                    "type": "location.registered", "schema_version": 1, "recorded_at": "2026-01-05T08:00:00Z",
                    "actor": { "account_id": "0198c7a2-a063-7199-8265-8dbf70de92c6", "role": "ADMIN" },
                    "purpose": "HOPERAT", "correlation_id": "0198c7a2-b174-72aa-9376-9ec081efa3d7",
                    "payload": { "name": "North Clinic", "zone": "Europe/London" },
                }],
                "incomplete": false,
            })),
        RecordProblems,
    ),
)]
pub async fn get_location_history(
    State(app): State<App>,
    asked: AskedOf<LocationId, HistoryQuery>,
) -> Result<Answer<Listing<EventView>>, ReadError> {
    let PathId(id) = asked.path;
    access::location(&asked.caller).require()?;
    history::page(&app, id, &asked.query, asked.uri, Access::Granted).await
}
