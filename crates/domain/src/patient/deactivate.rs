//! Setting a patient's record inactive.

use praxis_events::ids::{PatientId, StreamId};
use praxis_events::patient::PatientDeactivated;

use crate::command::{Command, Decision};
use crate::context::Context;
use crate::patient::known;
use crate::patient::state::Standing;
use crate::refusal::{Refusal, Refused};
use crate::world::World;

/// Set a record inactive: nothing can be booked any more, what is booked stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeactivatePatient {
    /// Whose record.
    pub patient_id: PatientId,
}

impl Command for DeactivatePatient {
    fn target(&self) -> StreamId {
        self.patient_id.into()
    }

    fn streams(&self, _world: &World) -> Vec<StreamId> {
        vec![self.target()]
    }

    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused> {
        if ctx.is_patient() {
            return Err(Refusal::NotForPatients.into());
        }
        let (patient, _) = known(world, ctx, self.patient_id)?;
        Ok(match patient.standing {
            Standing::Active => Decision::event(self.patient_id, PatientDeactivated {}),
            Standing::Inactive => Decision::nothing(),
        })
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use praxis_events::patient::PatientDeactivated;

    use super::DeactivatePatient;
    use crate::patient::state::Patient;
    use crate::refusal::Refusal;
    use crate::samples::{ada, ada_registered, as_patient, situation, staff};

    fn command() -> DeactivatePatient {
        DeactivatePatient { patient_id: ada() }
    }

    #[test]
    fn an_active_record_is_set_inactive_once() {
        let practice = || TestFramework::<Patient>::with(situation(staff())).given(vec![ada_registered()]);
        practice()
            .when(command().into())
            .then_expect_events(vec![PatientDeactivated {}.into()]);
        practice()
            .and(vec![PatientDeactivated {}.into()])
            .when(command().into())
            .then_expect_events(Vec::new());
    }

    #[test]
    fn a_record_that_is_not_there_is_not_found() {
        TestFramework::<Patient>::with(situation(staff()))
            .given_no_previous_events()
            .when(command().into())
            .then_expect_error(Refusal::NotFound(ada().into()).into());
    }

    #[test]
    fn a_patient_sets_no_record_inactive() {
        TestFramework::<Patient>::with(situation(as_patient(ada())))
            .given(vec![ada_registered()])
            .when(command().into())
            .then_expect_error(Refusal::NotForPatients.into());
    }
}
