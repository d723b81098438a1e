//! What do the descriptions of all commands have in common: headers, answers, and the problems they may end in?

use std::collections::BTreeMap;

use praxis_http_kit::code::Code;
use praxis_http_kit::fault::Fault;
use praxis_http_kit::problem::{PROBLEM_JSON, ProblemDocument};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{ContentBuilder, Ref, RefOr};
use utoipa::{IntoParams, IntoResponses, OpenApi, ToSchema as _};

use crate::answer::Written;

/// The schemas that every route refers to.
#[derive(Debug, OpenApi)]
#[openapi(components(schemas(Written, ProblemDocument, Fault)))]
pub struct Shared;

/// The headers that every command takes.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct CommandHeaders {
    /// 1 to 255 visible ASCII characters of the caller's choice. Sent again with the same key, a command takes effect once
    /// and is answered as the first time (with `idempotent-replayed: true`); the same key with another request is refused.
    #[param(
        rename = "Idempotency-Key",
        example = "4f6f2c9e-2a5b-4a57-9a4e-0f7f5e0d8c11",
        max_length = 255
    )]
    pub idempotency_key: Option<String>,
    /// The version the caller saw, as `ETag` or `version` gave it, quoted: the command is refused if there is a newer one.
    #[param(rename = "If-Match", example = "\"3\"")]
    pub if_match: Option<String>,
}

/// The problems that any command may end in.
#[derive(Clone, Copy, Debug)]
pub struct CommandProblems;

/// Their codes; what reads alone can end in is not among them.
const CODES: &[Code] = &[
    Code::MalformedJson,
    Code::InvalidParameter,
    Code::InvalidIfMatch,
    Code::InvalidIdempotencyKey,
    Code::Unauthenticated,
    Code::Forbidden,
    Code::NotFound,
    Code::VersionConflict,
    Code::InvalidTransition,
    Code::BookingRefused,
    Code::ClaimTaken,
    Code::CommandRefused,
    Code::PreconditionFailed,
    Code::PayloadTooLarge,
    Code::EventTooLarge,
    Code::UnsupportedMediaType,
    Code::InvalidInput,
    Code::IdempotencyKeyReused,
    Code::Internal,
    Code::Overloaded,
    Code::DependencyUnavailable,
    Code::TimedOut,
    Code::UnknownEventVersion,
];

impl IntoResponses for CommandProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for code in CODES {
            names
                .entry(code.status().as_str().to_owned())
                .or_default()
                .push(code.name());
        }
        let described = |names: Vec<&str>| {
            let schema = Ref::from_schema_name(ProblemDocument::name());
            let content = ContentBuilder::new().schema(Some(schema)).build();
            let description = format!("`{}`", names.join("`, `"));
            RefOr::T(
                ResponseBuilder::new()
                    .description(description)
                    .content(PROBLEM_JSON, content)
                    .build(),
            )
        };
        names
            .into_iter()
            .map(|(status, names)| (status, described(names)))
            .collect()
    }
}
