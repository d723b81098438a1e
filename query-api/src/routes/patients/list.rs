//! `GET /patients`: every patient, by id.

use axum::extract::State;
use praxis_events::ids::PatientId;

use crate::answer::{Answer, Listing};
use crate::app::App;
use crate::asked::{Asked, NoPath};
use crate::error::ReadError;
use crate::freshness::Fresh;
use crate::openapi::{ListProblems, MinPositionHeader, PageQuery};
use crate::page::Slice;
use crate::view::patient::PatientSummary;

/// List patients.
///
/// By id, which is about the order of registration, and stable. To find someone, use `POST /patients/search`.
#[utoipa::path(
    get,
    path = "/patients",
    tag = "patients",
    params(PageQuery, MinPositionHeader),
    responses(
        (status = OK, description = "A page of patients.", body = Listing<PatientSummary>,
            headers(("Praxis-Position" = String), ("Link" = String)),
            example = json!({
                "items": [{
                    "id": "0198c7a2-5b1e-7c44-9d10-3f6a2b8e4d71", "version": 3, "record_number": "P-0001234-0",
                    "status": "active", "registered_at": "2026-01-05T08:00:00Z",
                    "demographics": { "family_name": "Okafor", "given_names": ["Amara"], "birth_date": "1984-06", "gender": "female" },
                }],
                "incomplete": false,
                "next_cursor": "AQEBAZjHolsefESdED9qK45NcQ",
            })),
        ListProblems,
    ),
)]
pub async fn list_patients(
    State(app): State<App>,
    asked: Asked<NoPath, Slice<PatientId>>,
) -> Result<Answer<Listing<PatientSummary>>, ReadError> {
    let fresh = Fresh::open(&app, asked.min).await?;
    let rows = fresh
        .reads
        .patients_page(asked.query.after, asked.query.rows_len())
        .await?;
    let (rows, next) = asked.query.cut(rows, |row| row.id);
    let position = fresh.position_with(rows.iter().map(|row| row.place.position));
    let items = rows.into_iter().map(Into::into).collect();
    Ok(Answer::page(items, next.as_ref(), fresh.completeness().await?, position).linked(asked.uri, next))
}
