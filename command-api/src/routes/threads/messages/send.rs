//! `POST /threads/{id}/messages`: says something in a conversation.

use axum::extract::State;
use praxis_domain::thread::send_message::SendMessage;
use praxis_domain::words::MessageBody;
use praxis_events::event::Event;
use praxis_events::ids::{MessageId, ThreadId};
use praxis_events::thread::ThreadEvent;
use praxis_http_kit::code::Code;
use praxis_http_kit::fields::{Fields, FromFields};
use praxis_http_kit::params::PathId;
use praxis_http_kit::problem::Problem;
use utoipa::ToSchema;

use crate::answer::{MessageAnswer, WrittenMessage};
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
/// By a participant, the caller. `id` and `version` are the conversation's, as everywhere; `message_id` is what reading
/// and withdrawing the message name it by.
#[utoipa::path(
    post,
    path = "/threads/{id}/messages",
    tag = "threads",
    params(("id" = Uuid, Path, description = "the conversation"), CommandHeaders),
    request_body = SendMessageBody,
    responses((status = CREATED, description = "the message is sent", body = WrittenMessage), CommandProblems),
)]
pub async fn send_message(
    State(app): State<App>,
    PathId(thread_id): PathId<ThreadId>,
    Received { value, call }: Received<SendMessageBody>,
) -> Result<MessageAnswer, Problem> {
    let command = SendMessage {
        thread_id,
        message_id: MessageId(app.executor.new_id()),
        author: caller(&call)?,
        body: value.body,
    };
    let appended = app.executor.execute(&command, &call).await?;
    let message_id = if appended.replayed {
        first_sent(&app, thread_id, appended.version).await?
    } else {
        command.message_id
    };
    Ok(MessageAnswer {
        appended,
        message_id: message_id.0,
    })
}

/// The message that an earlier sending of the same command made: the thread's event at the version it was answered.
async fn first_sent(app: &App, thread_id: ThreadId, version: u64) -> Result<MessageId, Problem> {
    let event = app.executor.event(thread_id.into(), version).await?;
    let Some(Event::Thread(ThreadEvent::MessageSent(sent))) = event else {
        tracing::error!(%thread_id, version, "a kept answer names no message");
        return Err(Problem::new(Code::Internal));
    };
    Ok(sent.message_id)
}
