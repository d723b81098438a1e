//! Adding a site of the practice.

use praxis_calendar::zone::Zone;
use praxis_events::ids::{LocationId, StreamId};
use praxis_events::location::{LocationRegistered, Source};

use crate::command::{Command, Decision};
use crate::context::Context;
use crate::location::name::LocationName;
use crate::refusal::{Refusal, Refused};
use crate::values::identifier::Identifier;
use crate::world::World;

/// Add a site. That its source id is no other site's is judged by the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterLocation {
    /// The new site.
    pub location_id: LocationId,
    /// What it is called.
    pub name: LocationName,
    /// The zone its clock shows.
    pub zone: Zone,
    /// The id in the system it is imported from.
    pub source: Option<Identifier>,
}

impl Command for RegisterLocation {
    fn target(&self) -> StreamId {
        self.location_id.into()
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
        if world.exists(self.location_id) {
            return Err(Refusal::AlreadyRegistered(self.target()).into());
        }
        let source = self.source.as_ref().map(|source| Source {
            system: source.system().reveal().clone(),
            value: source.value().reveal().clone(),
        });
        let registered = LocationRegistered {
            name: self.name.to_string(),
            zone: self.zone.name().to_owned(),
            source,
        };
        Ok(Decision::event(self.location_id, registered))
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use praxis_calendar::zone::Zone;
    use praxis_events::location::{LocationRegistered, Source};

    use super::RegisterLocation;
    use crate::location::name::LocationName;
    use crate::location::state::Location;
    use crate::refusal::Refusal;
    use crate::samples::{
        SYSTEM, ada, as_patient, high_street, high_street_registered, identifier, situation, staff,
    };

    fn registration() -> RegisterLocation {
        RegisterLocation {
            location_id: high_street(),
            name: LocationName::parse("High Street").unwrap(),
            zone: Zone::parse("Europe/London").unwrap(),
            source: None,
        }
    }

    #[test]
    fn a_new_site_is_added_with_its_zone() {
        TestFramework::<Location>::with(situation(staff()))
            .given_no_previous_events()
            .when(registration().into())
            .then_expect_events(vec![high_street_registered()]);
    }

    #[test]
    fn an_imported_site_claims_its_source_id() {
        let imported = RegisterLocation {
            source: Some(identifier("loc-1")),
            ..registration()
        };
        let events = TestFramework::<Location>::with(situation(staff()))
            .given_no_previous_events()
            .when(imported.into())
            .inspect_result()
            .unwrap();
        let source = Source {
            system: SYSTEM.to_owned(),
            value: "loc-1".to_owned(),
        };
        let expected = LocationRegistered {
            name: "High Street".to_owned(),
            zone: "Europe/London".to_owned(),
            source: Some(source),
        };
        assert_eq!(events, [expected.into()]);
        let mut state = Location::default();
        for event in &events {
            state.fold(event);
        }
        assert_eq!(state.claims().len(), 1);
    }

    #[test]
    fn a_site_is_added_once() {
        TestFramework::<Location>::with(situation(staff()))
            .given(vec![high_street_registered()])
            .when(registration().into())
            .then_expect_error(Refusal::AlreadyRegistered(high_street().into()).into());
    }

    #[test]
    fn a_patient_adds_no_site() {
        TestFramework::<Location>::with(situation(as_patient(ada())))
            .given_no_previous_events()
            .when(registration().into())
            .then_expect_error(Refusal::NotForPatients.into());
    }
}
