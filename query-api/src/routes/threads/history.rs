//! `GET /threads/{id}/history`: what happened in a conversation.

use axum::extract::State;
use praxis_events::ids::ThreadId;
use praxis_http_kit::params::PathId;
use praxis_read_models::models::threads::Threads;

use crate::access;
use crate::answer::{Answer, Listing};
use crate::app::App;
use crate::as_of::first_row;
use crate::asked::AskedOf;
use crate::error::ReadError;
use crate::history::{self, HistoryQuery};
use crate::openapi::{PageQuery, RecordPath, RecordProblems};
use crate::view::event::EventView;

/// Show a conversation's history.
///
/// Every event of the conversation, the oldest first, straight from the log; of its words only that there are some. For
/// auditors.
#[utoipa::path(
    get,
    path = "/threads/{id}/history",
    tag = "threads",
    params(RecordPath, PageQuery),
    responses(
        (status = OK, description = "A page of events.", body = Listing<EventView>,
            headers(("Praxis-Position" = String), ("Link" = String)),
            example = json!({
                "items": [{
                    "position": "1-61", "version": 3, "event_id": "0198c7a2-9f52-7088-b154-7cae6fcd81b5",
                    "type": "thread.message-retracted", "schema_version": 1, "recorded_at": "2026-03-02T09:01:00Z",
                    "actor": { "account_id": "0198c7a2-a063-7199-8265-8dbf70de92c6", "role": "DOCTOR" },
                    "purpose": "TREAT", "correlation_id": "0198c7a2-b174-72aa-9376-9ec081efa3d7",
                    "payload": { "message_id": "0198c7a2-d396-74cc-b598-b0e2a301c5f9" },
                }],
                "incomplete": false,
            })),
        RecordProblems,
    ),
)]
pub async fn get_thread_history(
    State(app): State<App>,
    asked: AskedOf<ThreadId, HistoryQuery>,
) -> Result<Answer<Listing<EventView>>, ReadError> {
    let PathId(id) = asked.path;
    let opened = first_row::<Threads>(&app, id, id)
        .await?
        .ok_or(ReadError::NotFound)?;
    access::messages(&asked.caller, &opened).require()?;
    history::page(&app, id, &asked.query, asked.uri, access::words(&asked.caller)).await
}
