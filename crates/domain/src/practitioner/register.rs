//! Opening a practitioner's record.

use praxis_events::ids::{PractitionerId, StreamId};
use praxis_events::patient::Identifier as StoredIdentifier;
use praxis_events::practitioner::{PractitionerRegistered, Profile};
use praxis_events::sealed::Sealed;

use crate::command::{Command, Decision};
use crate::context::Context;
use crate::practitioner::speciality::SpecialityCode;
use crate::refusal::{Refusal, Refused};
use crate::values::family_name::FamilyName;
use crate::values::given_name::GivenName;
use crate::values::identifier::Identifier;
use crate::world::World;

/// Open a practitioner's record. That identifiers and source id are nobody else's is judged by the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterPractitioner {
    /// The new record.
    pub practitioner_id: PractitionerId,
    /// Family name; the only name of those who have one.
    pub family_name: FamilyName,
    /// Given names in order.
    pub given_names: Vec<GivenName>,
    /// Codes of specialities, in order.
    pub specialities: Vec<SpecialityCode>,
    /// Identifiers given by others (a national provider number).
    pub identifiers: Vec<Identifier>,
    /// The id in the system the record is imported from.
    pub source: Option<Identifier>,
}

impl Command for RegisterPractitioner {
    fn target(&self) -> StreamId {
        self.practitioner_id.into()
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
        if world.exists(self.practitioner_id) {
            return Err(Refusal::AlreadyRegistered(self.target()).into());
        }
        let profile = Profile {
            family_name: self.family_name.clone().into(),
            given_names: self.given_names.iter().cloned().map(Into::into).collect(),
            identifiers: self
                .identifiers
                .iter()
                .cloned()
                .map(StoredIdentifier::from)
                .collect(),
        };
        let registered = PractitionerRegistered {
            specialities: self.specialities.iter().map(ToString::to_string).collect(),
            profile: Sealed::Value(profile),
            source: self.source.clone().map(|source| Sealed::Value(source.into())),
        };
        Ok(Decision::event(self.practitioner_id, registered))
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::RegisterPractitioner;
    use crate::claim::ClaimResource;
    use crate::practitioner::speciality::SpecialityCode;
    use crate::practitioner::state::Practitioner;
    use crate::refusal::Refusal;
    use crate::samples::{ada, as_patient, dr_gray, dr_gray_registered, identifier, situation, staff};
    use crate::values::family_name::FamilyName;

    fn registration() -> RegisterPractitioner {
        RegisterPractitioner {
            practitioner_id: dr_gray(),
            family_name: FamilyName::parse("Gray").unwrap(),
            given_names: Vec::new(),
            specialities: vec![SpecialityCode::parse("207Q00000X").unwrap()],
            identifiers: vec![identifier("npi-1")],
            source: None,
        }
    }

    #[test]
    fn a_new_practitioner_is_registered() {
        TestFramework::<Practitioner>::with(situation(staff()))
            .given_no_previous_events()
            .when(registration().into())
            .then_expect_events(vec![dr_gray_registered()]);
    }

    #[test]
    fn a_record_is_opened_once() {
        TestFramework::<Practitioner>::with(situation(staff()))
            .given(vec![dr_gray_registered()])
            .when(registration().into())
            .then_expect_error(Refusal::AlreadyRegistered(dr_gray().into()).into());
    }

    #[test]
    fn a_patient_registers_no_practitioner() {
        TestFramework::<Practitioner>::with(situation(as_patient(ada())))
            .given_no_previous_events()
            .when(registration().into())
            .then_expect_error(Refusal::NotForPatients.into());
    }

    #[test]
    fn identifier_and_source_id_are_claimed() {
        let imported = RegisterPractitioner {
            source: Some(identifier("npi-1")),
            ..registration()
        };
        let events = TestFramework::<Practitioner>::with(situation(staff()))
            .given_no_previous_events()
            .when(imported.into())
            .inspect_result()
            .unwrap();
        let mut state = Practitioner::default();
        for event in &events {
            state.fold(event);
        }
        let claimed: Vec<_> = state.claims().iter().map(|claim| claim.resource).collect();
        assert_eq!(
            claimed,
            [
                ClaimResource::PractitionerIdentifier,
                ClaimResource::PractitionerSource
            ]
        );
    }
}
