//! What a request asks: who calls, and path, query and header read together, so that every fault is named at once.

use axum::extract::FromRequestParts;
use http::Uri;
use http::request::Parts;
use praxis_auth::claims::Principal;
use praxis_http_kit::authn::Caller;
use praxis_http_kit::code::Code;
use praxis_http_kit::params::{FromQuery, PathId, read_query};
use praxis_http_kit::position::MinPosition;
use praxis_http_kit::problem::Problem;

/// A request of a route: `I` is what its path names ([`PathId`] or [`NoPath`]), `Q` its query.
#[derive(Clone, Debug)]
pub struct Asked<I, Q> {
    /// Who asks.
    pub caller: Principal,
    /// What the path names.
    pub path: I,
    /// What the query says.
    pub query: Q,
    /// How new the answer must be.
    pub min: MinPosition,
    /// The request's own path and query, for the link to the next page.
    pub uri: Uri,
}

/// A request about one record.
pub type AskedOf<Id, Q> = Asked<PathId<Id>, Q>;

/// A path without parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPath;

impl<S: Send + Sync> FromRequestParts<S> for NoPath {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self)
    }
}

impl<S, I, Q> FromRequestParts<S> for Asked<I, Q>
where
    S: Send + Sync,
    I: FromRequestParts<S, Rejection = Problem> + Send,
    Q: FromQuery + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Caller(caller) = Caller::from_request_parts(parts, state).await?;
        let path = I::from_request_parts(parts, state).await;
        let query = read_query::<Q>(&parts.uri);
        let min = MinPosition::parse(&parts.headers);
        match (path, query, min) {
            (Ok(path), Ok(query), Ok(min)) => Ok(Self {
                caller,
                path,
                query,
                min,
                uri: parts.uri.clone(),
            }),
            (path, query, min) => Err(joined([path.err(), query.err(), min.err()])),
        }
    }
}

/// One problem for all: the faults of every part, or the first problem that is none of faults.
fn joined(problems: [Option<Problem>; 3]) -> Problem {
    let mut faults = Vec::new();
    for problem in problems.into_iter().flatten() {
        if problem.faults().is_empty() {
            return problem;
        }
        faults.extend_from_slice(problem.faults());
    }
    Problem::with_faults(Code::InvalidParameter, faults)
}
