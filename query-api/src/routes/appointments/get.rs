//! `GET /appointments/{id}`: a booking, now or as it was.

use axum::extract::State;
use praxis_events::ids::AppointmentId;
use praxis_http_kit::params::PathId;
use praxis_http_kit::position::EpochPosition;
use praxis_read_models::models::appointments::Appointments;
use praxis_read_models::models::locations::Locations;
use praxis_read_models::models::patients::Patients;
use praxis_read_models::models::practitioners::Practitioners;
use praxis_read_models::reads;

use crate::access;
use crate::answer::Answer;
use crate::app::App;
use crate::as_of::{AsOf, When, row_at};
use crate::asked::{Asked, AskedOf};
use crate::error::ReadError;
use crate::freshness::Fresh;
use crate::openapi::{AsOfQuery, MinPositionHeader, RecordPath, RecordProblems};
use crate::view::appointment::AppointmentView;

type Found = (reads::AppointmentView, EpochPosition);

/// Show a booking.
///
/// A patient may see their own. As of an earlier moment, the names are those of then too.
#[utoipa::path(
    get,
    path = "/appointments/{id}",
    tag = "appointments",
    params(RecordPath, AsOfQuery, MinPositionHeader),
    responses(
        (status = OK, description = "The booking.", body = AppointmentView,
            headers(("Praxis-Position" = String), ("ETag" = String)),
            example = json!({
                "id": "0198c7a2-6c2f-7d55-8e21-4f7b3c9f5e82", "version": 2, "status": "cancelled",
                "starts": "2026-03-30T08:30:00Z", "ends": "2026-03-30T09:00:00Z", "zone": "Europe/London",
                "local_start": "2026-03-30T09:30:00",
                "patient_id": "0198c7a2-5b1e-7c44-9d10-3f6a2b8e4d71",
                "patient_name": { "family_name": "Okafor", "given_names": ["Amara"] },
                "practitioner_id": "0198c7a2-7d30-7e66-9f32-5a8c4dab6f93",
                "practitioner_name": { "family_name": "Lindqvist", "given_names": ["Ebba"] },
                "location_id": "0198c7a2-8e41-7f77-a043-6b9d5ebc70a4", "location_name": "North Clinic",
                "occupancy": "exclusive", "reason": "a cough",
                "cancellation": { "reason_code": "pat", "by": "patient", "comment": { "erased": true } },
                "booked_at": "2026-03-01T10:00:00Z",
            })),
        RecordProblems,
    ),
)]
pub async fn get_appointment(
    State(app): State<App>,
    asked: AskedOf<AppointmentId, When>,
) -> Result<Answer<AppointmentView>, ReadError> {
    let (found, position) = match asked.query {
        When::Then(as_of) => then(&app, &asked, as_of).await?,
        When::Now => now(&app, &asked).await?,
    };
    let version = found.appointment.place.version;
    Ok(Answer::record(found.into(), position, version))
}

async fn now(app: &App, asked: &Asked<PathId<AppointmentId>, When>) -> Result<Found, ReadError> {
    let PathId(id) = asked.path;
    let fresh = Fresh::open(app, asked.min).await?;
    let standing = fresh.standing(id.0).await?;
    let found = fresh.reads.appointment(id).await?;
    let found = found.ok_or(standing.of_no_row(&asked.caller))?;
    access::appointment(&asked.caller, &found.appointment).require()?;
    standing.require_current()?;
    let position = fresh.position_with([found.appointment.place.position]);
    Ok((found, position))
}

async fn then(
    app: &App,
    asked: &Asked<PathId<AppointmentId>, When>,
    as_of: AsOf,
) -> Result<Found, ReadError> {
    let PathId(id) = asked.path;
    let place = as_of.place(app).await?;
    let at = place.position;
    let appointment = row_at::<Appointments>(app, id, id, at)
        .await?
        .ok_or(ReadError::NotFound)?;
    access::appointment(&asked.caller, &appointment).require()?;
    let (patient, practitioner, location) = (
        appointment.patient_id,
        appointment.practitioner_id,
        appointment.location_id,
    );
    let patient = row_at::<Patients>(app, patient, patient, at).await?;
    let practitioner = row_at::<Practitioners>(app, practitioner, practitioner, at).await?;
    let location = row_at::<Locations>(app, location, location, at).await?;
    let found = reads::AppointmentView {
        appointment,
        patient_name: patient.map(|row| row.name()),
        practitioner_name: practitioner.map(|row| row.name()),
        location_name: location.map(|row| row.name),
    };
    Ok((found, place))
}
