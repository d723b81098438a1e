//! `GET /appointments?practitioner_id=&date=`: a practitioner's day.

use axum::extract::State;
use chrono::NaiveDate;
use praxis_events::ids::PractitionerId;
use praxis_http_kit::fields::values;
use praxis_http_kit::params::{FromQuery, QueryFields};
use praxis_read_models::reads::AppointmentCursor;
use utoipa::IntoParams;

use crate::access;
use crate::answer::{Answer, Listing};
use crate::app::App;
use crate::asked::{Asked, NoPath};
use crate::error::ReadError;
use crate::freshness::Fresh;
use crate::openapi::{ListProblems, MinPositionHeader, PageQuery};
use crate::page::Slice;
use crate::view::appointment::AppointmentView;

/// Whose day, and which.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DayQuery {
    /// Whose day.
    #[param(value_type = uuid::Uuid)]
    pub practitioner_id: PractitionerId,
    /// The date on the wall of the bookings' locations.
    #[param(example = "2026-03-30")]
    pub date: NaiveDate,
    /// The page.
    #[param(ignore)]
    pub slice: Slice<AppointmentCursor>,
}

impl FromQuery for DayQuery {
    fn from_query(query: &mut QueryFields) -> Option<Self> {
        let practitioner_id = query.required("practitioner_id", values::id_of_text);
        let date = query.required("date", values::date_of_text);
        let slice = Slice::from_query(query);
        Some(Self {
            practitioner_id: practitioner_id?,
            date: date?,
            slice: slice?,
        })
    }
}

/// List a practitioner's day.
///
/// The bookings of a practitioner on a date, in every status, by start.
#[utoipa::path(
    get,
    path = "/appointments",
    tag = "appointments",
    params(DayQuery, PageQuery, MinPositionHeader),
    responses(
        (status = OK, description = "A page of bookings.", body = Listing<AppointmentView>,
            headers(("Praxis-Position" = String), ("Link" = String)),
            example = json!({
                "items": [{
                    "id": "0198c7a2-6c2f-7d55-8e21-4f7b3c9f5e82", "version": 2, "status": "arrived",
                    "starts": "2026-03-30T08:30:00Z", "ends": "2026-03-30T09:00:00Z", "zone": "Europe/London",
                    "local_start": "2026-03-30T09:30:00",
                    "patient_id": "0198c7a2-5b1e-7c44-9d10-3f6a2b8e4d71", "patient_name": { "erased": true },
                    "practitioner_id": "0198c7a2-7d30-7e66-9f32-5a8c4dab6f93",
                    "practitioner_name": { "family_name": "Lindqvist", "given_names": ["Ebba"] },
                    "location_id": "0198c7a2-8e41-7f77-a043-6b9d5ebc70a4", "location_name": "North Clinic",
                    "occupancy": "exclusive", "booked_at": "2026-03-01T10:00:00Z",
                }],
                "incomplete": false,
            })),
        ListProblems,
    ),
)]
pub async fn list_appointments(
    State(app): State<App>,
    asked: Asked<NoPath, DayQuery>,
) -> Result<Answer<Listing<AppointmentView>>, ReadError> {
    let DayQuery {
        practitioner_id,
        date,
        slice,
    } = asked.query;
    let fresh = Fresh::open(&app, asked.min).await?;
    let rows = fresh
        .reads
        .appointments_of_day(practitioner_id, date, slice.after, slice.rows_len())
        .await?;
    let (rows, next) = slice.cut(rows, |row| AppointmentCursor {
        starts: row.appointment.slot.starts,
        id: row.appointment.id,
    });
    for row in &rows {
        access::appointment(&asked.caller, &row.appointment).require()?;
    }
    let position = fresh.position_with(rows.iter().map(|row| row.appointment.place.position));
    let items = rows.into_iter().map(Into::into).collect();
    Ok(Answer::page(items, next.as_ref(), fresh.completeness().await?, position).linked(asked.uri, next))
}
