//! `POST /patients/{id}/death`: records that a patient died.

use axum::extract::State;
use chrono::{DateTime, Utc};
use praxis_domain::patient::record_death::RecordDeath;
use praxis_events::ids::PatientId;
use praxis_events::personal::Personal;
use praxis_http_kit::fields::{Fields, FromFields, values};
use praxis_http_kit::params::PathId;
use praxis_http_kit::problem::Problem;
use utoipa::ToSchema;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Received;
use crate::routes::described::{CommandHeaders, CommandProblems};

/// When a patient died.
#[derive(Debug, ToSchema)]
#[schema(as = RecordDeath, example = json!({ "at": "2026-10-04T21:40:00+02:00" }))]
pub struct RecordDeathBody {
    /// When (RFC 3339 with an offset).
    #[schema(value_type = String, format = DateTime)]
    pub at: Personal<DateTime<Utc>>,
}

impl FromFields for RecordDeathBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let at = fields.required("at", values::instant);
        Some(Self {
            at: Personal::new(at?),
        })
    }
}

/// Records a patient's death
///
/// Nothing can be booked any more. Recording another time corrects the first.
#[utoipa::path(
    post,
    path = "/patients/{id}/death",
    tag = "patients",
    params(("id" = Uuid, Path, description = "the patient"), CommandHeaders),
    request_body = RecordDeathBody,
    responses((status = OK, description = "the death is recorded", body = Written), CommandProblems),
)]
pub async fn record_death(
    State(app): State<App>,
    PathId(patient_id): PathId<PatientId>,
    Received { value, call }: Received<RecordDeathBody>,
) -> Result<Answer, Problem> {
    let command = RecordDeath {
        patient_id,
        at: value.at,
    };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
