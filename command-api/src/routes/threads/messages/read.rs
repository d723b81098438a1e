//! `POST /threads/{id}/messages/{message_id}/read`: states that the caller read a message.

use axum::extract::State;
use praxis_domain::thread::read_message::ReadMessage;
use praxis_http_kit::problem::Problem;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Ordered;
use crate::routes::described::{CommandHeaders, CommandProblems};
use crate::routes::threads::caller;
use crate::routes::threads::messages::MessagePath;

/// States that the caller read a message
///
/// The first reading counts; a second, the author's own, and that of a withdrawn message change nothing.
#[utoipa::path(
    post,
    path = "/threads/{id}/messages/{message_id}/read",
    tag = "threads",
    params(
        ("id" = Uuid, Path, description = "the conversation"),
        ("message_id" = Uuid, Path, description = "the message"),
        CommandHeaders,
    ),
    responses((status = OK, description = "the message is read", body = Written), CommandProblems),
)]
pub async fn read_message(
    State(app): State<App>,
    MessagePath {
        thread_id,
        message_id,
    }: MessagePath,
    Ordered { call }: Ordered,
) -> Result<Answer, Problem> {
    let command = ReadMessage {
        thread_id,
        message_id,
        reader: caller(&call)?,
    };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
