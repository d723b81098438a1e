//! What does a decision know of the moment: the time, who asks, and the practice's rules?

use chrono::{DateTime, Utc};
use praxis_events::ids::{PatientId, PractitionerId};
use praxis_events::metadata::{Actor, ActorRole};

use crate::rules::Rules;

/// Everything a decision may know besides the state it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The time the decision is made at.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// The patient the account belongs to, where it belongs to one.
    pub patient_id: Option<PatientId>,
    /// The practitioner the account belongs to, where it belongs to one.
    pub practitioner_id: Option<PractitionerId>,
    /// The practice's rules.
    pub rules: Rules,
}

impl Context {
    /// Whether the caller acts as a patient, who may know of nothing but their own.
    pub fn is_patient(&self) -> bool {
        self.actor.role == ActorRole::Patient
    }

    /// Whether the caller acts in this role.
    pub fn acts_as(&self, role: ActorRole) -> bool {
        self.actor.role == role
    }

    /// Whether a record of this patient may be known to the caller: patients know of their own only. Whether others
    /// have reason to know of it is judged at the doors, not here.
    pub fn may_know_of(&self, patient_id: PatientId) -> bool {
        !self.is_patient() || self.patient_id == Some(patient_id)
    }
}
