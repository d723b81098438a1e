//! What a read answers: its JSON, the position its state is of, the record's version, the link to the next page.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Uri};
use praxis_http_kit::cursor::{Cursor, link_next};
use praxis_http_kit::etag::Version;
use praxis_http_kit::position::EpochPosition;
use serde::Serialize;
use utoipa::ToSchema;

/// An answer on its way to the caller.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    body: T,
    position: EpochPosition,
    version: Option<u64>,
    next: Option<(Uri, Cursor)>,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Listing<T> {
    /// The page's items in the order of the list.
    pub items: Vec<T>,
    /// Whether items may be missing or out of date, because some record's read model stands still until an operator
    /// repairs it. Always false for what is read from the log.
    pub incomplete: bool,
    /// What to send as `cursor` to get the next page; absent on the last. Also in the `Link` header of a `GET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "AQEBAZjHolsefESdED9qK45NcQ")]
    pub next_cursor: Option<String>,
}

/// Whether a list may lack something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// Everything up to the position is there.
    Complete,
    /// Some stream is parked.
    Incomplete,
}

impl<T> Answer<T> {
    /// One record, at that version of its stream.
    pub const fn record(body: T, position: EpochPosition, version: u64) -> Self {
        Self {
            body,
            position,
            version: Some(version),
            next: None,
        }
    }
}

impl<T> Answer<Listing<T>> {
    /// A page, with the cursor after its last item if there is another page.
    pub fn page(
        items: Vec<T>,
        next: Option<&Cursor>,
        completeness: Completeness,
        position: EpochPosition,
    ) -> Self {
        let body = Listing {
            items,
            incomplete: completeness == Completeness::Incomplete,
            next_cursor: next.map(Cursor::encode),
        };
        Self {
            body,
            position,
            version: None,
            next: None,
        }
    }

    /// The same page with a link to the next one, for a list that is had by `GET`.
    #[must_use]
    pub fn linked(mut self, uri: Uri, next: Option<Cursor>) -> Self {
        self.next = next.map(|next| (uri, next));
        self
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        let headers = response.headers_mut();
        // What an erasure must reach is kept by no cache on the way.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.position.set(headers);
        if let Some(version) = self.version {
            Version(version).set(headers);
        }
        if let Some((uri, next)) = &self.next {
            link_next(headers, uri, next);
        }
        response
    }
}
