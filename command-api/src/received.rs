//! What a route receives: its input, checked whole, and who sends it under which key.

use std::sync::Arc;

use axum::body::{Bytes, HttpBody as _};
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use praxis_auth::claims::{Principal, Role};
use praxis_event_store::record::claims_keys::RequestParts;
use praxis_event_store::record::command_key::command_key_hash;
use praxis_event_store::record::random::{OsRandom, RandomSource};
use praxis_events::ids::{AccountId, PatientId, PractitionerId};
use praxis_events::metadata::{Actor, ActorRole, Purpose};
use praxis_http_kit::authn::Caller;
use praxis_http_kit::body::Body;
use praxis_http_kit::code::Code;
use praxis_http_kit::context::RequestContext;
use praxis_http_kit::etag::IfMatch;
use praxis_http_kit::fields::FromFields;
use praxis_http_kit::idempotency::IdempotencyKey;
use praxis_http_kit::params::{NoQuery, read_query};
use praxis_http_kit::problem::Problem;
use praxis_http_kit::trace::{Hex, SAMPLED, TraceContext};

use crate::call::{Call, CallKey, KeyOrigin};
use crate::execute::Executor;

/// A command's input, and the call it came in.
#[derive(Debug)]
pub struct Received<T> {
    /// The body, read whole, checked whole.
    pub value: T,
    /// Who, under which key, having seen what.
    pub call: Call,
}

/// Like [`Received`], for a command that says all in its path: no body, or an empty object.
#[derive(Debug)]
pub struct Ordered {
    /// Who, under which key, having seen what.
    pub call: Call,
}

struct Nothing;

impl FromFields for Nothing {
    fn from_fields(_: &mut praxis_http_kit::fields::Fields<'_>) -> Option<Self> {
        Some(Self)
    }
}

impl<T, S> FromRequest<S> for Received<T>
where
    T: FromFields,
    S: Send + Sync,
    Arc<Executor>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let door = Door::from_parts(&mut parts, state).await?;
        let body = Body::<T>::from_request(Request::from_parts(parts, body), state).await;
        let (door, body) = joined(door, body)?;
        let call = door.call(&Arc::from_ref(state), &body.bytes)?;
        Ok(Self {
            value: body.value,
            call,
        })
    }
}

impl<S> FromRequest<S> for Ordered
where
    S: Send + Sync,
    Arc<Executor>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !request.body().is_end_stream() {
            let received = Received::<Nothing>::from_request(request, state).await?;
            return Ok(Self { call: received.call });
        }
        let (mut parts, _) = request.into_parts();
        let door = Door::from_parts(&mut parts, state).await?;
        Ok(Self {
            call: door?.call(&Arc::from_ref(state), &Bytes::new())?,
        })
    }
}

/// Both, or one problem that names what is wrong with either.
fn joined<A, B>(first: Result<A, Problem>, second: Result<B, Problem>) -> Result<(A, B), Problem> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(problem), Ok(_)) | (Ok(_), Err(problem)) => Err(problem),
        (Err(first), Err(second)) => Err(first.joined_by(second)),
    }
}

/// Everything of a request but its body.
struct Door {
    principal: Principal,
    context: RequestContext,
    key: Option<IdempotencyKey>,
    if_match: IfMatch,
    method: String,
    path: String,
}

impl Door {
    /// The outer error is about who asks, and ends everything; the inner one about what the headers and the query say,
    /// which the body's faults may join.
    async fn from_parts<S: Send + Sync>(
        parts: &mut http::request::Parts,
        state: &S,
    ) -> Result<Result<Self, Problem>, Problem> {
        let Caller(principal) = Caller::from_request_parts(parts, state).await?;
        let context = RequestContext::from_request_parts(parts, state).await?;
        let said = joined(
            read_query::<NoQuery>(&parts.uri),
            joined(
                IdempotencyKey::parse(&parts.headers),
                IfMatch::parse(&parts.headers),
            ),
        );
        let (NoQuery, (key, if_match)) = match said {
            Ok(said) => said,
            Err(problem) => return Ok(Err(problem)),
        };
        let path = parts
            .uri
            .path_and_query()
            .map_or_else(|| parts.uri.path().to_owned(), ToString::to_string);
        Ok(Ok(Self {
            principal,
            context,
            key,
            if_match,
            method: parts.method.to_string(),
            path,
        }))
    }

