//! `GET /patients/{id}/appointments`: a patient's bookings, in every status, by start.

use axum::extract::State;
use praxis_events::ids::PatientId;
use praxis_http_kit::params::PathId;
use praxis_read_models::reads::AppointmentCursor;

use crate::access;
use crate::answer::{Answer, Listing};
use crate::app::App;
use crate::asked::AskedOf;
use crate::error::ReadError;
use crate::freshness::Fresh;
use crate::openapi::{MinPositionHeader, PageQuery, RecordPath, RecordProblems};
use crate::page::Slice;
use crate::view::appointment::AppointmentView;

/// List a patient's bookings.
///
/// In every status, by start. A patient may list their own.
#[utoipa::path(
    get,
    path = "/patients/{id}/appointments",
    tag = "patients",
    params(RecordPath, PageQuery, MinPositionHeader),
    responses(
        (status = OK, description = "A page of bookings.", body = Listing<AppointmentView>,
            headers(("Praxis-Position" = String), ("Link" = String)),
            example = json!({
                "items": [{
                    "id": "0198c7a2-6c2f-7d55-8e21-4f7b3c9f5e82", "version": 1, "status": "booked",
                    "starts": "2026-03-30T08:30:00Z", "ends": "2026-03-30T09:00:00Z", "zone": "Europe/London",
                    "local_start": "2026-03-30T09:30:00",
                    "patient_id": "0198c7a2-5b1e-7c44-9d10-3f6a2b8e4d71",
                    "patient_name": { "family_name": "Okafor", "given_names": ["Amara"] },
                    "practitioner_id": "0198c7a2-7d30-7e66-9f32-5a8c4dab6f93",
                    "practitioner_name": { "family_name": "Lindqvist", "given_names": ["Ebba"] },
                    "location_id": "0198c7a2-8e41-7f77-a043-6b9d5ebc70a4", "location_name": "North Clinic",
                    "occupancy": "exclusive", "booked_at": "2026-03-01T10:00:00Z",
                }],
                "incomplete": false,
            })),
        RecordProblems,
    ),
)]
pub async fn list_appointments_of_patient(
    State(app): State<App>,
    asked: AskedOf<PatientId, Slice<AppointmentCursor>>,
) -> Result<Answer<Listing<AppointmentView>>, ReadError> {
    let PathId(id) = asked.path;
    access::patient(&asked.caller, id).require()?;
    let fresh = Fresh::open(&app, asked.min).await?;
    let standing = fresh.standing(id.0).await?;
    let patient = fresh.reads.patient(id).await?;
    standing.require_current()?;
    patient.ok_or(ReadError::NotFound)?;
    let rows = fresh
        .reads
        .appointments_of_patient(id, asked.query.after, asked.query.rows_len())
        .await?;
    let (rows, next) = asked.query.cut(rows, |row| AppointmentCursor {
        starts: row.appointment.slot.starts,
        id: row.appointment.id,
    });
    let position = fresh.position_with(rows.iter().map(|row| row.appointment.place.position));
    let items = rows.into_iter().map(Into::into).collect();
    Ok(Answer::page(items, next.as_ref(), fresh.completeness().await?, position).linked(asked.uri, next))
}
