//! Conversations: what is known of one, and what may be said in it.

pub mod open;
pub mod read_message;
pub mod retract_message;
pub mod send_message;
pub mod state;

use praxis_events::ids::ThreadId;
use praxis_events::metadata::ActorRole;
use praxis_events::thread::{Participant, ThreadEvent};

use crate::aggregate_macro::aggregate;
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::world::World;
use open::OpenThread;
use read_message::ReadMessage;
use retract_message::RetractMessage;
use send_message::SendMessage;
use state::{Opening, Thread};

aggregate! {
    /// Any command to a conversation.
    ThreadCommand of Thread, ThreadEvent {
        /// Begin it.
        Open(OpenThread),
        /// Say something.
        Send(SendMessage),
        /// Take note of what was said.
        Read(ReadMessage),
        /// Withdraw what was said.
        Retract(RetractMessage),
    }
}

/// Whether the caller is that participant. Praxis itself (import, demonstration) speaks for anybody.
fn is_caller(ctx: &Context, participant: Participant) -> bool {
    ctx.acts_as(ActorRole::System)
        || match participant {
            Participant::Patient(id) => ctx.patient_id == Some(id),
            Participant::Practitioner(id) => ctx.practitioner_id == Some(id),
        }
}

/// The thread, for one of its participants who is the caller.
///
/// # Errors
/// [`Refusal::NotParticipant`] if the caller is somebody else, whatever the thread; [`Refusal::NotFound`] if there is no
/// thread, and to whoever does not take part in it and may not know that there is one.
fn known<'a>(
    world: &'a World,
    ctx: &Context,
    id: ThreadId,
    as_participant: Participant,
) -> Result<(&'a Thread, &'a Opening), Refused> {
    if !is_caller(ctx, as_participant) {
        return Err(Refusal::NotParticipant.into());
    }
    let not_found = || Refusal::NotFound(id.into());
    let thread = world.thread(id).ok_or_else(not_found)?;
    let opening = thread.opening.as_ref().ok_or_else(not_found)?;
    if !opening.participants.contains(&as_participant) {
        return Err(if ctx.acts_as(ActorRole::System) {
            Refusal::NotParticipant
        } else {
            not_found()
        }
        .into());
    }
    Ok((thread, opening))
}
