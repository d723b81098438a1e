//! `GET /appointments/{id}/history`: what happened to a booking.

use axum::extract::State;
use praxis_events::ids::AppointmentId;
use praxis_http_kit::params::PathId;
use praxis_read_models::models::appointments::Appointments;

use crate::access::{self, Access};
use crate::answer::{Answer, Listing};
use crate::app::App;
use crate::as_of::first_row;
use crate::asked::AskedOf;
use crate::error::ReadError;
use crate::history::{self, HistoryQuery};
use crate::openapi::{PageQuery, RecordPath, RecordProblems};
use crate::view::event::EventView;

/// Show a booking's history.
///
/// Every event of the booking, the oldest first, straight from the log. A patient may see that of their own.
#[utoipa::path(
    get,
    path = "/appointments/{id}/history",
    tag = "appointments",
    params(RecordPath, PageQuery),
    responses(
        (status = OK, description = "A page of events.", body = Listing<EventView>,
            headers(("Praxis-Position" = String), ("Link" = String)),
            example = json!({
                "items": [{
                    "position": "1-57", "version": 2, "event_id": "0198c7a2-9f52-7088-b154-7cae6fcd81b5",
                    "type": "appointment.cancelled", "schema_version": 1, "recorded_at": "2026-03-02T08:00:00Z",
                    "actor": { "account_id": "0198c7a2-a063-7199-8265-8dbf70de92c6", "role": "PATIENT" },
                    "purpose": "PATRQT", "correlation_id": "0198c7a2-b174-72aa-9376-9ec081efa3d7",
                    "reason_code": "pat",
                    "payload": { "reason_code": "pat", "by": "patient", "comment": { "value": "I have recovered" } },
                }],
                "incomplete": false,
            })),
        RecordProblems,
    ),
)]
pub async fn get_appointment_history(
    State(app): State<App>,
    asked: AskedOf<AppointmentId, HistoryQuery>,
) -> Result<Answer<Listing<EventView>>, ReadError> {
    let PathId(id) = asked.path;
    let booked = first_row::<Appointments>(&app, id, id)
        .await?
        .ok_or(ReadError::NotFound)?;
    access::appointment(&asked.caller, &booked).require()?;
    history::page(&app, id, &asked.query, asked.uri, Access::Granted).await
}
