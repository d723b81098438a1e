//! The routes by which an operator looks after the read models of a running `praxis serve`.
//!
//! Only this tier has them: its files belong to the serving process. Of the services' read models `praxis views` asks
//! the database itself.

use axum::Json;
use axum::body::HttpBody as _;
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use praxis_auth::claims::Role;
use praxis_auth::policy::{Rule, Verb};
use praxis_http_kit::body::Body;
use praxis_http_kit::fault::FaultCode;
use praxis_http_kit::fields::{Fields, FromFields, values};
use praxis_http_kit::params::{FromQuery, NoQuery, Params, QueryFields, read_query};
use praxis_http_kit::problem::Problem;
use praxis_projector::rebuild::NewlyParked;
use praxis_query_api::error::ReadError;
use praxis_query_api::openapi::{ListProblems, RecordProblems, SearchProblems};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::documents::{Parked, RebuildStatus, Retried, Status};
use super::tools::Tools;

const ADMIN: &[Role] = &[Role::Admin];

/// Whom each route serves.
pub const RULES: &[Rule] = &[
    Rule::roles(Verb::Get, "/views", ADMIN),
    Rule::roles(Verb::Get, "/views/parked", ADMIN),
    Rule::roles(Verb::Post, "/views/rebuild", ADMIN),
    Rule::roles(Verb::Post, "/views/retry", ADMIN),
];

/// Every route, with its description.
pub fn routes() -> OpenApiRouter<Tools> {
    OpenApiRouter::new()
        .routes(routes!(get_views))
        .routes(routes!(list_parked))
        .routes(routes!(rebuild_views))
        .routes(routes!(retry_parked_events))
}

/// Show how far the read models are.
///
/// Generations, their positions, lag and parked streams, and the rebuild under way. Served by `praxis serve` only.
#[utoipa::path(
    get,
    path = "/views",
    tag = "views",
    responses((status = OK, description = "Every generation.", body = Status), ListProblems),
)]
async fn get_views(State(tools): State<Tools>, _: Params<NoQuery>) -> Result<Response, ReadError> {
    Ok(told(StatusCode::OK, tools.status().await?))
}

/// Which parked events.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct ParkedQuery {
    /// Of which generation.
    #[param(minimum = 1, example = 2)]
    generation: u32,
    /// Those after this position.
    #[param(required = false, example = 0)]
    after: u64,
}

impl FromQuery for ParkedQuery {
    fn from_query(query: &mut QueryFields) -> Option<Self> {
        let generation = query.required("generation", number);
        let after = query.optional("after", number);
        (!query.has_faults()).then_some(())?;
        Some(Self {
            generation: generation?,
            after: after.unwrap_or(0),
        })
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, FaultCode> {
    text.parse().map_err(|_| FaultCode::NOT_AN_INTEGER)
}

/// List events that could not be read.
///
/// Where they are and why, nothing of what they say. Served by `praxis serve` only.
#[utoipa::path(
    get,
    path = "/views/parked",
    tag = "views",
    params(ParkedQuery),
    responses((status = OK, description = "At most 1,000 events.", body = Parked), RecordProblems),
)]
async fn list_parked(
    State(tools): State<Tools>,
    Params(query): Params<ParkedQuery>,
) -> Result<Response, ReadError> {
    let parked = tools.parked(query.generation, query.after).await?;
    Ok(told(StatusCode::OK, parked))
}

/// What a rebuild is ordered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ToSchema)]
struct RebuildOrder {
    /// The generation under way that is to take over although streams are parked in it that were not before.
    #[schema(example = 3)]
    #[allow(dead_code, reason = "utoipa describes the field; the reader below fills it")]
    accept_parked_of: Option<u32>,
}

impl FromFields for RebuildOrder {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let accept_parked_of = fields.optional("accept_parked_of", values::integer);
        Some(Self { accept_parked_of })
    }
}

/// Build the read models anew.
///
/// Begins another generation beside the one that is read, or finds the one that was begun; no read is interrupted. It
/// takes over by itself when it has come as far, unless streams are parked in it that are not parked now: then it waits
/// to be accepted. `GET /views` shows how far it is. Served by `praxis serve` only.
#[utoipa::path(
    post,
    path = "/views/rebuild",
    tag = "views",
    request_body(content = Option<RebuildOrder>, description = "nothing, or what is accepted"),
    responses(
        (status = ACCEPTED, description = "The rebuild is under way, or has just taken over.", body = RebuildStatus),
        RecordProblems, SearchProblems,
    ),
)]
async fn rebuild_views(
    State(tools): State<Tools>,
    Ordered(order): Ordered<RebuildOrder>,
) -> Result<Response, ReadError> {
    let rebuild = match order.accept_parked_of {
        Some(generation) => tools.take_over(generation, NewlyParked::Accept).await?.0,
        None => tools.rebuild().await?,
    };
    Ok(told(StatusCode::ACCEPTED, rebuild))
}

/// Read parked events again.
///
/// Of every generation; after a cause was mended. Served by `praxis serve` only.
#[utoipa::path(
    post,
    path = "/views/retry",
    tag = "views",
    responses((status = OK, description = "What came of it.", body = Retried), SearchProblems),
)]
async fn retry_parked_events(State(tools): State<Tools>, _: Ordered<Nothing>) -> Result<Response, ReadError> {
    Ok(told(StatusCode::OK, tools.retry().await?))
}

#[derive(Clone, Copy, Debug, Default)]
struct Nothing;

impl FromFields for Nothing {
    fn from_fields(_: &mut Fields<'_>) -> Option<Self> {
        Some(Self)
    }
}

/// A body that need not be there: none is the default.
struct Ordered<T>(T);

impl<T: FromFields + Default, S: Send + Sync> FromRequest<S> for Ordered<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        read_query::<NoQuery>(request.uri())?;
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        Ok(Self(Body::from_request(request, state).await?.value))
    }
}

fn told<T: Serialize>(status: StatusCode, document: T) -> Response {
    let headers = [(http::header::CACHE_CONTROL, "no-store")];
    (status, headers, Json(document)).into_response()
}
