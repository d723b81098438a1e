//! `POST /appointments/{id}/arrive`: states that the patient is in the house.

use axum::extract::State;
use praxis_domain::appointment::arrive::ArriveAppointment;
use praxis_events::ids::AppointmentId;
use praxis_http_kit::params::PathId;
use praxis_http_kit::problem::Problem;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Ordered;
use crate::routes::described::{CommandHeaders, CommandProblems};

/// States that the patient is in the house
///
/// On the day of the appointment, at most an hour early. After a no-show this is a late arrival and takes the time again.
#[utoipa::path(
    post,
    path = "/appointments/{id}/arrive",
    tag = "appointments",
    params(("id" = Uuid, Path, description = "the appointment"), CommandHeaders),
    responses((status = OK, description = "the patient has arrived", body = Written), CommandProblems),
)]
pub async fn arrive_appointment(
    State(app): State<App>,
    PathId(appointment_id): PathId<AppointmentId>,
    Ordered { call }: Ordered,
) -> Result<Answer, Problem> {
    let command = ArriveAppointment { appointment_id };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
