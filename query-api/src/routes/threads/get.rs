//! `GET /threads/{id}`: a conversation without its messages, now or as it was.

use axum::extract::State;
use praxis_events::ids::ThreadId;
use praxis_http_kit::params::PathId;
use praxis_http_kit::position::EpochPosition;
use praxis_read_models::models::patients::Patients;
use praxis_read_models::models::threads::Threads;
use praxis_read_models::reads;

use crate::access;
use crate::answer::Answer;
use crate::app::App;
use crate::as_of::{AsOf, When, row_at};
use crate::asked::{Asked, AskedOf};
use crate::error::ReadError;
use crate::freshness::Fresh;
use crate::openapi::{AsOfQuery, MinPositionHeader, RecordPath, RecordProblems};
use crate::view::thread::ThreadView;

type Found = (reads::ThreadView, EpochPosition);

/// Show a conversation.
///
/// Who takes part, how much each has yet to read, and nothing of what is said; to who takes part, what it is about.
/// Patients and doctors see those they take part in.
#[utoipa::path(
    get,
    path = "/threads/{id}",
    tag = "threads",
    params(RecordPath, AsOfQuery, MinPositionHeader),
    responses(
        (status = OK, description = "The conversation.", body = ThreadView,
            headers(("Praxis-Position" = String), ("ETag" = String)),
            example = json!({
                "id": "0198c7a2-c285-73bb-a487-afd192f0b4e8", "version": 5,
                "patient_id": "0198c7a2-5b1e-7c44-9d10-3f6a2b8e4d71",
                "patient_name": { "family_name": "Okafor", "given_names": ["Amara"] },
                "topic": "about a result",
                "opened_at": "2026-03-01T10:00:00Z", "last_activity_at": "2026-03-02T09:00:00Z", "message_count": 3,
                "participants": [
                    { "kind": "patient", "id": "0198c7a2-5b1e-7c44-9d10-3f6a2b8e4d71", "unread_count": 1 },
                    { "kind": "practitioner", "id": "0198c7a2-7d30-7e66-9f32-5a8c4dab6f93", "unread_count": 0 },
                ],
            })),
        RecordProblems,
    ),
)]
pub async fn get_thread(
    State(app): State<App>,
    asked: AskedOf<ThreadId, When>,
) -> Result<Answer<ThreadView>, ReadError> {
    let (found, position) = match asked.query {
        When::Then(as_of) => then(&app, &asked, as_of).await?,
        When::Now => now(&app, &asked).await?,
    };
    let version = found.thread.place.version;
    let shown = ThreadView::new(found, &asked.caller);
    Ok(Answer::record(shown, position, version))
}

async fn now(app: &App, asked: &Asked<PathId<ThreadId>, When>) -> Result<Found, ReadError> {
    let PathId(id) = asked.path;
    let fresh = Fresh::open(app, asked.min).await?;
    let standing = fresh.standing(id.0).await?;
    let found = fresh.reads.thread(id).await?;
    let found = found.ok_or(standing.of_no_row(&asked.caller))?;
    access::thread(&asked.caller, &found.thread).require()?;
    standing.require_current()?;
    let position = fresh.position_with([found.thread.place.position]);
    Ok((found, position))
}

async fn then(app: &App, asked: &Asked<PathId<ThreadId>, When>, as_of: AsOf) -> Result<Found, ReadError> {
    let PathId(id) = asked.path;
    let place = as_of.place(app).await?;
    let thread = row_at::<Threads>(app, id, id, place.position)
        .await?
        .ok_or(ReadError::NotFound)?;
    access::thread(&asked.caller, &thread).require()?;
    let patient_id = thread.patient_id;
    let patient = row_at::<Patients>(app, patient_id, patient_id, place.position).await?;
    let found = reads::ThreadView {
        thread,
        patient_name: patient.map(|row| row.name()),
    };
    Ok((found, place))
}
