//! Who may see a record: one function for each kind, asked by every route that shows it, now, as of then, or its history.
//!
//! The policy table decides by role which routes serve whom; here a record's own rules come on top (domain rules,
//! section 6). A doctor's relationship to a patient is not judged yet: for now a doctor sees every patient and booking,
//! and the conversations they take part in.

use praxis_auth::claims::{Principal, Role};
use praxis_events::ids::{PatientId, PractitionerId};
use praxis_events::thread::Participant;
use praxis_read_models::models::appointments::AppointmentRow;
use praxis_read_models::models::threads::ThreadRow;

use crate::error::ReadError;

/// Whether a record is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is.
    Granted,
    /// The caller may not know that it exists.
    Hidden,
    /// The caller may know that it exists, and not what it says.
    Refused,
}

impl Access {
    /// # Errors
    /// [`ReadError::NotFound`] or [`ReadError::Forbidden`].
    pub const fn require(self) -> Result<(), ReadError> {
        match self {
            Self::Granted => Ok(()),
            Self::Hidden => Err(ReadError::NotFound),
            Self::Refused => Err(ReadError::Forbidden),
        }
    }

    const fn if_own(own: bool) -> Self {
        if own { Self::Granted } else { Self::Hidden }
    }
}

/// A patient's record, and the list of their bookings.
pub fn patient(caller: &Principal, id: PatientId) -> Access {
    match caller.role {
        Role::Admin | Role::Doctor | Role::Staff | Role::Auditor => Access::Granted,
        Role::Patient => Access::if_own(caller.patient_id == Some(id.0)),
    }
}

/// A practitioner's record: whoever can log in has to choose among them.
pub const fn practitioner(caller: &Principal) -> Access {
    everyone(caller)
}

/// A site of the practice: as with practitioners.
pub const fn location(caller: &Principal) -> Access {
    everyone(caller)
}

/// A booking: as its patient's record.
pub fn appointment(caller: &Principal, row: &AppointmentRow) -> Access {
    patient(caller, row.patient_id)
}

/// A conversation: that it exists, about whom, who takes part, how much is unread.
pub fn thread(caller: &Principal, row: &ThreadRow) -> Access {
    match caller.role {
        Role::Admin | Role::Staff | Role::Auditor => Access::Granted,
        Role::Doctor | Role::Patient => Access::if_own(takes_part(caller, row)),
    }
}

/// The messages of a conversation: that they were sent, when, by whom, and who read them.
pub fn messages(caller: &Principal, row: &ThreadRow) -> Access {
    match caller.role {
        Role::Admin | Role::Staff => Access::Refused,
        Role::Doctor | Role::Patient | Role::Auditor => thread(caller, row),
    }
}

/// The words of a conversation that the caller may know of: what it is about and what is said in it. They are for those
/// who take part (domain rules, section 5); who manages or audits goes without them (ADR 32).
pub const fn words(caller: &Principal) -> Access {
    match caller.role {
        // A conversation that they take no part in is hidden from them.
        Role::Doctor | Role::Patient => Access::Granted,
        Role::Admin | Role::Staff | Role::Auditor => Access::Refused,
    }
}

/// The list of conversations of someone.
pub fn threads_of(caller: &Principal, participant: Participant) -> Access {
    match caller.role {
        Role::Admin | Role::Staff | Role::Auditor => Access::Granted,
        Role::Doctor | Role::Patient => Access::if_own(own_participant(caller) == Some(participant)),
    }
}

/// As whom a caller takes part in conversations; nobody for those who do not.
pub fn own_participant(caller: &Principal) -> Option<Participant> {
    match caller.role {
        Role::Patient => caller.patient_id.map(|id| Participant::Patient(PatientId(id))),
        Role::Doctor => caller
            .practitioner_id
            .map(|id| Participant::Practitioner(PractitionerId(id))),
        Role::Admin | Role::Staff | Role::Auditor => None,
    }
}

