//! Opening a patient's record.

use praxis_events::ids::{PatientId, StreamId};
use praxis_events::patient::{Identifier as StoredIdentifier, PatientRegistered};
use praxis_events::record_number::RecordNumber;
use praxis_events::sealed::Sealed;

use crate::command::{Command, Decision};
use crate::context::Context;
use crate::patient::details::{ContactDetails, PatientDetails};
use crate::refusal::{Refusal, Refused};
use crate::values::identifier::Identifier;
use crate::world::World;

/// Open a patient's record. That identifiers, record number and source id are nobody else's is judged by the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterPatient {
    /// The new record.
    pub patient_id: PatientId,
    /// Its record number, issued by the counter.
    pub record_number: RecordNumber,
    /// Names, birth date, gender, language.
    pub details: PatientDetails,
    /// How the patient is reached.
    pub contact: ContactDetails,
    /// Identifiers given by others.
    pub identifiers: Vec<Identifier>,
    /// The id in the system the record is imported from.
    pub source: Option<Identifier>,
}

impl Command for RegisterPatient {
    fn target(&self) -> StreamId {
        self.patient_id.into()
    }

    fn makes_target(&self) -> bool {
        true
    }

    fn streams(&self, _world: &World) -> Vec<StreamId> {
        vec![self.target()]
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        if ctx.is_patient() {
            return Err(Refusal::NotForPatients.into());
        }
        if world.exists(self.patient_id) {
            return Err(Refusal::AlreadyRegistered(self.target()).into());
        }
        let mut identifiers: Vec<StoredIdentifier> = Vec::with_capacity(self.identifiers.len());
        for identifier in self.identifiers.iter().cloned().map(StoredIdentifier::from) {
            if !identifiers.contains(&identifier) {
                identifiers.push(identifier);
            }
        }
        let registered = PatientRegistered {
            record_number: self.record_number.counter(),
            demographics: Sealed::Value(self.details.clone().into()),
            contact: Sealed::Value(self.contact.clone().into()),
            identifiers: Sealed::Value(identifiers),
            source: self.source.clone().map(|source| Sealed::Value(source.into())),
        };
        Ok(Decision::event(self.patient_id, registered))
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use crate::patient::PatientCommand;
    use crate::patient::state::Patient;
    use crate::refusal::Refusal;
    use crate::samples::{ada, ada_registered, as_patient, identifier, registration, situation, staff};
    use crate::state::State;

    fn practice() -> TestFramework<Patient> {
        TestFramework::with(situation(staff()))
    }

    #[test]
    fn a_new_patient_is_registered() {
        practice()
            .given_no_previous_events()
            .when(registration().into())
            .then_expect_events(vec![ada_registered()]);
    }

    #[test]
    fn a_record_is_opened_once() {
        practice()
            .given(vec![ada_registered()])
            .when(registration().into())
            .then_expect_error(Refusal::AlreadyRegistered(ada().into()).into());
    }

    #[test]
    fn a_patient_opens_no_record() {
        TestFramework::<Patient>::with(situation(as_patient(ada())))
            .given_no_previous_events()
            .when(registration().into())
            .then_expect_error(Refusal::NotForPatients.into());
    }

    #[test]
    fn an_identifier_said_twice_is_kept_and_claimed_once() {
        let mut twice = registration();
        twice.identifiers = vec![identifier("1"), identifier("2"), identifier("1")];
        twice.source = Some(identifier("1"));
        let events = practice()
            .given_no_previous_events()
            .when(PatientCommand::Register(twice))
            .inspect_result()
            .unwrap();
        let mut state = State::empty(praxis_events::ids::StreamType::Patient);
        for event in events {
            state.apply(&event.into());
        }
        // Record number, two identifiers, and the source id, which is another thing than the identifier it equals.
        assert_eq!(state.claims().len(), 4);
    }
}
