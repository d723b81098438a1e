//! Saying something in a conversation.

use praxis_events::ids::{MessageId, StreamId, ThreadId};
use praxis_events::sealed::Sealed;
use praxis_events::thread::{MessageSent, Participant};

use crate::command::{Command, Decision};
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::thread::known;
use crate::words::MessageBody;
use crate::world::World;

/// Send a message; it is immutable. The author takes part in the conversation and is the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendMessage {
    /// In which conversation.
    pub thread_id: ThreadId,
    /// The new message.
    pub message_id: MessageId,
    /// By whom.
    pub author: Participant,
    /// What it says.
    pub body: MessageBody,
}

impl Command for SendMessage {
    fn target(&self) -> StreamId {
        self.thread_id.into()
    }

    fn streams(&self, _world: &World) -> Vec<StreamId> {
        vec![self.target()]
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        let (thread, _) = known(world, ctx, self.thread_id, self.author)?;
        if thread.messages.contains_key(&self.message_id) {
            return Err(Refusal::AlreadySent(self.message_id).into());
        }
        let sent = MessageSent {
            message_id: self.message_id,
            author: self.author,
            body: Sealed::Value(self.body.clone().into()),
        };
        Ok(Decision::event(self.thread_id, sent))
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::{AggregateResultValidator, TestFramework};
    use praxis_events::sealed::Sealed;
    use praxis_events::thread::{MessageSent, Participant, ThreadEvent};

    use super::SendMessage;
    use crate::context::Context;
    use crate::refusal::Refusal;
    use crate::samples::{
        ada, as_doctor, as_patient, dr_gray, dr_who, message, situation, somebody, staff, system, thread,
        thread_opened,
    };
    use crate::thread::state::Thread;
    use crate::words::MessageBody;

    fn by(author: Participant) -> SendMessage {
        let body = MessageBody::parse("All is well.").unwrap();
        SendMessage {
            thread_id: thread(),
            message_id: message(1),
            author,
            body,
        }
    }

    fn sent(author: Participant) -> ThreadEvent {
        let body = Sealed::Value(MessageBody::parse("All is well.").unwrap().into());
        MessageSent {
            message_id: message(1),
            author,
            body,
        }
        .into()
    }

    fn send(given: Vec<ThreadEvent>, author: Participant, ctx: Context) -> AggregateResultValidator<Thread> {
        TestFramework::with(situation(ctx))
            .given(given)
            .when(by(author).into())
    }

    #[test]
    fn participants_send_messages_as_themselves() {
        let (patient, doctor) = (Participant::Patient(ada()), Participant::Practitioner(dr_gray()));
        for (author, ctx) in [(patient, as_patient(ada())), (doctor, as_doctor(dr_gray()))] {
            send(vec![thread_opened()], author, ctx).then_expect_events(vec![sent(author)]);
        }
    }

    #[test]
    fn nobody_but_praxis_itself_sends_for_another() {
        let patient = Participant::Patient(ada());
        for ctx in [staff(), as_doctor(dr_gray()), as_patient(somebody())] {
            send(vec![thread_opened()], patient, ctx).then_expect_error(Refusal::NotParticipant.into());
        }
        send(vec![thread_opened()], patient, system()).then_expect_events(vec![sent(patient)]);
    }

    #[test]
    fn who_takes_no_part_does_not_learn_that_there_is_a_thread() {
        let not_found = Refusal::NotFound(thread().into());
        for (outsider, ctx) in [
            (Participant::Practitioner(dr_who()), as_doctor(dr_who())),
            (Participant::Patient(somebody()), as_patient(somebody())),
        ] {
            for given in [vec![thread_opened()], Vec::new()] {
                send(given, outsider, ctx.clone()).then_expect_error(not_found.clone().into());
            }
        }
    }

    #[test]
    fn praxis_itself_knows_of_every_thread_and_speaks_for_none_who_takes_no_part() {
        let outsider = Participant::Practitioner(dr_who());
        send(vec![thread_opened()], outsider, system()).then_expect_error(Refusal::NotParticipant.into());
    }

    #[test]
    fn a_message_is_sent_once() {
        let author = Participant::Patient(ada());
        send(vec![thread_opened(), sent(author)], author, as_patient(ada()))
            .then_expect_error(Refusal::AlreadySent(message(1)).into());
    }
}
