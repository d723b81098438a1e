//! Which codes can a problem have, and what do they mean? Each has a page, `docs/problems/<code>.md`.

use http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])+ $variant:ident = $status:ident, $name:literal, $title:literal, $detail:literal;)+) => {
        /// The stable code of a problem. Codes are never renamed or given another meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])+ $variant,)+
        }

        impl Code {
            /// Every code there is.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The code as callers see it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The HTTP status it goes with.
            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)+
                }
            }

            /// What kind of problem it is.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)+
                }
            }

            /// The page about it, Markdown: what it means, what to do, an example.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("../../../docs/problems/", $name, ".md")),)+
                }
            }

            /// What to say where nothing more particular is known.
            pub fn detail(self) -> &'static str {
                match self {
                    $(Self::$variant => $detail,)+
                }
            }
        }
    };
}

codes! {
    /// The body is no JSON document.
    MalformedJson = BAD_REQUEST, "malformed-json", "The body is not JSON",
        "the body is not a well-formed JSON document";
    /// Path, query or header parameters have faults.
    InvalidParameter = BAD_REQUEST, "invalid-parameter", "A parameter has faults",
        "parameters of the path, query or headers have faults; each is listed";
    /// `If-Match` is no single quoted version.
    InvalidIfMatch = BAD_REQUEST, "invalid-if-match", "The If-Match header cannot be read",
        "If-Match takes one quoted version, as the ETag of the record gave it";
    /// `Idempotency-Key` is empty, too long or not visible ASCII.
    InvalidIdempotencyKey = BAD_REQUEST, "invalid-idempotency-key", "The Idempotency-Key header cannot be used",
        "Idempotency-Key takes 1 to 255 visible ASCII characters, once";
    /// No valid token.
    Unauthenticated = UNAUTHORIZED, "unauthenticated", "A valid access token is needed",
        "send a valid access token as a bearer token";
    /// The role, or a rule of the record, does not allow it.
    Forbidden = FORBIDDEN, "forbidden", "Not allowed", "this account may not do that";
    /// No such thing, or none the caller may know of.
    NotFound = NOT_FOUND, "not-found", "Not found", "there is nothing here, or nothing this account may know of";
    /// The resource has other methods.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed",
        "the resource has other methods; see Allow";
    /// The record changed while the command was decided, over and over.
    VersionConflict = CONFLICT, "version-conflict", "The record keeps changing",
        "the record changed at the same time, several times over; nothing was done";
    /// The status machine has no such step.
    InvalidTransition = CONFLICT, "invalid-transition", "The status does not allow that",
        "the record's status does not allow that step";
    /// A booking breaks rules of the calendar.
    BookingRefused = CONFLICT, "booking-refused", "The time cannot be booked",
        "the time cannot be booked; every reason is listed";
    /// Something unique is already taken.
    ClaimTaken = CONFLICT, "claim-taken", "Already taken", "something that must be unique, or is limited, is taken";
    /// A rule of the practice refuses the command.
    CommandRefused = CONFLICT, "command-refused", "A rule refuses that",
        "rules of the practice refuse the command; every reason is listed";
    /// The record is no longer as `If-Match` says.
    PreconditionFailed = PRECONDITION_FAILED, "precondition-failed", "The record has changed",
        "the record is no longer at the version named by If-Match";
    /// The body is larger than the route takes.
    PayloadTooLarge = PAYLOAD_TOO_LARGE, "payload-too-large", "The body is too large",
        "the body is larger than this route takes";
    /// The path and query are longer than any route needs.
    UriTooLong = URI_TOO_LONG, "uri-too-long", "The address is too long",
        "path and query are longer than any route here takes";
    /// The event would be larger than the log takes.
    EventTooLarge = PAYLOAD_TOO_LARGE, "event-too-large", "The record would be too large",
        "what would be recorded is larger than the log takes";
    /// The body is of another media type than JSON.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body must be JSON",
        "send the body as application/json";
    /// The body is JSON, and its fields have faults.
    InvalidInput = UNPROCESSABLE_ENTITY, "invalid-input", "The input has faults",
        "fields of the body have faults; each is listed";
    /// The key was used with another request.
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY, "idempotency-key-reused",
        "The Idempotency-Key belongs to another request",
        "this Idempotency-Key was used with another method, path, If-Match or body";
    /// A defect of ours.
    Internal = INTERNAL_SERVER_ERROR, "internal", "Internal error",
        "something is wrong on our side; quote the correlation id";
    /// Queues are full.
    Overloaded = SERVICE_UNAVAILABLE, "overloaded", "Too busy", "too much waits already; nothing was done";
    /// A database or broker does not answer.
    DependencyUnavailable = SERVICE_UNAVAILABLE, "dependency-unavailable", "A dependency does not answer",
        "a service that is needed does not answer";
    /// The request took too long.
    TimedOut = SERVICE_UNAVAILABLE, "timed-out", "The request took too long",
        "the request took too long; whether a command took effect is told by repeating it with its key";
    /// The read models have not reached the wanted position in time.
    ProjectionBehind = SERVICE_UNAVAILABLE, "projection-behind", "Reads are behind",
        "the read models have not reached Praxis-Min-Position yet";
    /// An event of the record cannot be applied; its read model stands still.
    ProjectionParked = SERVICE_UNAVAILABLE, "projection-parked", "This record cannot be shown as of then",
        "the record's read model stands still before Praxis-Min-Position until an operator repairs it";
    /// The read models of this release are being built.
    GenerationBuilding = SERVICE_UNAVAILABLE, "generation-building", "Read models are being built",
        "the read models of this release are being built";
    /// An event was written by a later release.
    UnknownEventVersion = SERVICE_UNAVAILABLE, "unknown-event-version", "The record was written by a later release",
        "the record holds events of a later release than this one";
}

