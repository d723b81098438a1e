//! `GET /threads`: the conversations of someone, the latest first.

use axum::extract::State;
use praxis_auth::claims::Principal;
use praxis_events::ids::{PatientId, PractitionerId};
use praxis_events::thread::Participant;
use praxis_http_kit::fault::{Fault, FaultCode, Place};
use praxis_http_kit::fields::values;
use praxis_http_kit::params::{FromQuery, QueryFields};
use praxis_read_models::reads::ThreadCursor;
use utoipa::IntoParams;

use crate::access;
use crate::answer::{Answer, Listing};
use crate::app::App;
use crate::asked::{Asked, NoPath};
use crate::error::ReadError;
use crate::freshness::Fresh;
use crate::openapi::{MinPositionHeader, PageQuery, RecordProblems};
use crate::page::Slice;
use crate::view::thread::ThreadView;

const ONLY_ONE: FaultCode = FaultCode::new("only-one", "cannot be given together with patient_id");
const ONE_OF: FaultCode = FaultCode::new("required", "is required, unless there is a practitioner_id");

/// Whose conversations.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ThreadsQuery {
    /// Those a patient takes part in. A patient may leave it out: their own are meant.
    #[param(value_type = Option<uuid::Uuid>)]
    pub patient_id: Option<PatientId>,
    /// Those a practitioner takes part in. A doctor may leave it out: their own are meant.
    #[param(value_type = Option<uuid::Uuid>)]
    pub practitioner_id: Option<PractitionerId>,
    /// The page.
    #[param(ignore)]
    pub slice: Slice<ThreadCursor>,
}

impl FromQuery for ThreadsQuery {
    fn from_query(query: &mut QueryFields) -> Option<Self> {
        let patient_id = query.optional("patient_id", values::id_of_text);
        let practitioner_id = query.optional("practitioner_id", values::id_of_text);
        if patient_id.is_some() && practitioner_id.is_some() {
            query.fault("practitioner_id", ONLY_ONE);
        }
        Some(Self {
            patient_id,
            practitioner_id,
            slice: Slice::from_query(query)?,
        })
    }
}

impl ThreadsQuery {
    /// Whom the caller asks about: the one named, else themselves.
    fn participant(&self, caller: &Principal) -> Result<Participant, ReadError> {
        let named = self
            .patient_id
            .map(Participant::Patient)
            .or(self.practitioner_id.map(Participant::Practitioner));
        named
            .or_else(|| access::own_participant(caller))
            .ok_or_else(|| ReadError::Faults(vec![Fault::new(Place::Query, "/patient_id", ONE_OF)]))
    }
}

/// List conversations.
///
/// Those that a patient or practitioner takes part in, by last activity, the latest first. Patients and doctors list
/// their own; staff name whose.
#[utoipa::path(
    get,
    path = "/threads",
    tag = "threads",
    params(ThreadsQuery, PageQuery, MinPositionHeader),
    responses(
        (status = OK, description = "A page of conversations.", body = Listing<ThreadView>,
            headers(("Praxis-Position" = String), ("Link" = String)),
            example = json!({
                "items": [{
                    "id": "0198c7a2-c285-73bb-a487-afd192f0b4e8", "version": 5,
                    "patient_id": "0198c7a2-5b1e-7c44-9d10-3f6a2b8e4d71",
                    "patient_name": { "family_name": "Okafor", "given_names": ["Amara"] },
                    "topic": "about a result",
                    "opened_at": "2026-03-01T10:00:00Z", "last_activity_at": "2026-03-02T09:00:00Z", "message_count": 3,
                    "participants": [
                        { "kind": "patient", "id": "0198c7a2-5b1e-7c44-9d10-3f6a2b8e4d71", "unread_count": 1 },
                        { "kind": "practitioner", "id": "0198c7a2-7d30-7e66-9f32-5a8c4dab6f93", "unread_count": 0 },
                    ],
                }],
                "incomplete": false,
            })),
        RecordProblems,
    ),
)]
pub async fn list_threads(
    State(app): State<App>,
    asked: Asked<NoPath, ThreadsQuery>,
) -> Result<Answer<Listing<ThreadView>>, ReadError> {
    let participant = asked.query.participant(&asked.caller)?;
    access::threads_of(&asked.caller, participant).require()?;
    let slice = asked.query.slice;
    let fresh = Fresh::open(&app, asked.min).await?;
    let rows = fresh
        .reads
        .threads_of(participant, slice.after, slice.rows_len())
        .await?;
    let (rows, next) = slice.cut(rows, |row| ThreadCursor {
        last_activity_at: row.thread.last_activity_at,
        id: row.thread.id,
    });
    let position = fresh.position_with(rows.iter().map(|row| row.thread.place.position));
    let views = rows.into_iter().map(|row| ThreadView::new(row, &asked.caller));
    let items = views.collect();
    Ok(Answer::page(items, next.as_ref(), fresh.completeness().await?, position).linked(asked.uri, next))
}
