//! Who calls, and does the policy table let them use this route?

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use praxis_auth::claims::Principal;
use praxis_auth::policy::{Access, Decision, PolicyTable, Verb};
use praxis_auth::verify::TokenVerifier;
use tracing::{Span, field};

use self::known::KnownTokens;
use crate::code::Code;
use crate::context::RequestContext;
use crate::problem::Problem;

/// What the door needs: the policy table and the trusted keys.
#[derive(Clone, Debug)]
pub struct Door {
    policy: Arc<PolicyTable>,
    verifier: Arc<TokenVerifier>,
    known: Arc<KnownTokens>,
    beside: &'static [(&'static str, Verb)],
}

impl Door {
    /// A door that keeps to that table and trusts that verifier's keys.
    pub fn new(policy: PolicyTable, verifier: TokenVerifier) -> Self {
        Self {
            policy: Arc::new(policy),
            verifier: Arc::new(verifier),
            known: Arc::new(KnownTokens::new()),
            beside: &[],
        }
    }

    /// The same door, where another process behind the same address serves these methods of these paths: who uses a
    /// method that a path has not is told of them too.
    #[must_use]
    pub const fn beside(mut self, served: &'static [(&'static str, Verb)]) -> Self {
        self.beside = served;
        self
    }

    /// The table it keeps to.
    pub fn policy(&self) -> &PolicyTable {
        &self.policy
    }

    /// The verifier it trusts.
    pub fn verifier(&self) -> &TokenVerifier {
        &self.verifier
    }
}

/// The caller of a route that is not public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller(pub Principal);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or_else(|| Problem::new(Code::Unauthenticated).challenge("Bearer"))
    }
}

/// Lets a request through that the policy table allows; all others end here, those without a matched route too.
pub async fn enforce(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    match judge(&door, &request) {
        Ok(caller) => {
            if let Some(caller) = caller {
                let span = Span::current();
                span.record("account_id", field::display(caller.0.account_id));
                span.record("role", caller.0.role.name());
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// The caller of an allowed request (`None` on a public route), or the problem to answer with.
fn judge(door: &Door, request: &Request) -> Result<Option<Caller>, Problem> {
    let Some(path) = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str) else {
        return Err(Problem::new(Code::NotFound));
    };
    let verb = Verb::from_method(request.method().as_str());
    let public = verb.and_then(|verb| door.policy.access(verb, path)) == Some(Access::Public);
    // A public route does not look at tokens: an expired one must not keep its holder from logging in.
    let caller = if public { None } else { authenticate(door, request) };
    let principal = match &caller {
        Some(Ok(caller)) => Some(&caller.0),
        Some(Err(_)) | None => None,
    };
    match (door.policy.decide(verb, path, principal), caller) {
        (Decision::Allowed, caller) => caller.transpose(),
        (Decision::NoRule, _) => Err(Problem::new(Code::NotFound)),
        (Decision::OtherMethod, _) => Err(method_not_allowed(door, path)),
        (Decision::NeedsToken, Some(Err(problem))) => Err(problem),
        (Decision::NeedsToken, Some(Ok(_)) | None) => {
            Err(Problem::new(Code::Unauthenticated).challenge("Bearer"))
        }
        (Decision::RoleRefused, _) => Err(Problem::new(Code::Forbidden)),
    }
}

fn method_not_allowed(door: &Door, path: &str) -> Problem {
    let beside = door.beside.iter().filter(|(served, _)| *served == path);
    let verbs = door
        .policy
        .verbs(path)
        .into_iter()
        .chain(beside.map(|(_, verb)| *verb));
    let mut names: Vec<&str> = verbs.map(Verb::name).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    Problem::new(Code::MethodNotAllowed).allow(&names.join(", "))
}

/// The caller the bearer token names; `None` without a token.
fn authenticate(door: &Door, request: &Request) -> Option<Result<Caller, Problem>> {
    let refused = |reason: &'static str| {
        metrics::counter!("praxis_http_tokens_refused_total", "reason" => reason).increment(1);
        tracing::info!(reason, "access token refused");
        // One outward code whatever the reason, so that nothing tells a forger how near they came.
        Err(Problem::new(Code::Unauthenticated).challenge("Bearer error=\"invalid_token\""))
    };
    let token = match bearer(request.headers()) {
        Bearer::Absent => return None,
        Bearer::Unreadable => return Some(refused("header")),
        Bearer::Token(token) => token,
    };
    let Some(context) = request.extensions().get::<RequestContext>() else {
        tracing::error!("a route is served without the request context around it");
        return Some(Err(Problem::new(Code::Internal)));
    };
    let opened = door.known.open(token, &door.verifier);
    Some(
        match opened.and_then(|opened| opened.judged_at(context.received_at)) {
            Ok(principal) => Ok(Caller(principal)),
            Err(fault) => refused(fault.reason()),
        },
    )
}

enum Bearer<'a> {
    Absent,
    Unreadable,
    Token(&'a str),
}

/// The token of `Authorization: Bearer …` (RFC 6750 section 2.1); the scheme's case does not matter.
fn bearer(headers: &HeaderMap) -> Bearer<'_> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Bearer::Absent,
        (Some(value), None) => value,
        (Some(_), Some(_)) => return Bearer::Unreadable,
    };
    let Ok(text) = value.to_str() else {
        return Bearer::Unreadable;
    };
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Bearer::Token(token.trim_start()),
        Some(_) | None => Bearer::Unreadable,
    }
}

mod known;
#[cfg(test)]
mod tests;