fn takes_part(caller: &Principal, row: &ThreadRow) -> bool {
    own_participant(caller).is_some_and(|own| row.participants.iter().any(|known| known.participant == own))
}

const fn everyone(caller: &Principal) -> Access {
    match caller.role {
        Role::Admin | Role::Doctor | Role::Staff | Role::Patient | Role::Auditor => Access::Granted,
    }
}

#[cfg(test)]
mod tests {
    use praxis_events::ids::ThreadId;
    use praxis_events::personal::Personal;
    use praxis_events::sealed::Sealed;
    use praxis_read_models::fold::Place;
    use praxis_read_models::models::threads::ThreadParticipant;
    use uuid::Uuid;

    use super::*;

    const OWN: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn caller(role: Role) -> Principal {
        Principal {
            account_id: Uuid::from_u128(9),
            role,
            patient_id: (role == Role::Patient).then_some(OWN),
            practitioner_id: (role == Role::Doctor).then_some(OWN),
        }
    }

    fn thread_of(participants: &[Participant]) -> ThreadRow {
        let at = chrono::DateTime::from_timestamp(0, 0).expect("an instant");
        let taking_part = |participant: &Participant| ThreadParticipant {
            participant: *participant,
            unread: Vec::new(),
        };
        ThreadRow {
            id: ThreadId(Uuid::from_u128(5)),
            place: Place {
                position: 1,
                version: 1,
            },
            patient_id: PatientId(OWN),
            topic: Sealed::Value(Personal::new("a result".to_owned())),
            opened_at: at,
            last_activity_at: at,
            message_count: 0,
            participants: participants.iter().map(taking_part).collect(),
        }
    }

    fn by_role(decide: impl Fn(&Principal) -> Access) -> [Access; 5] {
        Role::ALL.map(|role| decide(&caller(role)))
    }

    #[test]
    fn a_patient_sees_their_own_record_and_no_other() {
        use Access::{Granted, Hidden};
        let own = by_role(|caller| patient(caller, PatientId(OWN)));
        let other = by_role(|caller| patient(caller, PatientId(OTHER)));
        assert_eq!(own, [Granted; 5]);
        assert_eq!(other, [Granted, Granted, Granted, Hidden, Granted]);
    }

    #[test]
    fn a_thread_is_hidden_from_those_who_take_no_part() {
        use Access::{Granted, Hidden};
        let theirs = thread_of(&[
            Participant::Patient(PatientId(OWN)),
            Participant::Practitioner(PractitionerId(OWN)),
        ]);
        let others = thread_of(&[
            Participant::Patient(PatientId(OTHER)),
            Participant::Practitioner(PractitionerId(OTHER)),
        ]);
        assert_eq!(by_role(|caller| thread(caller, &theirs)), [Granted; 5]);
        assert_eq!(
            by_role(|caller| thread(caller, &others)),
            [Granted, Hidden, Granted, Hidden, Granted]
        );
    }

    #[test]
    fn a_patient_and_a_practitioner_of_one_id_are_not_mistaken() {
        let row = thread_of(&[Participant::Practitioner(PractitionerId(OWN))]);
        assert_eq!(thread(&caller(Role::Patient), &row), Access::Hidden);
        assert_eq!(thread(&caller(Role::Doctor), &row), Access::Granted);
    }

    #[test]
    fn staff_and_admins_know_of_a_thread_and_do_not_read_it() {
        use Access::{Granted, Hidden, Refused};
        let others = thread_of(&[Participant::Patient(PatientId(OTHER))]);
        assert_eq!(
            by_role(|caller| messages(caller, &others)),
            [Refused, Hidden, Refused, Hidden, Granted]
        );
    }

    #[test]
    fn words_are_for_those_who_take_part() {
        use Access::{Granted, Refused};
        assert_eq!(by_role(words), [Refused, Granted, Refused, Granted, Refused]);
    }
}
