//! `POST /threads`: begins a conversation about a patient.

use axum::extract::State;
use praxis_domain::thread::open::OpenThread;
use praxis_domain::words::Topic;
use praxis_events::ids::{PatientId, PractitionerId, ThreadId};
use praxis_events::thread::Participant;
use praxis_http_kit::fault::FaultCode;
use praxis_http_kit::fields::{Fields, FromFields, values};
use praxis_http_kit::problem::Problem;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Received;
use crate::routes::described::{CommandHeaders, CommandProblems};
use crate::routes::reading::value;

/// Most participants looked at; more than a conversation may have, so that the domain says so.
const PARTICIPANTS_LEN_MAX: usize = 500;

/// A conversation to begin.
#[derive(Debug, ToSchema)]
#[schema(as = OpenThread, example = json!({
    "patient_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c01",
    "participants": [
        { "kind": "patient", "id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c01" },
        { "kind": "practitioner", "id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c02" }
    ],
    "topic": "results of Tuesday"
}))]
pub struct OpenThreadBody {
    /// Whom it is about.
    #[schema(value_type = Uuid)]
    pub patient_id: PatientId,
    /// Who takes part: that patient and practitioners; a patient who begins it takes part.
    #[schema(value_type = Vec<WrittenParticipant>, required = false)]
    pub participants: Vec<Participant>,
    /// What it is about.
    #[schema(value_type = String, max_length = 200)]
    pub topic: Topic,
}

/// Who takes part, as callers write it.
#[derive(Debug, ToSchema)]
#[schema(as = Participant, example = json!({ "kind": "patient", "id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c01" }))]
pub struct WrittenParticipant {
    /// `patient` or `practitioner`.
    pub kind: String,
    /// Which.
    pub id: Uuid,
}

impl FromFields for OpenThreadBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let patient_id = fields.required("patient_id", values::id);
        let participants = fields.objects("participants", PARTICIPANTS_LEN_MAX, participant);
        let topic = fields.required("topic", value(Topic::parse));
        Some(Self {
            patient_id: patient_id?,
            participants: participants?,
            topic: topic?,
        })
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Patient,
    Practitioner,
}

fn participant(fields: &mut Fields<'_>) -> Option<Participant> {
    let kind = fields.required(
        "kind",
        values::parsed(|text| match text {
            "patient" => Ok(Kind::Patient),
            "practitioner" => Ok(Kind::Practitioner),
            _ => Err(FaultCode::UNKNOWN_VALUE),
        }),
    );
    let id = fields.required("id", values::id::<Uuid>);
    Some(match kind? {
        Kind::Patient => Participant::Patient(PatientId(id?)),
        Kind::Practitioner => Participant::Practitioner(PractitionerId(id?)),
    })
}

/// Begins a conversation about a patient
///
/// Among that patient and practitioners. Patients begin conversations about themselves and take part in them.
#[utoipa::path(
    post,
    path = "/threads",
    tag = "threads",
    params(CommandHeaders),
    request_body = OpenThreadBody,
    responses((status = CREATED, description = "the conversation is open", body = Written), CommandProblems),
)]
pub async fn open_thread(
    State(app): State<App>,
    Received { value, call }: Received<OpenThreadBody>,
) -> Result<Answer, Problem> {
    let command = OpenThread {
        thread_id: ThreadId(app.executor.new_id()),
        patient_id: value.patient_id,
        participants: value.participants,
        topic: value.topic,
    };
    Ok(Answer::created(app.executor.execute(&command, &call).await?))
}
