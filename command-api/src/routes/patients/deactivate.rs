//! `DELETE /patients/{id}`: sets a patient's record inactive.

use axum::extract::State;
use praxis_domain::patient::deactivate::DeactivatePatient;
use praxis_events::ids::PatientId;
use praxis_http_kit::params::PathId;
use praxis_http_kit::problem::Problem;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Ordered;
use crate::routes::described::{CommandHeaders, CommandProblems};

/// Sets a patient's record inactive
///
/// Nothing is deleted: the record and its history stay, what is booked stays, and nothing more can be booked. Erasing a
/// person's data is another command.
#[utoipa::path(
    delete,
    path = "/patients/{id}",
    tag = "patients",
    params(("id" = Uuid, Path, description = "the patient"), CommandHeaders),
    responses((status = OK, description = "the record is inactive", body = Written), CommandProblems),
)]
pub async fn deactivate_patient(
    State(app): State<App>,
    PathId(patient_id): PathId<PatientId>,
    Ordered { call }: Ordered,
) -> Result<Answer, Problem> {
    let command = DeactivatePatient { patient_id };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
