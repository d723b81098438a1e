//! What a route answers: where the write is in the log, or a problem that says why not.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use praxis_domain::refusal::{Refusal, RefusalCode, Refused};
use praxis_event_store::append::Appended;
use praxis_event_store::codec::DecodeFault;
use praxis_event_store::port::StoreError;
use praxis_event_store::sequencer::AppendError;
use praxis_event_store::vault::VaultError;
use praxis_http_kit::code::Code;
use praxis_http_kit::etag::Version;
use praxis_http_kit::position::EpochPosition;
use praxis_http_kit::problem::Problem;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::call::KeyOrigin;
use crate::execute::ExecuteError;

/// Says whether an answer was kept from an earlier sending of the same command.
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A write that is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Written {
    /// The record the command was about.
    pub id: Uuid,
    /// Its version now; also in `ETag`, to be sent back in `If-Match`.
    pub version: u64,
    /// The log's position; also in `Praxis-Position`, to be sent back in `Praxis-Min-Position`.
    #[schema(value_type = String, example = "1-42")]
    pub position: String,
}

/// A message that is durable. It is part of its conversation, whose record the rest of the answer is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WrittenMessage {
    /// The conversation, its version and the log's position.
    #[serde(flatten)]
    pub thread: Written,
    /// The message, as reading and withdrawing it name it.
    pub message_id: Uuid,
}

/// What sending a message answers over HTTP.
pub struct MessageAnswer {
    /// What became of the command.
    pub appended: Appended,
    /// The message that is in the log.
    pub message_id: Uuid,
}

/// What a command answers over HTTP.
pub struct Answer {
    status: StatusCode,
    appended: Appended,
}

impl Answer {
    /// A record was created.
    pub const fn created(appended: Appended) -> Self {
        Self {
            status: StatusCode::CREATED,
            appended,
        }
    }

    /// A record was changed, or was already as wanted.
    pub const fn ok(appended: Appended) -> Self {
        Self {
            status: StatusCode::OK,
            appended,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        respond(self.status, &self.appended, written(&self.appended))
    }
}

impl IntoResponse for MessageAnswer {
    fn into_response(self) -> Response {
        let body = WrittenMessage {
            thread: written(&self.appended),
            message_id: self.message_id,
        };
        respond(StatusCode::CREATED, &self.appended, body)
    }
}

fn position_of(appended: &Appended) -> EpochPosition {
    EpochPosition {
        epoch: u64::from(appended.epoch),
        position: appended.position,
    }
}

fn written(appended: &Appended) -> Written {
    Written {
        id: appended.id,
        version: appended.version,
        position: position_of(appended).to_string(),
    }
}

fn respond(status: StatusCode, appended: &Appended, body: impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    Version(appended.version).set(headers);
    position_of(appended).set(headers);
    if appended.replayed {
        headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Refused { refused, imported_as } => refusal(&refused, imported_as),
            ExecuteError::PreconditionFailed { actual } => {
                Self::new(Code::PreconditionFailed).member("version", actual)
            }
            ExecuteError::Contended => Self::new(Code::VersionConflict),
            ExecuteError::KeyReused => Self::new(Code::IdempotencyKeyReused),
            ExecuteError::Append { error, origin } => append_problem(&error, origin),
            ExecuteError::Store(error) => store_problem(&error),
            ExecuteError::Vault(error) => vault_problem(&error),
            ExecuteError::Unreadable(fault) => unreadable(fault),
            ExecuteError::Encode(error) => {
                tracing::error!(error = %error, "an event cannot be stored");
                Self::new(Code::Internal)
            }
        }
    }
}

/// The problem for a store that did not answer.
pub fn store_problem(error: &StoreError) -> Problem {
    match error {
        StoreError::Unavailable(_) | StoreError::Busy | StoreError::Unfit(_) => {
            tracing::warn!(error = %error, source = ?std::error::Error::source(error), "event store does not answer");
            Problem::new(Code::DependencyUnavailable)
        }
        StoreError::Refused(_) | StoreError::Corrupt(_) => {
            tracing::error!(error = %error, source = ?std::error::Error::source(error), "event store fault");
            Problem::new(Code::Internal)
        }
    }
}

fn vault_problem(error: &VaultError) -> Problem {
    match error {
        VaultError::Store(error) => store_problem(error),
        VaultError::Unusable(_) | VaultError::Random(_) | VaultError::Wrap(_) => {
            tracing::warn!(error = %error, source = ?std::error::Error::source(error), "data keys cannot be had");
            Problem::new(Code::DependencyUnavailable)
        }
        VaultError::Damaged { .. } => {
            tracing::error!(error = %error, "data key fault");
            Problem::new(Code::Internal)
        }
    }
}

/// A newer version passes with the roll-out; anything else is damage that no retry mends.
fn unreadable(fault: DecodeFault) -> Problem {
    tracing::error!(fault = fault.code(), "a stream cannot be read");
    match fault {
        DecodeFault::NewerVersion => Problem::new(Code::UnknownEventVersion),
        DecodeFault::Shape | DecodeFault::Box | DecodeFault::Key => Problem::new(Code::Internal),
    }
}

fn append_problem(error: &AppendError, origin: KeyOrigin) -> Problem {
    match error {
        AppendError::Refused(_) => Problem::new(Code::VersionConflict),
        AppendError::Overloaded => Problem::new(Code::Overloaded),
        AppendError::EventTooLarge { .. } => Problem::new(Code::EventTooLarge),
        AppendError::Unavailable(error) | AppendError::Fault(error) => store_problem(error),
        AppendError::OutcomeUnknown => {
            Problem::new(Code::DependencyUnavailable).detail(unknown_outcome(origin))
        }
    }
}

