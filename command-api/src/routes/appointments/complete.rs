//! `POST /appointments/{id}/complete`: states that the visit took place.

use axum::extract::State;
use praxis_domain::appointment::complete::CompleteAppointment;
use praxis_events::ids::AppointmentId;
use praxis_http_kit::params::PathId;
use praxis_http_kit::problem::Problem;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Ordered;
use crate::routes::described::{CommandHeaders, CommandProblems};

/// States that the visit took place
///
/// By the assigned practitioner or an administrator.
#[utoipa::path(
    post,
    path = "/appointments/{id}/complete",
    tag = "appointments",
    params(("id" = Uuid, Path, description = "the appointment"), CommandHeaders),
    responses((status = OK, description = "the visit is fulfilled", body = Written), CommandProblems),
)]
pub async fn complete_appointment(
    State(app): State<App>,
    PathId(appointment_id): PathId<AppointmentId>,
    Ordered { call }: Ordered,
) -> Result<Answer, Problem> {
    let command = CompleteAppointment { appointment_id };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
