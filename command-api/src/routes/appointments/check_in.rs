//! `POST /appointments/{id}/check-in`: states that the patient is checked in.

use axum::extract::State;
use praxis_domain::appointment::check_in::CheckInAppointment;
use praxis_events::ids::AppointmentId;
use praxis_http_kit::params::PathId;
use praxis_http_kit::problem::Problem;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Ordered;
use crate::routes::described::{CommandHeaders, CommandProblems};

/// States that the patient is checked in
///
/// On the day of the appointment, having arrived before or just now.
#[utoipa::path(
    post,
    path = "/appointments/{id}/check-in",
    tag = "appointments",
    params(("id" = Uuid, Path, description = "the appointment"), CommandHeaders),
    responses((status = OK, description = "the patient is checked in", body = Written), CommandProblems),
)]
pub async fn check_in_appointment(
    State(app): State<App>,
    PathId(appointment_id): PathId<AppointmentId>,
    Ordered { call }: Ordered,
) -> Result<Answer, Problem> {
    let command = CheckInAppointment { appointment_id };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