/// What to do when nobody knows. Without a key of the caller's, sending again is another command: a second booking or
/// message, if the first is there.
const fn unknown_outcome(origin: KeyOrigin) -> &'static str {
    match origin {
        KeyOrigin::Caller => {
            "nobody knows whether this happened; send it again with the same Idempotency-Key"
        }
        KeyOrigin::Made => {
            "nobody knows whether this happened, and it was sent without an Idempotency-Key: read what is there before \
             sending it again, or it may happen twice"
        }
    }
}

fn refusal(refused: &Refused, imported_as: Option<Uuid>) -> Problem {
    // Another patient's record is one the caller may not know of, whether it is there or not.
    if refused.reasons.contains(&Refusal::NotOwnRecord) {
        return Problem::new(Code::NotFound);
    }
    let code = match refused.code {
        RefusalCode::Forbidden => Code::Forbidden,
        RefusalCode::NotFound => Code::NotFound,
        RefusalCode::InvalidTransition => Code::InvalidTransition,
        RefusalCode::AlreadyExists => Code::ClaimTaken,
        RefusalCode::BookingRefused => Code::BookingRefused,
        RefusalCode::RuleBroken => Code::CommandRefused,
    };
    let reasons: Vec<_> = refused
        .reasons
        .iter()
        .map(|refusal| reason(refusal, imported_as))
        .collect();
    Problem::new(code).member("reasons", reasons)
}

/// One reason: a stable code and words; a refused transition also names from and to, a second import the record that the
/// first one made, which others of the import refer to. Only the front desk imports, and it may know of every record.
fn reason(refusal: &Refusal, imported_as: Option<Uuid>) -> serde_json::Value {
    let mut reason = json!({ "code": refusal.code(), "message": refusal.to_string() });
    if let Refusal::InvalidTransition { from, step, to } = refusal {
        reason["from"] = json!(from.code());
        reason["step"] = json!(step.name());
        reason["to"] = json!(to.map(praxis_events::appointment::AppointmentStatus::code));
    }
    if let (Refusal::AlreadyImported, Some(owner)) = (refusal, imported_as) {
        reason["owner"] = json!(owner);
    }
    reason
}

#[cfg(test)]
mod tests {
    use praxis_domain::appointment::transition::Step;
    use praxis_events::appointment::AppointmentStatus;

    use super::*;

    fn code(error: ExecuteError) -> Code {
        Problem::from(error).code()
    }

    #[test]
    fn only_who_sent_a_key_is_told_to_send_it_again() {
        let detail = |origin| {
            let error = AppendError::OutcomeUnknown;
            let problem = Problem::from(ExecuteError::Append { error, origin });
            assert_eq!(problem.code(), Code::DependencyUnavailable);
            problem.document(None).detail
        };
        assert!(detail(KeyOrigin::Caller).contains("send it again with the same Idempotency-Key"));
        let without_key = detail(KeyOrigin::Made);
        assert!(without_key.contains("read what is there before"), "{without_key}");
        assert!(!without_key.contains("the same Idempotency-Key"), "{without_key}");
    }

    /// The reasons that the page of a problem shows in its example.
    fn shown_reasons(code: Code) -> serde_json::Value {
        let example = code.page().split("```").nth(1).unwrap();
        let example: serde_json::Value = serde_json::from_str(example.trim_start_matches("json")).unwrap();
        example["reasons"].clone()
    }

    #[test]
    fn the_pages_of_refusals_show_what_is_answered() {
        let step = Refusal::InvalidTransition {
            from: AppointmentStatus::Cancelled,
            step: Step::CheckIn,
            to: Some(AppointmentStatus::CheckedIn),
        };
        let pages = [
            (
                Code::BookingRefused,
                vec![Refusal::PractitionerBusy, Refusal::PatientBusy],
            ),
            (Code::ClaimTaken, vec![Refusal::IdentifierTaken]),
            (Code::CommandRefused, vec![Refusal::DeathBeforeBirth]),
            (Code::InvalidTransition, vec![step]),
        ];
        for (code, reasons) in pages {
            let refused = Refused::unless_none(reasons).unwrap_err();
            let answered = refusal(&refused, None);
            assert_eq!(
                (answered.code(), answered.code().name()),
                (code, refused.code.code())
            );
            assert_eq!(answered.document(None).members["reasons"], shown_reasons(code));
        }
    }

    #[test]
    fn what_may_pass_is_503_and_what_does_not_is_500() {
        let corrupt = || StoreError::Corrupt("row");
        assert_eq!(
            code(ExecuteError::Store(StoreError::Busy)),
            Code::DependencyUnavailable
        );
        assert_eq!(code(ExecuteError::Store(corrupt())), Code::Internal);
        assert_eq!(
            code(ExecuteError::Vault(VaultError::Store(corrupt()))),
            Code::Internal
        );
        let damaged = VaultError::Damaged { key_id: Uuid::nil() };
        assert_eq!(code(ExecuteError::Vault(damaged)), Code::Internal);
        let newer = ExecuteError::Unreadable(DecodeFault::NewerVersion);
        assert_eq!(code(newer), Code::UnknownEventVersion);
        assert_eq!(code(ExecuteError::Unreadable(DecodeFault::Box)), Code::Internal);
    }
}
