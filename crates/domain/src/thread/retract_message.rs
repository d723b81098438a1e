//! Withdrawing a message.

use praxis_events::ids::{MessageId, StreamId, ThreadId};
use praxis_events::thread::{MessageRetracted, Participant};

use crate::command::{Command, Decision};
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::thread::known;
use crate::thread::state::Validity;
use crate::world::World;

/// Withdraw a message sent by mistake: its author does, the caller, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetractMessage {
    /// In which conversation.
    pub thread_id: ThreadId,
    /// Which message.
    pub message_id: MessageId,
    /// Who withdraws it.
    pub author: Participant,
}

impl Command for RetractMessage {
    fn target(&self) -> StreamId {
        self.thread_id.into()
    }

    fn streams(&self, _world: &World) -> Vec<StreamId> {
        vec![self.target()]
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        let (thread, _) = known(world, ctx, self.thread_id, self.author)?;
        let message = thread
            .messages
            .get(&self.message_id)
            .ok_or(Refusal::MessageNotFound(self.message_id))?;
        if message.author != self.author {
            return Err(Refusal::NotAuthor.into());
        }
        match message.validity {
            Validity::Standing => Ok(Decision::event(
                self.thread_id,
                MessageRetracted {
                    message_id: self.message_id,
                },
            )),
            Validity::Retracted => Err(Refusal::AlreadyRetracted(self.message_id).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::{AggregateResultValidator, TestFramework};
    use praxis_events::thread::{MessageRetracted, Participant, ThreadEvent};

    use super::RetractMessage;
    use crate::context::Context;
    use crate::refusal::Refusal;
    use crate::samples::{
        ada, as_doctor, as_patient, dr_gray, message, message_from_ada, situation, thread, thread_opened,
    };
    use crate::thread::state::Thread;

    fn retract(
        number: u128,
        author: Participant,
        ctx: Context,
        happened: Vec<ThreadEvent>,
    ) -> AggregateResultValidator<Thread> {
        TestFramework::with(situation(ctx))
            .given(vec![thread_opened(), message_from_ada(1)])
            .and(happened)
            .when(
                RetractMessage {
                    thread_id: thread(),
                    message_id: message(number),
                    author,
                }
                .into(),
            )
    }

    #[test]
    fn an_author_withdraws_a_message_once() {
        let author = Participant::Patient(ada());
        let retracted = ThreadEvent::from(MessageRetracted {
            message_id: message(1),
        });
        retract(1, author, as_patient(ada()), Vec::new()).then_expect_events(vec![retracted.clone()]);
        retract(1, author, as_patient(ada()), vec![retracted])
            .then_expect_error(Refusal::AlreadyRetracted(message(1)).into());
    }

    #[test]
    fn nobody_withdraws_the_message_of_another() {
        retract(
            1,
            Participant::Practitioner(dr_gray()),
            as_doctor(dr_gray()),
            Vec::new(),
        )
        .then_expect_error(Refusal::NotAuthor.into());
        retract(1, Participant::Patient(ada()), as_doctor(dr_gray()), Vec::new())
            .then_expect_error(Refusal::NotParticipant.into());
    }

    #[test]
    fn a_message_that_is_not_there_is_not_found() {
        retract(2, Participant::Patient(ada()), as_patient(ada()), Vec::new())
            .then_expect_error(Refusal::MessageNotFound(message(2)).into());
    }
}
