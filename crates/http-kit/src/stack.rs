//! What stands around every route, and in which order?
//!
//! From the outside in: context (ids, span) · metrics and the log line · panics to 500 · limit of requests under way and of
//! their addresses //! · time limit · policy · body limit · the route.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

use crate::authn::{self, Door};
use crate::code::Code;
use crate::problem::Problem;
use crate::sources::Sources;
use crate::{context, observe};

/// Largest JSON body taken unless said otherwise, bytes: an event may have 256 KiB, and JSON escapes take room.
pub const BODY_BYTES_MAX: usize = 512 * 1024;

/// Longest a request may take unless said otherwise.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Most requests under way unless said otherwise; more are answered 503 at once.
pub const REQUESTS_MAX: usize = 4096;

/// Longest path and query taken, bytes: far more than any route needs. hyper takes 64 KiB, and has no words for more.
const URI_BYTES_MAX: usize = 8 * 1024;

/// The limits of a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest body, bytes.
    pub body_bytes_max: usize,
    /// Longest a request may take.
    pub request_timeout: Duration,
    /// Most requests under way.
    pub requests_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: BODY_BYTES_MAX,
            request_timeout: REQUEST_TIMEOUT,
            requests_max: REQUESTS_MAX,
        }
    }
}

/// These routes with everything around them that every public route has.
pub fn surround(routes: Router, sources: Sources, door: Door, limits: Limits) -> Router {
    let places = Arc::new(Semaphore::new(limits.requests_max));
    routes
        .fallback(|| async { Problem::new(Code::NotFound) })
        .layer(DefaultBodyLimit::max(limits.body_bytes_max))
        .layer(from_fn_with_state(door, authn::enforce))
        .layer(from_fn_with_state(limits.request_timeout, limit_time))
        .layer(from_fn_with_state(places, limit_requests))
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(from_fn(observe::observe))
        .layer(from_fn_with_state(sources, context::provide))
}

/// Ends a request that takes too long with 503. What a command had already handed over still happens; its key tells.
async fn limit_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::TimedOut).into_response(),
    }
}

async fn limit_requests(State(places): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    if uri.path().len() + uri.query().map_or(0, str::len) > URI_BYTES_MAX {
        return Problem::new(Code::UriTooLong).into_response();
    }
    match places.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => Problem::new(Code::Overloaded).into_response(),
    }
}

/// The panic's own words are not read: they may quote anything. Where it happened, the panic hook has logged.
fn answer_panic(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a route panicked");
    Problem::new(Code::Internal).into_response()
}

#[cfg(test)]
mod tests;
