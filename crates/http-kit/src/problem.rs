//! What does a caller get when a request cannot be served? A problem document (RFC 9457) with a stable code.

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::code::Code;
use crate::fault::{Fault, FaultCode, Place};

/// The media type of problem documents (RFC 9457 section 3).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Most faults one document lists; the rest would only repeat the lesson.
pub const FAULTS_MAX: usize = 100;

/// A refusal on its way to the caller. Holds names and codes only, never a value from the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    detail: String,
    faults: Vec<Fault>,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of that code; the detail is the code's own sentence.
    pub fn new(code: Code) -> Self {
        let problem = Self {
            code,
            detail: code.detail().to_owned(),
            faults: Vec::new(),
            members: Map::new(),
            headers: Vec::new(),
        };
        match code.retry_after_seconds() {
            Some(seconds) => problem.retry_after(seconds),
            None => problem,
        }
    }

    /// A problem that names these faults.
    pub fn with_faults(code: Code, faults: Vec<Fault>) -> Self {
        Self {
            faults,
            ..Self::new(code)
        }
    }

    /// Says in its own words what is wrong with this request. The text names things; it quotes nothing.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Adds a member of the application (RFC 9457 section 3.2), such as `from` and `to` of a transition. Members
    /// hold codes, numbers and ids.
    #[must_use]
    pub fn member(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Says after how many seconds a retry makes sense.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Says which methods the resource has (RFC 9110 section 15.5.6).
    #[must_use]
    pub fn allow(self, methods: &str) -> Self {
        match HeaderValue::from_str(methods) {
            Ok(value) => self.header(ALLOW, value),
            Err(_) => self,
        }
    }

    /// Says how to authenticate (RFC 6750 section 3).
    #[must_use]
    pub fn challenge(self, challenge: &'static str) -> Self {
        self.header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    /// The same, naming what else is wrong with the request: everything in one document. The code is this problem's.
    #[must_use]
    pub fn joined_by(mut self, other: Self) -> Self {
        self.faults = self.listed();
        self.faults.extend(other.listed());
        self.members.extend(other.members);
        self
    }

    /// Its faults; a problem with one part of a request that lists none is one itself.
    fn listed(&self) -> Vec<Fault> {
        if !self.faults.is_empty() {
            return self.faults.clone();
        }
        let (place, pointer) = if self.code == Code::InvalidIdempotencyKey {
            (Place::Header, "/idempotency-key")
        } else if self.code == Code::InvalidIfMatch {
            (Place::Header, "/if-match")
        } else if self.code == Code::InvalidParameter {
            (Place::Query, "")
        } else {
            (Place::Body, "")
        };
        vec![Fault::new(
            place,
            pointer,
            FaultCode::new(self.code.name(), self.code.detail()),
        )]
    }

    fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(present, _)| *present != name);
        self.headers.push((name, value));
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The faults it names.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The document; `correlation_id` is the request's, absent only outside a request's context.
    pub fn document(&self, correlation_id: Option<Uuid>) -> ProblemDocument {
        ProblemDocument {
            problem_type: format!("/problems/{}", self.code.name()),
            title: self.code.title().to_owned(),
            status: self.code.status().as_u16(),
            code: self.code.name().to_owned(),
            detail: self.detail.clone(),
            instance: correlation_id.map(|id| format!("urn:uuid:{id}")),
            correlation_id,
            faults: self.faults.iter().take(FAULTS_MAX).cloned().collect(),
            members: self.members.clone(),
        }
    }

    /// The response, with the correlation id of its request in the document.
    pub fn into_response_for(self, correlation_id: Option<Uuid>) -> Response {
        let document = serde_json::to_vec(&self.document(correlation_id)).unwrap_or_default();
        let mut response = (self.code.status(), document).into_response();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        for (name, value) in &self.headers {
            response.headers_mut().insert(name, value.clone());
        }
        // The context middleware finds the problem here and renders it again with the correlation id.
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.into_response_for(None)
    }
}

/// A problem document as callers see it (RFC 9457).
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ProblemDocument {
    /// The page about this code, a relative link.
    #[serde(rename = "type")]
    #[schema(example = "/problems/invalid-input")]
    pub problem_type: String,
    /// What kind of problem it is, the same words every time.
    pub title: String,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// The stable code; programs decide by this one.
    #[schema(example = "invalid-input")]
    pub code: String,
    /// What is wrong with this request.
    pub detail: String,
    /// This occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The id to quote to support; also in the `X-Correlation-Id` header and in every log line of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<Uuid>,
    /// Every fault found, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Members of the code's own.
    #[serde(flatten)]
    #[schema(ignore)]
    pub members: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::json;

    use super::*;
    use crate::fault::{FaultCode, Place};

    #[tokio::test]
    async fn the_document_carries_every_part() {
        let id = Uuid::from_u128(7);
        let fault = Fault::new(Place::Body, "/birth_date", FaultCode::REQUIRED);
        let response = Problem::with_faults(Code::InvalidInput, vec![fault])
            .member("stream_version", 4)
            .into_response_for(Some(id));
        assert_eq!(response.status(), 422);
        assert_eq!(response.headers()["content-type"], PROBLEM_JSON);
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let document: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            document,
            json!({
                "type": "/problems/invalid-input",
                "title": "The input has faults",
                "status": 422,
                "code": "invalid-input",
                "detail": Code::InvalidInput.detail(),
                "instance": format!("urn:uuid:{id}"),
                "correlation_id": id,
                "faults": [{ "in": "body", "pointer": "/birth_date", "code": "required", "message": "is required" }],
                "stream_version": 4,
            })
        );
    }

    #[test]
    fn every_503_says_when_to_try_again() {
        for code in Code::ALL {
            let response = Problem::new(code).into_response();
            let told = response.headers().contains_key(RETRY_AFTER);
            assert_eq!(told, code.status() == 503, "{}", code.name());
        }
    }

    #[test]
    fn a_later_header_replaces_an_earlier_one() {
        let response = Problem::new(Code::Overloaded).retry_after(9).into_response();
        let told: Vec<_> = response.headers().get_all(RETRY_AFTER).iter().collect();
        assert_eq!(told, ["9"]);
    }

    #[test]
    fn no_more_than_the_limit_of_faults_is_listed() {
        let fault = Fault::new(Place::Body, "/a", FaultCode::REQUIRED);
        let problem = Problem::with_faults(Code::InvalidInput, vec![fault; FAULTS_MAX + 1]);
        assert_eq!(problem.document(None).faults.len(), FAULTS_MAX);
    }
}
