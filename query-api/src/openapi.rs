//! What the descriptions of all read routes share: parameters, and the problems they can answer.

use std::collections::BTreeMap;

use praxis_http_kit::code::Code;
use praxis_http_kit::problem::{PROBLEM_JSON, ProblemDocument};
use utoipa::openapi::response::Response;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses, OpenApi};
use uuid::Uuid;

/// What every operation refers to.
#[derive(Debug, OpenApi)]
#[openapi(components(schemas(ProblemDocument)))]
pub struct Shared;

/// The record that the path names.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RecordPath {
    /// The record's id.
    #[param(example = "0198c7a2-5b1e-7c44-9d10-3f6a2b8e4d71")]
    pub id: Uuid,
}

/// How new the answer must be.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct MinPositionHeader {
    /// A `Praxis-Position` of an earlier answer: this one waits, for some seconds, until it has seen as much.
    #[param(rename = "Praxis-Min-Position", example = "1-42")]
    pub min_position: Option<String>,
}

/// As of when.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AsOfQuery {
    /// Shows the record as it was at an instant (RFC 3339 with an offset) or at a position (as `Praxis-Position` gave
    /// it), read from the log, whatever `Praxis-Min-Position` says. What was erased since shows as erased.
    #[param(example = "2026-03-08T07:30:00Z")]
    pub as_of: Option<String>,
}

/// Which page.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// At most so many items.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// The `next_cursor` of the page before; opaque.
    pub cursor: Option<String>,
}

const NOTES: [(Code, &str); 5] = [
    (Code::InvalidParameter, "Parameters have faults; each is listed."),
    (Code::Unauthenticated, "No valid access token."),
    (Code::Forbidden, "The role is not served by this route."),
    (
        Code::NotFound,
        "No such record, or none this account may know of.",
    ),
    (
        Code::DependencyUnavailable,
        "Not now: `projection-behind`, `projection-parked`, `generation-building`, `unknown-event-version` or \
         `dependency-unavailable`. `Retry-After` says when to try again.",
    ),
];

/// The problems of a route that shows one record.
#[derive(Debug)]
pub struct RecordProblems;

/// The problems of a route that lists, whatever is in the list.
#[derive(Debug)]
pub struct ListProblems;

/// The problems of a search, whose input is a body.
#[derive(Debug)]
pub struct SearchProblems;

impl IntoResponses for RecordProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        NOTES.iter().map(|(code, note)| problem(*code, note)).collect()
    }
}

impl IntoResponses for ListProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        NOTES
            .iter()
            .filter(|(code, _)| *code != Code::NotFound)
            .map(|(code, note)| problem(*code, note))
            .collect()
    }
}

impl IntoResponses for SearchProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let body = [
            (Code::PayloadTooLarge, "The body is too large."),
            (
                Code::UnsupportedMediaType,
                "The body is not JSON by its media type.",
            ),
            (Code::InvalidInput, "Fields have faults; each is listed."),
        ];
        let mut all = ListProblems::responses();
        all.extend(body.map(|(code, note)| problem(code, note)));
        all
    }
}

fn problem(code: Code, note: &str) -> (String, RefOr<Response>) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("ProblemDocument")));
    let response = ResponseBuilder::new()
        .description(note)
        .content(PROBLEM_JSON, content.build())
        .build();
    (code.status().as_u16().to_string(), RefOr::T(response))
}
