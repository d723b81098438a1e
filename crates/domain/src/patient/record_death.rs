//! Recording a patient's death.

use chrono::{DateTime, Utc};
use praxis_events::ids::{PatientId, StreamId};
use praxis_events::patient::{Death, PatientDeathRecorded};
use praxis_events::personal::Personal;
use praxis_events::sealed::Sealed;

use crate::command::{Command, Decision};
use crate::context::Context;
use crate::patient::known;
use crate::refusal::{Refusal, Refused};
use crate::world::World;

/// Record that a patient died. Recording another instant corrects the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordDeath {
    /// Who.
    pub patient_id: PatientId,
    /// When.
    pub at: Personal<DateTime<Utc>>,
}

impl Command for RecordDeath {
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
        let death = Sealed::Value(Death { at: self.at.clone() });
        if patient.death.as_ref() == Some(&death) {
            return Ok(Decision::nothing());
        }
        let mut reasons = Vec::new();
        if *self.at.reveal() > ctx.now {
            reasons.push(Refusal::DeathInTheFuture);
        }
        if patient.unborn_at(*self.at.reveal()) {
            reasons.push(Refusal::DeathBeforeBirth);
        }
        Refused::unless_none(reasons)?;
        Ok(Decision::event(self.patient_id, PatientDeathRecorded { death }))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use cqrs_es::test::{AggregateTestExecutor, TestFramework};
    use praxis_events::patient::{Death, PatientDeathRecorded};
    use praxis_events::personal::Personal;
    use praxis_events::sealed::Sealed;

    use super::RecordDeath;
    use crate::patient::state::Patient;
    use crate::refusal::Refusal;
    use crate::samples::{ada, ada_registered, as_patient, at, now, situation, staff};

    fn registered() -> AggregateTestExecutor<Patient> {
        TestFramework::with(situation(staff())).given(vec![ada_registered()])
    }

    fn death(at: chrono::DateTime<chrono::Utc>) -> RecordDeath {
        RecordDeath {
            patient_id: ada(),
            at: Personal::new(at),
        }
    }

    fn recorded(at: chrono::DateTime<chrono::Utc>) -> PatientDeathRecorded {
        PatientDeathRecorded {
            death: Sealed::Value(Death {
                at: Personal::new(at),
            }),
        }
    }

    #[test]
    fn a_death_is_recorded_up_to_now() {
        registered()
            .when(death(now()).into())
            .then_expect_events(vec![recorded(now()).into()]);
    }

    #[test]
    fn a_death_in_the_future_is_refused() {
        registered()
            .when(death(now() + TimeDelta::microseconds(1)).into())
            .then_expect_error(Refusal::DeathInTheFuture.into());
    }

    #[test]
    fn a_death_before_the_birth_date_began_anywhere_is_refused() {
        let begins = at("1984-02-28T10:00:00Z");
        registered()
            .when(death(begins).into())
            .then_expect_events(vec![recorded(begins).into()]);
        registered()
            .when(death(begins - TimeDelta::microseconds(1)).into())
            .then_expect_error(Refusal::DeathBeforeBirth.into());
    }

    #[test]
    fn the_same_death_again_changes_nothing_and_another_instant_corrects_it() {
        let (first, second) = (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
        let died = registered().and(vec![recorded(first).into()]);
        died.when(death(first).into()).then_expect_events(Vec::new());
        let died = registered().and(vec![recorded(first).into()]);
        died.when(death(second).into())
            .then_expect_events(vec![recorded(second).into()]);
    }

    #[test]
    fn a_patient_records_no_death() {
        TestFramework::<Patient>::with(situation(as_patient(ada())))
            .given(vec![ada_registered()])
            .when(death(now()).into())
            .then_expect_error(Refusal::NotForPatients.into());
    }
}
