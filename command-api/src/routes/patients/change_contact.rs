//! `PUT /patients/{id}/contact`: changes how a patient is reached.

use axum::extract::State;
use praxis_domain::patient::change_contact::ChangePatientContact;
use praxis_domain::patient::details::ContactDetails;
use praxis_events::ids::PatientId;
use praxis_http_kit::fields::{Fields, FromFields};
use praxis_http_kit::params::PathId;
use praxis_http_kit::problem::Problem;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Received;
use crate::routes::described::{CommandHeaders, CommandProblems};
use crate::routes::patients::contact::{WrittenContact, contact};

/// How the patient is to be reached; described as [`WrittenContact`].
#[derive(Debug)]
pub struct ChangeContactBody(ContactDetails);

impl FromFields for ChangeContactBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        contact(fields).map(Self)
    }
}

/// Changes how a patient is reached
///
/// The group as a whole takes the place of what the record says: what is not named is no longer there.
#[utoipa::path(
    put,
    path = "/patients/{id}/contact",
    tag = "patients",
    params(("id" = Uuid, Path, description = "the patient"), CommandHeaders),
    request_body = WrittenContact,
    responses((status = OK, description = "the record says so", body = Written), CommandProblems),
)]
pub async fn change_patient_contact(
    State(app): State<App>,
    PathId(patient_id): PathId<PatientId>,
    Received { value, call }: Received<ChangeContactBody>,
) -> Result<Answer, Problem> {
    let command = ChangePatientContact {
        patient_id,
        contact: value.0,
    };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
