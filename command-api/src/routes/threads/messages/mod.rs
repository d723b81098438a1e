//! `/threads/{id}/messages`: what is said in a conversation.

pub mod read;
pub mod retract;
pub mod send;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use praxis_events::ids::{MessageId, ThreadId};
use praxis_http_kit::code::Code;
use praxis_http_kit::params::path_id;
use praxis_http_kit::problem::Problem;

/// The two ids in the path of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessagePath {
    /// In which conversation.
    pub thread_id: ThreadId,
    /// Which message.
    pub message_id: MessageId,
}

impl<S: Send + Sync> FromRequestParts<S> for MessagePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(Code::InvalidParameter).detail("the path is not valid UTF-8"))?;
        match (path_id(&params, "id"), path_id(&params, "message_id")) {
            (Ok(thread_id), Ok(message_id)) => Ok(Self {
                thread_id,
                message_id,
            }),
            (Err(first), Err(second)) => {
                let faults = first.faults().iter().chain(second.faults()).cloned();
                Err(Problem::with_faults(Code::InvalidParameter, faults.collect()))
            }
            (Err(problem), Ok(_)) | (Ok(_), Err(problem)) => Err(problem),
        }
    }
}
