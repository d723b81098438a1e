//! `POST /threads/{id}/messages`: says something in a conversation.

use axum::extract::State;
use praxis_domain::thread::send_message::SendMessage;
use praxis_domain::words::MessageBody;
use praxis_events::ids::{MessageId, ThreadId};
use praxis_http_kit::fields::{Fields, FromFields};
use praxis_http_kit::params::PathId;
use praxis_http_kit::problem::Problem;
use utoipa::ToSchema;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Received;
use crate::routes::described::{CommandHeaders, CommandProblems};
use crate::routes::reading::value;
use crate::routes::threads::caller;

/// A message to send.
#[derive(Debug, ToSchema)]
#[schema(as = SendMessage, example = json!({ "body": "Your results are in; all is well." }))]
pub struct SendMessageBody {
    /// What it says; it never changes.
    #[schema(value_type = String, max_length = 10_000)]
    pub body: MessageBody,
}

impl FromFields for SendMessageBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let body = fields.required("body", value(MessageBody::parse));
        Some(Self { body: body? })
    }
}

/// Sends a message
///
/// By a participant, the caller. The answer is the conversation's: the message is the one in it whose `sequence` is the
/// answered version.
#[utoipa::path(
    post,
    path = "/threads/{id}/messages",
    tag = "threads",
    params(("id" = Uuid, Path, description = "the conversation"), CommandHeaders),
    request_body = SendMessageBody,
    responses((status = CREATED, description = "the message is sent", body = Written), CommandProblems),
)]
pub async fn send_message(
    State(app): State<App>,
    PathId(thread_id): PathId<ThreadId>,
    Received { value, call }: Received<SendMessageBody>,
) -> Result<Answer, Problem> {
    let command = SendMessage {
        thread_id,
        message_id: MessageId(app.executor.new_id()),
        author: caller(&call)?,
        body: value.body,
    };
    Ok(Answer::created(app.executor.execute(&command, &call).await?))
}
