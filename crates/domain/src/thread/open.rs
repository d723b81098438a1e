//! Beginning a conversation about a patient.

use praxis_events::ids::{PatientId, StreamId, ThreadId};
use praxis_events::sealed::Sealed;
use praxis_events::thread::{Participant, ThreadOpened};

use crate::command::{Command, Decision};
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::words::Topic;
use crate::world::World;

/// Begin a conversation: about one patient, among that patient and practitioners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenThread {
    /// The new conversation.
    pub thread_id: ThreadId,
    /// Whom it is about.
    pub patient_id: PatientId,
    /// Who takes part; whoever is named twice takes part once.
    pub participants: Vec<Participant>,
    /// What about.
    pub topic: Topic,
}

impl Command for OpenThread {
    fn target(&self) -> StreamId {
        self.thread_id.into()
    }

    fn makes_target(&self) -> bool {
        true
    }

    fn streams(&self, _world: &World) -> Vec<StreamId> {
        let mut streams = self.reads();
        streams.push(self.target());
        streams
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        if !ctx.may_know_of(self.patient_id) {
            return Err(Refusal::NotOwnRecord.into());
        }
        if world.exists(self.thread_id) {
            return Err(Refusal::AlreadyRegistered(self.target()).into());
        }
        let mut participants: Vec<Participant> = Vec::new();
        for participant in &self.participants {
            if !participants.contains(participant) {
                participants.push(*participant);
            }
        }
        Refused::unless_none(self.reasons(world, ctx, &participants)).map_err(Refused::without_booking)?;
        let opened = ThreadOpened {
            patient_id: self.patient_id,
            participants,
            topic: Sealed::Value(self.topic.clone().into()),
        };
        Ok(Decision::event(self.thread_id, opened).reading(self.reads()))
    }
}

impl OpenThread {
    /// The patient and everyone who is to take part.
    fn reads(&self) -> Vec<StreamId> {
        let mut streams = vec![StreamId::from(self.patient_id)];
        streams.extend(self.participants.iter().map(|participant| match participant {
            Participant::Patient(id) => StreamId::from(*id),
            Participant::Practitioner(id) => StreamId::from(*id),
        }));
        streams.sort_unstable();
        streams.dedup();
        streams
    }

    fn reasons(&self, world: &World, ctx: &Context, participants: &[Participant]) -> Vec<Refusal> {
        let count_max = usize::try_from(ctx.rules.thread_participants_max).unwrap_or(usize::MAX);
        let mut reasons = Vec::new();
        if !world.exists(self.patient_id) {
            reasons.push(Refusal::PatientUnknown(self.patient_id));
        }
        if participants.is_empty() {
            reasons.push(Refusal::NoParticipants);
        }
        if participants.len() > count_max {
            reasons.push(Refusal::TooManyParticipants { count_max });
        }
        for participant in participants {
            reasons.extend(match participant {
                Participant::Patient(id) => (*id != self.patient_id).then_some(Refusal::OtherPatient(*id)),
                Participant::Practitioner(id) => {
                    (!world.exists(*id)).then_some(Refusal::PractitionerUnknown(*id))
                }
            });
        }
        if ctx.is_patient() && !participants.contains(&Participant::Patient(self.patient_id)) {
            reasons.push(Refusal::NotParticipant);
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::{AggregateResultValidator, TestFramework};
    use praxis_events::ids::{PatientId, PractitionerId};
    use praxis_events::sealed::Sealed;
    use praxis_events::thread::{Participant, ThreadEvent, ThreadOpened};
    use uuid::Uuid;

    use super::OpenThread;
    use crate::context::Context;
    use crate::refusal::{Refusal, RefusalCode};
    use crate::samples::{ada, as_patient, dr_gray, dr_who, situation, somebody, staff, thread};
    use crate::thread::state::Thread;
    use crate::words::Topic;

    fn opening(participants: &[Participant]) -> OpenThread {
        OpenThread {
            thread_id: thread(),
            patient_id: ada(),
            participants: participants.to_vec(),
            topic: Topic::parse("Results").unwrap(),
        }
    }

    fn opened(participants: &[Participant]) -> ThreadEvent {
        let topic = Sealed::Value(Topic::parse("Results").unwrap().into());
        ThreadOpened {
            patient_id: ada(),
            participants: participants.to_vec(),
            topic,
        }
        .into()
    }

    fn open(command: OpenThread, ctx: Context) -> AggregateResultValidator<Thread> {
        TestFramework::with(situation(ctx))
            .given_no_previous_events()
            .when(command.into())
    }

    const ADA_AND_GRAY: fn() -> [Participant; 2] =
        || [Participant::Patient(ada()), Participant::Practitioner(dr_gray())];

    #[test]
    fn a_patient_begins_a_conversation_with_a_practitioner() {
        open(opening(&ADA_AND_GRAY()), as_patient(ada())).then_expect_events(vec![opened(&ADA_AND_GRAY())]);
    }

    #[test]
    fn whoever_is_named_twice_takes_part_once() {
        let doctors = [dr_gray(), dr_who(), dr_gray()].map(Participant::Practitioner);
        open(opening(&doctors), staff()).then_expect_events(vec![opened(doctors.split_at(2).0)]);
    }

    #[test]
    fn a_conversation_begins_once() {
        TestFramework::<Thread>::with(situation(staff()))
            .given(vec![opened(&ADA_AND_GRAY())])
            .when(opening(&ADA_AND_GRAY()).into())
            .then_expect_error(Refusal::AlreadyRegistered(thread().into()).into());
    }

    #[test]
    fn a_patient_begins_none_about_another_nor_without_taking_part() {
        open(opening(&ADA_AND_GRAY()), as_patient(somebody()))
            .then_expect_error(Refusal::NotOwnRecord.into());
        open(
            opening(&[Participant::Practitioner(dr_gray())]),
            as_patient(ada()),
        )
        .then_expect_error(Refusal::NotParticipant.into());
    }

    #[test]
    fn all_that_is_wrong_with_it_is_said() {
        let (nobody, no_doctor) = (PatientId(Uuid::nil()), PractitionerId(Uuid::nil()));
        let command = OpenThread {
            patient_id: nobody,
            ..opening(&[Participant::Patient(ada()), Participant::Practitioner(no_doctor)])
        };
        let refused = open(command, staff()).inspect_result().unwrap_err();
        assert_eq!(refused.code, RefusalCode::RuleBroken);
        let expected = [
            Refusal::PatientUnknown(nobody),
            Refusal::OtherPatient(ada()),
            Refusal::PractitionerUnknown(no_doctor),
        ];
        assert_eq!(refused.reasons, expected);
    }

    #[test]
    fn one_to_as_many_as_the_rules_say_take_part() {
        let mut ctx = staff();
        ctx.rules.thread_participants_max = 1;
        open(opening(&[]), ctx.clone()).then_expect_error(Refusal::NoParticipants.into());
        let ada = [Participant::Patient(ada())];
        open(opening(&ada), ctx.clone()).then_expect_events(vec![opened(&ada)]);
        open(opening(&ADA_AND_GRAY()), ctx)
            .then_expect_error(Refusal::TooManyParticipants { count_max: 1 }.into());
    }
}
