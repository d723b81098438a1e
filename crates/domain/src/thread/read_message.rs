//! Taking note of a message.

use praxis_events::ids::{MessageId, StreamId, ThreadId};
use praxis_events::thread::{MessageRead, Participant};

use crate::command::{Command, Decision};
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::thread::known;
use crate::thread::state::Validity;
use crate::world::World;

/// State that a participant, the caller, read a message. The first reading counts; a second, the author's own, and that of
/// a message withdrawn meanwhile change nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadMessage {
    /// In which conversation.
    pub thread_id: ThreadId,
    /// Which message.
    pub message_id: MessageId,
    /// Who read it.
    pub reader: Participant,
}

impl Command for ReadMessage {
    fn target(&self) -> StreamId {
        self.thread_id.into()
    }

    fn streams(&self, _world: &World) -> Vec<StreamId> {
        vec![self.target()]
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        let (thread, _) = known(world, ctx, self.thread_id, self.reader)?;
        let message = thread
            .messages
            .get(&self.message_id)
            .ok_or(Refusal::MessageNotFound(self.message_id))?;
        let counts = message.author != self.reader
            && message.validity == Validity::Standing
            && !message.readers.contains(&self.reader);
        if !counts {
            return Ok(Decision::nothing());
        }
        let read = MessageRead {
            message_id: self.message_id,
            reader: self.reader,
        };
        Ok(Decision::event(self.thread_id, read))
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::{AggregateResultValidator, TestFramework};
    use praxis_events::thread::{MessageRead, MessageRetracted, Participant, ThreadEvent};

    use super::ReadMessage;
    use crate::refusal::Refusal;
    use crate::samples::{
        ada, as_doctor, as_patient, dr_gray, message, message_from_ada, situation, somebody, system, thread,
        thread_opened,
    };
    use crate::thread::state::Thread;

    fn gray() -> Participant {
        Participant::Practitioner(dr_gray())
    }

    fn read() -> ThreadEvent {
        MessageRead {
            message_id: message(1),
            reader: gray(),
        }
        .into()
    }

    /// Reads Ada's message, after what else happened to it.
    fn read_by(reader: Participant, happened: Vec<ThreadEvent>) -> AggregateResultValidator<Thread> {
        TestFramework::with(situation(system()))
            .given(vec![thread_opened(), message_from_ada(1)])
            .and(happened)
            .when(
                ReadMessage {
                    thread_id: thread(),
                    message_id: message(1),
                    reader,
                }
                .into(),
            )
    }

    #[test]
    fn the_first_reading_counts_and_a_second_does_not() {
        read_by(gray(), Vec::new()).then_expect_events(vec![read()]);
        read_by(gray(), vec![read()]).then_expect_events(Vec::new());
    }

    #[test]
    fn the_author_reading_their_own_message_changes_nothing() {
        read_by(Participant::Patient(ada()), Vec::new()).then_expect_events(Vec::new());
    }

    #[test]
    fn a_message_withdrawn_meanwhile_is_not_counted_as_read() {
        let retracted = MessageRetracted {
            message_id: message(1),
        };
        read_by(gray(), vec![retracted.into()]).then_expect_events(Vec::new());
    }

    #[test]
    fn a_message_that_is_not_there_is_not_found() {
        TestFramework::<Thread>::with(situation(as_doctor(dr_gray())))
            .given(vec![thread_opened(), message_from_ada(1)])
            .when(
                ReadMessage {
                    thread_id: thread(),
                    message_id: message(2),
                    reader: gray(),
                }
                .into(),
            )
            .then_expect_error(Refusal::MessageNotFound(message(2)).into());
    }

    #[test]
    fn nobody_reads_for_another() {
        TestFramework::<Thread>::with(situation(as_patient(somebody())))
            .given(vec![thread_opened(), message_from_ada(1)])
            .when(
                ReadMessage {
                    thread_id: thread(),
                    message_id: message(1),
                    reader: gray(),
                }
                .into(),
            )
            .then_expect_error(Refusal::NotParticipant.into());
    }
}
