//! `POST /threads/{id}/messages/{message_id}/retract`: withdraws a message.

use axum::extract::State;
use praxis_domain::thread::retract_message::RetractMessage;
use praxis_http_kit::problem::Problem;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Ordered;
use crate::routes::described::{CommandHeaders, CommandProblems};
use crate::routes::threads::caller;
use crate::routes::threads::messages::MessagePath;

/// Withdraws a message
///
/// Its author does, the caller, once. A mistake is withdrawn and sent again; a message never changes.
#[utoipa::path(
    post,
    path = "/threads/{id}/messages/{message_id}/retract",
    tag = "threads",
    params(
        ("id" = Uuid, Path, description = "the conversation"),
        ("message_id" = Uuid, Path, description = "the message"),
        CommandHeaders,
    ),
    responses((status = OK, description = "the message is withdrawn", body = Written), CommandProblems),
)]
pub async fn retract_message(
    State(app): State<App>,
    MessagePath {
        thread_id,
        message_id,
    }: MessagePath,
    Ordered { call }: Ordered,
) -> Result<Answer, Problem> {
    let command = RetractMessage {
        thread_id,
        message_id,
        author: caller(&call)?,
    };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