impl Code {
    /// The code of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }

    /// After how many seconds a retry makes sense, for the codes where one does.
    pub fn retry_after_seconds(self) -> Option<u32> {
        match self {
            Self::Overloaded | Self::ProjectionBehind | Self::TimedOut => Some(1),
            Self::DependencyUnavailable => Some(5),
            Self::GenerationBuilding => Some(10),
            Self::ProjectionParked | Self::UnknownEventVersion => Some(60),
            Self::MalformedJson
            | Self::InvalidParameter
            | Self::InvalidIfMatch
            | Self::InvalidIdempotencyKey
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::VersionConflict
            | Self::InvalidTransition
            | Self::BookingRefused
            | Self::ClaimTaken
            | Self::CommandRefused
            | Self::PreconditionFailed
            | Self::PayloadTooLarge
            | Self::UriTooLong
            | Self::EventTooLarge
            | Self::UnsupportedMediaType
            | Self::InvalidInput
            | Self::IdempotencyKeyReused
            | Self::Internal => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn pages() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/problems")
    }

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        let names = fs::read_dir(pages())
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let pages: BTreeSet<String> = names
            .map(|name| name.into_string().unwrap().trim_end_matches(".md").to_owned())
            .filter(|name| name != "README")
            .collect();
        let codes: BTreeSet<String> = Code::ALL.iter().map(|code| code.name().to_owned()).collect();
        assert_eq!(pages, codes);
    }

    #[test]
    fn every_page_states_title_status_meaning_action_and_example() {
        for code in Code::ALL {
            let page = code.page();
            let status = format!("`{}`", code.status().as_u16());
            let code_line = format!("\"code\": \"{}\"", code.name());
            let type_line = format!("\"type\": \"/problems/{}\"", code.name());
            let heading = format!("# {}: {}\n", code.name(), code.title());
            assert!(
                page.starts_with(&heading),
                "{}: the heading is not {heading:?}",
                code.name()
            );
            for part in [
                &*status,
                "## What it means",
                "## What to do",
                "## Example",
                &code_line,
                &type_line,
            ] {
                assert!(page.contains(part), "{}: the page lacks {part:?}", code.name());
            }
        }
    }

    #[test]
    fn the_index_lists_every_page() {
        let index = fs::read_to_string(pages().join("README.md")).unwrap();
        for code in Code::ALL {
            let row = format!("| [`{0}`]({0}.md) | {1} |", code.name(), code.status().as_u16());
            assert!(index.contains(&row), "the index lacks {row:?}");
        }
        let rows = index.lines().filter(|line| line.starts_with("| [")).count();
        assert_eq!(rows, Code::ALL.len());
    }

    #[test]
    fn names_are_unique_and_found() {
        for code in Code::ALL {
            assert_eq!(Code::from_name(code.name()), Some(code));
        }
    }
}
