//! Which request is this: its correlation id, its trace, and when it arrived?

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use tracing::{Instrument as _, field};
use uuid::Uuid;

use crate::code::Code;
use crate::problem::Problem;
use crate::sources::Sources;
use crate::trace::{Hex, TraceContext};

/// The header that carries the correlation id, both ways.
pub const X_CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
/// The header that carries the trace, both ways (W3C Trace Context).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What is known of every request before anything else is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestContext {
    /// The caller's correlation id if it is a UUID, else a new one.
    pub correlation_id: Uuid,
    /// The request's place in its trace.
    pub trace: TraceContext,
    /// When the request arrived; tokens are judged by it, and `decide` sees no other clock.
    pub received_at: DateTime<Utc>,
}

impl RequestContext {
    /// The context of a request with these headers.
    pub fn new(headers: &HeaderMap, sources: &Sources) -> Self {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let correlation = text(&X_CORRELATION_ID).and_then(|id| Uuid::try_parse(id).ok());
        Self {
            correlation_id: correlation.unwrap_or_else(|| sources.new_id()),
            trace: TraceContext::continue_or_start(text(&TRACEPARENT), sources.new_id()),
            received_at: sources.now(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().copied().ok_or_else(|| {
            tracing::error!("a route is served without the request context around it");
            Problem::new(Code::Internal)
        })
    }
}

/// The route's template, as `/patients/{id}`; the path itself may hold what a caller typed.
pub fn route_of(request: &Request) -> String {
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned())
}

/// The method's name if it is one of HTTP's, so that a made-up one gets into no label.
pub fn method_of(request: &Request) -> &'static str {
    match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

/// Gives the request its context, opens its span, and echoes the ids on the response and in its problem document.
pub async fn provide(State(sources): State<Sources>, mut request: Request, next: Next) -> Response {
    let context = RequestContext::new(request.headers(), &sources);
    request.extensions_mut().insert(context);
    // At the highest level, so that a filter that keeps warnings only keeps their correlation ids too.
    let span = tracing::error_span!(
        "request",
        method = method_of(&request),
        route = route_of(&request),
        correlation_id = %context.correlation_id,
        trace_id = %Hex(&context.trace.trace_id),
        span_id = %Hex(&context.trace.span_id),
        parent_span_id = field::Empty,
        trace_flags = context.trace.flags,
        account_id = field::Empty,
        role = field::Empty,
        status = field::Empty,
    );
    if let Some(parent) = context.trace.parent_span_id {
        span.record("parent_span_id", field::display(Hex(&parent)));
    }
    let mut response = next.run(request).instrument(span).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.into_response_for(Some(context.correlation_id));
    }
    echo(response.headers_mut(), &context);
    response
}

fn echo(headers: &mut HeaderMap, context: &RequestContext) {
    let values = [
        (X_CORRELATION_ID, context.correlation_id.to_string()),
        (TRACEPARENT, context.trace.to_string()),
    ];
    for (name, text) in values {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use serde_json::Value;
    use tower::ServiceExt as _;

    use super::*;
    use crate::sources::fixed;

    async fn send(request: Request) -> Response {
        let router = Router::new()
            .route(
                "/ok",
                get(|context: RequestContext| async move { context.correlation_id.to_string() }),
            )
            .route("/bad", get(|| async { Problem::new(Code::NotFound) }))
            .layer(from_fn_with_state(fixed::sources(), provide));
        router.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_correlation_id_that_is_a_uuid_is_kept_and_echoed() {
        let id = Uuid::from_u128(0xabc).to_string();
        let request = Request::get("/ok")
            .header(X_CORRELATION_ID, &id)
            .body(Body::empty())
            .unwrap();
        let response = send(request).await;
        assert_eq!(response.headers()[X_CORRELATION_ID], id);
        assert_eq!(
            &to_bytes(response.into_body(), 100).await.unwrap()[..],
            id.as_bytes()
        );
    }

    #[tokio::test]
    async fn any_other_correlation_id_is_replaced() {
        let request = Request::get("/ok")
            .header(X_CORRELATION_ID, "Marker")
            .body(Body::empty())
            .unwrap();
        let response = send(request).await;
        assert_eq!(
            response.headers()[X_CORRELATION_ID],
            Uuid::from_u128(1).to_string()
        );
    }

    #[tokio::test]
    async fn the_trace_is_continued_on_the_response() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let request = Request::get("/ok")
            .header(TRACEPARENT, header)
            .body(Body::empty())
            .unwrap();
        let echoed = send(request).await.headers()[TRACEPARENT]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(echoed, "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000002-01");
    }

    #[tokio::test]
    async fn a_problem_names_the_request_it_belongs_to() {
        let response = send(Request::get("/bad").body(Body::empty()).unwrap()).await;
        let id = Uuid::from_u128(1);
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()[X_CORRELATION_ID], id.to_string());
        let document: Value =
            serde_json::from_slice(&to_bytes(response.into_body(), 10_000).await.unwrap()).unwrap();
        assert_eq!(document["correlation_id"], id.to_string());
        assert_eq!(document["instance"], format!("urn:uuid:{id}"));
    }
}
