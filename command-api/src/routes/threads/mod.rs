//! `/threads`: conversations about a patient.

pub mod messages;
pub mod open;

use praxis_events::metadata::ActorRole;
use praxis_events::thread::Participant;
use praxis_http_kit::code::Code;
use praxis_http_kit::problem::Problem;

use crate::call::Call;

/// As whom the caller takes part in conversations.
///
/// # Errors
/// `forbidden` for accounts that are neither a patient's nor a practitioner's; nobody speaks for another.
pub fn caller(call: &Call) -> Result<Participant, Problem> {
    let participant = match call.actor.role {
        ActorRole::Patient => call.patient_id.map(Participant::Patient),
        ActorRole::Doctor => call.practitioner_id.map(Participant::Practitioner),
        ActorRole::Admin | ActorRole::Staff | ActorRole::Auditor | ActorRole::System => None,
    };
    participant.ok_or_else(|| Problem::new(Code::Forbidden))
}
