//! Correcting what a patient's record says of the person.

use praxis_events::ids::{PatientId, StreamId};
use praxis_events::patient::{Demographics, PatientDetailsCorrected};
use praxis_events::sealed::Sealed;

use crate::command::{Command, Decision};
use crate::context::Context;
use crate::patient::details::PatientDetails;
use crate::patient::known;
use crate::refusal::Refused;
use crate::words::Comment;
use crate::world::World;

/// Correct names, birth date, gender or language: the whole group as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrectPatientDetails {
    /// Whose record.
    pub patient_id: PatientId,
    /// The whole group as it should be.
    pub details: PatientDetails,
    /// Why.
    pub reason: Comment,
}

impl Command for CorrectPatientDetails {
    fn target(&self) -> StreamId {
        self.patient_id.into()
    }

    fn streams(&self, _world: &World) -> Vec<StreamId> {
        vec![self.target()]
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        let (_, record) = known(world, ctx, self.patient_id)?;
        let demographics = Sealed::Value(Demographics::from(self.details.clone()));
        if record.demographics == demographics {
            return Ok(Decision::nothing());
        }
        let reason = Some(Sealed::Value(self.reason.clone().into()));
        Ok(Decision::event(
            self.patient_id,
            PatientDetailsCorrected { demographics, reason },
        ))
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use praxis_events::patient::{PatientDetailsCorrected, PatientEvent, PatientRegistered};
    use praxis_events::sealed::Sealed;

    use super::CorrectPatientDetails;
    use crate::patient::state::Patient;
    use crate::refusal::Refusal;
    use crate::samples::{ada, ada_registered, as_patient, comment, details, situation, somebody, staff};
    use crate::values::family_name::FamilyName;

    fn correction(family_name: &str) -> CorrectPatientDetails {
        let mut details = details();
        details.family_name = FamilyName::parse(family_name).unwrap();
        CorrectPatientDetails {
            patient_id: ada(),
            details,
            reason: comment(),
        }
    }

    #[test]
    fn a_correction_states_the_whole_group_and_why() {
        let correction = correction("Kowalska");
        let corrected = PatientDetailsCorrected {
            demographics: Sealed::Value(correction.details.clone().into()),
            reason: Some(Sealed::Value(comment().into())),
        };
        TestFramework::<Patient>::with(situation(staff()))
            .given(vec![ada_registered()])
            .when(correction.into())
            .then_expect_events(vec![corrected.into()]);
    }

    #[test]
    fn a_correction_to_what_is_said_already_changes_nothing() {
        TestFramework::<Patient>::with(situation(staff()))
            .given(vec![ada_registered()])
            .when(correction("Nowak").into())
            .then_expect_events(Vec::new());
    }

    #[test]
    fn what_was_erased_can_be_said_again() {
        let PatientEvent::Registered(registered) = ada_registered() else {
            panic!("registered first")
        };
        let erased = PatientRegistered {
            demographics: Sealed::Erased,
            ..registered
        };
        let events = TestFramework::<Patient>::with(situation(staff()))
            .given(vec![erased.into()])
            .when(correction("Nowak").into())
            .inspect_result()
            .unwrap();
        assert_eq!(events.len(), 1);
    }

    #[test]
    fn a_record_that_is_not_there_is_not_found() {
        TestFramework::<Patient>::with(situation(staff()))
            .given_no_previous_events()
            .when(correction("Nowak").into())
            .then_expect_error(Refusal::NotFound(ada().into()).into());
    }

    #[test]
    fn a_patient_finds_no_record_but_their_own() {
        TestFramework::<Patient>::with(situation(as_patient(somebody())))
            .given(vec![ada_registered()])
            .when(correction("Kowalska").into())
            .then_expect_error(Refusal::NotFound(ada().into()).into());
    }
}
