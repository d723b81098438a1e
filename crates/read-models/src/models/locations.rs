//! What is shown of a site of the practice.

use praxis_events::event::Event;
use praxis_events::ids::LocationId;
use praxis_events::location::LocationEvent;
use praxis_events::recorded::RecordedEvent;

use crate::fold::{Place, ReadModel, placed};

/// The read model of locations.
#[derive(Clone, Copy, Debug)]
pub struct Locations;

/// A site of the practice.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LocationRow {
    /// Which site.
    pub id: LocationId,
    /// Where in the log the row stands; its version is that of the location's stream.
    pub place: Place,
    /// What it is called.
    pub name: String,
    /// IANA zone its clock shows.
    pub zone: String,
}

placed!(LocationRow);

impl ReadModel for Locations {
    const NAME: &'static str = "locations";
    const FOLD_VERSION: u32 = 1;
    type Key = LocationId;
    type Row = LocationRow;

    fn keys(event: &RecordedEvent) -> impl Iterator<Item = LocationId> {
        match &event.event {
            Event::Location(_) => Some(LocationId(event.stream.id)),
            Event::Patient(_) | Event::Practitioner(_) | Event::Appointment(_) | Event::Thread(_) => None,
        }
        .into_iter()
    }

    fn key(row: &LocationRow) -> LocationId {
        row.id
    }

    fn apply(row: &mut Option<LocationRow>, key: LocationId, event: &RecordedEvent) {
        let Event::Location(happened) = &event.event else {
            return;
        };
        match happened {
            LocationEvent::Registered(registered) => {
                *row = Some(LocationRow {
                    id: key,
                    place: Place::of(event),
                    name: registered.name.clone(),
                    zone: registered.zone.clone(),
                });
            }
        }
    }
}
