//! Changing how a patient is reached.

use praxis_events::ids::{PatientId, StreamId};
use praxis_events::patient::{Contact, PatientContactChanged};
use praxis_events::sealed::Sealed;

use crate::command::{Command, Decision};
use crate::context::Context;
use crate::patient::details::ContactDetails;
use crate::patient::known;
use crate::refusal::Refused;
use crate::world::World;

/// Change telephones, e-mail addresses or postal address: the whole group as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangePatientContact {
    /// Whose record.
    pub patient_id: PatientId,
    /// The whole group as it should be.
    pub contact: ContactDetails,
}

impl Command for ChangePatientContact {
    fn target(&self) -> StreamId {
        self.patient_id.into()
    }

    fn streams(&self, _world: &World) -> Vec<StreamId> {
        vec![self.target()]
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        let (_, record) = known(world, ctx, self.patient_id)?;
        let contact = Sealed::Value(Contact::from(self.contact.clone()));
        if record.contact == contact {
            return Ok(Decision::nothing());
        }
        Ok(Decision::event(
            self.patient_id,
            PatientContactChanged { contact },
        ))
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use praxis_events::patient::PatientContactChanged;
    use praxis_events::sealed::Sealed;

    use super::ChangePatientContact;
    use crate::patient::details::ContactDetails;
    use crate::patient::state::Patient;
    use crate::refusal::Refusal;
    use crate::samples::{ada, ada_registered, as_patient, contact, situation, somebody};

    fn unreachable() -> ChangePatientContact {
        ChangePatientContact {
            patient_id: ada(),
            contact: ContactDetails::default(),
        }
    }

    #[test]
    fn a_patient_changes_their_own_contact() {
        let changed = PatientContactChanged {
            contact: Sealed::Value(ContactDetails::default().into()),
        };
        TestFramework::<Patient>::with(situation(as_patient(ada())))
            .given(vec![ada_registered()])
            .when(unreachable().into())
            .then_expect_events(vec![changed.into()]);
    }

    #[test]
    fn a_change_to_what_is_said_already_changes_nothing() {
        TestFramework::<Patient>::with(situation(as_patient(ada())))
            .given(vec![ada_registered()])
            .when(
                ChangePatientContact {
                    patient_id: ada(),
                    contact: contact(),
                }
                .into(),
            )
            .then_expect_events(Vec::new());
    }

    #[test]
    fn a_patient_does_not_find_the_contact_of_another() {
        TestFramework::<Patient>::with(situation(as_patient(somebody())))
            .given(vec![ada_registered()])
            .when(unreachable().into())
            .then_expect_error(Refusal::NotFound(ada().into()).into());
    }
}
