//! What did the caller send as JSON, and everything that is wrong with it?

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use chrono::{DateTime, Utc};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

use crate::code::Code;
use crate::context::RequestContext;
use crate::fields::{self, FromFields, ReadFault};
use crate::problem::Problem;
use crate::strict_json;

/// A JSON body, read whole, checked whole. As an extractor it answers with a problem that names every fault.
#[derive(Clone, Debug)]
pub struct Body<T> {
    /// What the body says.
    pub value: T,
    /// The bytes as sent, for the hash that ties an `Idempotency-Key` to its request.
    pub bytes: Bytes,
}

impl<T: FromFields, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(Code::UnsupportedMediaType));
        }
        let Some(RequestContext { received_at, .. }) = request.extensions().get().copied() else {
            tracing::error!("a route is served without the request context around it");
            return Err(Problem::new(Code::Internal));
        };
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::new(Code::PayloadTooLarge)
            } else {
                Problem::new(Code::MalformedJson).detail("the body could not be read to its end")
            }
        })?;
        let value = read(&bytes, received_at)?;
        Ok(Self { value, bytes })
    }
}

/// What a body says that was received at that time, without a request around it.
pub fn read<T: FromFields>(bytes: &[u8], received_at: DateTime<Utc>) -> Result<T, Problem> {
    let (document, duplicates) = strict_json::parse(bytes).map_err(|place| {
        Problem::new(Code::MalformedJson)
            .member("line", place.line)
            .member("column", place.column)
    })?;
    fields::read(&document, received_at, duplicates, T::from_fields).map_err(|fault| match fault {
        ReadFault::Faults(faults) => Problem::with_faults(Code::InvalidInput, faults),
        ReadFault::Defect => {
            tracing::error!(
                body = std::any::type_name::<T>(),
                "a reader of a body gave neither value nor fault"
            );
            Problem::new(Code::Internal)
        }
    })
}

/// `application/json`, or a type with the suffix `+json`, whatever its parameters (RFC 6839 section 3.1).
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(media), None) = (types.next(), types.next()) else {
        return false;
    };
    let Ok(media) = media.to_str() else { return false };
    let essence = media
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::to_bytes;
    use axum::extract::DefaultBodyLimit;
    use axum::middleware::from_fn_with_state;
    use axum::response::Response;
    use axum::routing::post;
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;
    use crate::context;
    use crate::fields::{Fields, values};
    use crate::sources::fixed;

    struct Note {
        text: String,
        stars: u8,
    }

    impl FromFields for Note {
        fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
            let text = fields.required("text", values::string);
            let stars = fields.required("stars", values::integer);
            Some(Self {
                text: text?,
                stars: stars?,
            })
        }
    }

    async fn send(content_type: &str, body: impl Into<axum::body::Body>) -> Response {
        let echo = |note: Body<Note>| async move {
            format!("{} {} {}", note.value.text, note.value.stars, note.bytes.len())
        };
        let router = Router::new()
            .route("/", post(echo))
            .layer(DefaultBodyLimit::max(64))
            .layer(from_fn_with_state(fixed::sources(), context::provide));
        let request = Request::post("/")
            .header(CONTENT_TYPE, content_type)
            .body(body.into())
            .unwrap();
        router.oneshot(request).await.unwrap()
    }

    async fn problem(response: Response) -> Value {
        serde_json::from_slice(&to_bytes(response.into_body(), 10_000).await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_good_body_arrives_with_its_bytes() {
        let response = send("application/json; charset=utf-8", r#"{"text":"a","stars":2}"#).await;
        assert_eq!(&to_bytes(response.into_body(), 100).await.unwrap()[..], b"a 2 22");
    }

    #[tokio::test]
    async fn another_media_type_is_refused() {
        for media in [
            "text/plain",
            "application/jsonx",
            "application/x-www-form-urlencoded",
            "text/x+json",
            "",
        ] {
            let response = send(media, "{}").await;
            assert_eq!(response.status(), 415, "{media}");
            assert_eq!(problem(response).await["code"], "unsupported-media-type");
        }
    }

    #[tokio::test]
    async fn a_body_is_limited_on_both_sides_of_its_limit() {
        let of = |len: usize| {
            let frame = r#"{"text":"","stars":2}"#.len();
            format!(r#"{{"text":"{}","stars":2}}"#, "a".repeat(len - frame))
        };
        assert_eq!(send("application/json", of(64)).await.status(), 200);
        let response = send("application/json", of(65)).await;
        assert_eq!(response.status(), 413);
        assert_eq!(problem(response).await["code"], "payload-too-large");
    }

    #[tokio::test]
    async fn broken_json_is_placed_and_not_quoted() {
        let response = send("application/json", "{\"text\": Marker}").await;
        assert_eq!(response.status(), 400);
        let document = problem(response).await;
        assert_eq!(document["code"], "malformed-json");
        assert_eq!((&document["line"], &document["column"]), (&json!(1), &json!(10)));
        assert!(!document.to_string().contains("Marker"));
    }

    #[tokio::test]
    async fn all_faults_come_at_once_and_no_value_with_them() {
        let body = r#"{"text":7777,"stars":"Marker","a":"Marker","text":1}"#;
        let response = send("application/json", body).await;
        assert_eq!(response.status(), 422);
        let document = problem(response).await;
        let faults: Vec<_> = document["faults"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| {
                (
                    fault["pointer"].as_str().unwrap(),
                    fault["code"].as_str().unwrap(),
                )
            })
            .collect();
        let expected = [
            ("/text", "duplicate-field"),
            ("/text", "wrong-type"),
            ("/stars", "wrong-type"),
            ("/a", "unknown-field"),
        ];
        assert_eq!(faults, expected);
        let text = document.to_string();
        assert!(!text.contains("Marker") && !text.contains("7777"), "{text}");
    }
}
