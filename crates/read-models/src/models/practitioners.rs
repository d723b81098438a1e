//! What is shown of a practitioner.

use praxis_events::event::Event;
use praxis_events::ids::PractitionerId;
use praxis_events::practitioner::{PractitionerEvent, Profile};
use praxis_events::recorded::RecordedEvent;
use praxis_events::sealed::Sealed;

use crate::fold::{Place, ReadModel, placed};
use crate::names::PersonName;

/// The read model of practitioners.
#[derive(Clone, Copy, Debug)]
pub struct Practitioners;

/// A practitioner's record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PractitionerRow {
    /// Which practitioner.
    pub id: PractitionerId,
    /// Where in the log the row stands; its version is that of the practitioner's stream.
    pub place: Place,
    /// Codes of specialities, in order.
    pub specialities: Vec<String>,
    /// Names and identifiers.
    pub profile: Sealed<Profile>,
}

placed!(PractitionerRow);

impl PractitionerRow {
    /// The practitioner's name.
    pub fn name(&self) -> Sealed<PersonName> {
        self.profile.clone().map(PersonName::from)
    }
}

impl ReadModel for Practitioners {
    const NAME: &'static str = "practitioners";
    const FOLD_VERSION: u32 = 1;
    type Key = PractitionerId;
    type Row = PractitionerRow;

    fn keys(event: &RecordedEvent) -> impl Iterator<Item = PractitionerId> {
        match &event.event {
            Event::Practitioner(_) => Some(PractitionerId(event.stream.id)),
            Event::Patient(_) | Event::Location(_) | Event::Appointment(_) | Event::Thread(_) => None,
        }
        .into_iter()
    }

    fn key(row: &PractitionerRow) -> PractitionerId {
        row.id
    }

    fn apply(row: &mut Option<PractitionerRow>, key: PractitionerId, event: &RecordedEvent) {
        let Event::Practitioner(happened) = &event.event else {
            return;
        };
        match happened {
            PractitionerEvent::Registered(registered) => {
                *row = Some(PractitionerRow {
                    id: key,
                    place: Place::of(event),
                    specialities: registered.specialities.clone(),
                    profile: registered.profile.clone(),
                });
            }
        }
    }
}