    fn call(self, executor: &Executor, body: &Bytes) -> Result<Call, Problem> {
        let if_match = if_match_text(self.if_match);
        let parts = RequestParts {
            method: &self.method,
            path: &self.path,
            if_match: if_match.as_deref(),
            body,
        };
        let claims_keys = executor.claims_keys();
        let request = *claims_keys.request_tag(&parts).as_bytes();
        let key = match &self.key {
            Some(key) => CallKey {
                key: command_key_hash(self.principal.account_id, key.as_str()),
                request,
                other_requests: claims_keys
                    .other_request_tags(&parts)
                    .iter()
                    .map(|tag| *tag.as_bytes())
                    .collect(),
                origin: KeyOrigin::Caller,
            },
            None => CallKey {
                key: random_key()?,
                request,
                other_requests: Vec::new(),
                origin: KeyOrigin::Made,
            },
        };
        let role = actor_role(self.principal.role);
        Ok(Call {
            actor: Actor {
                account_id: AccountId(self.principal.account_id),
                role,
                on_behalf_of: None,
            },
            patient_id: self.principal.patient_id.map(PatientId),
            practitioner_id: self.principal.practitioner_id.map(PractitionerId),
            purpose: purpose_of(role),
            correlation_id: self.context.correlation_id,
            trace: kept_trace(&self.context.trace),
            key,
            if_match: match self.if_match {
                IfMatch::Version(version) => Some(version),
                IfMatch::Absent | IfMatch::Any => None,
            },
        })
    }
}

/// Trace and span as the record keeps them. Of a trace that its caller does not have recorded nothing is kept: the
/// event would hand on ids that no trace has.
fn kept_trace(trace: &TraceContext) -> Option<(String, String)> {
    let is_sampled = trace.flags & SAMPLED != 0;
    is_sampled.then(|| (Hex(&trace.trace_id).to_string(), Hex(&trace.span_id).to_string()))
}

/// The header as it was sent: each condition has one spelling, and anything else was refused.
fn if_match_text(if_match: IfMatch) -> Option<String> {
    match if_match {
        IfMatch::Absent => None,
        IfMatch::Any => Some("*".to_owned()),
        IfMatch::Version(version) => Some(format!("\"{version}\"")),
    }
}

fn random_key() -> Result<[u8; 32], Problem> {
    let mut key = [0; 32];
    OsRandom
        .fill(&mut key)
        .map_err(|_| Problem::new(Code::Internal))?;
    Ok(key)
}

const fn actor_role(role: Role) -> ActorRole {
    match role {
        Role::Admin => ActorRole::Admin,
        Role::Doctor => ActorRole::Doctor,
        Role::Staff => ActorRole::Staff,
        Role::Patient => ActorRole::Patient,
        Role::Auditor => ActorRole::Auditor,
    }
}

/// What a role acts for, unless the request says otherwise (break-glass does).
const fn purpose_of(role: ActorRole) -> Purpose {
    match role {
        ActorRole::Doctor => Purpose::Treat,
        ActorRole::Patient => Purpose::Patrqt,
        ActorRole::Admin | ActorRole::Staff | ActorRole::Auditor | ActorRole::System => Purpose::Hoperat,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn kept(flags: &str) -> Option<(String, String)> {
        let header = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
        kept_trace(&TraceContext::continue_or_start(
            Some(&header),
            Uuid::from_u128(0x0192_f0c1_0000_7000_8000_0000_0000_0001),
        ))
    }

    #[test]
    fn a_recorded_trace_is_kept_with_the_span_of_the_request() {
        let ids = (
            "0af7651916cd43dd8448eb211c80319c".to_owned(),
            "8000000000000001".to_owned(),
        );
        assert_eq!(kept("01"), Some(ids.clone()));
        assert_eq!(kept("03"), Some(ids));
    }

    #[test]
    fn nothing_is_kept_of_a_trace_that_is_not_recorded() {
        assert_eq!(kept("00"), None);
        assert_eq!(kept("02"), None);
    }
}
