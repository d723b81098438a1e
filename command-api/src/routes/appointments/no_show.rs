//! `POST /appointments/{id}/no-show`: states that the patient did not come.

use axum::extract::State;
use praxis_domain::appointment::mark_no_show::MarkNoShow;
use praxis_events::ids::AppointmentId;
use praxis_http_kit::params::PathId;
use praxis_http_kit::problem::Problem;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Ordered;
use crate::routes::described::{CommandHeaders, CommandProblems};

/// States that the patient did not come
///
/// Not before a quarter of an hour after the start. The time is free.
#[utoipa::path(
    post,
    path = "/appointments/{id}/no-show",
    tag = "appointments",
    params(("id" = Uuid, Path, description = "the appointment"), CommandHeaders),
    responses((status = OK, description = "the visit is marked as not attended", body = Written), CommandProblems),
)]
pub async fn mark_no_show(
    State(app): State<App>,
    PathId(appointment_id): PathId<AppointmentId>,
    Ordered { call }: Ordered,
) -> Result<Answer, Problem> {
    let command = MarkNoShow { appointment_id };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
