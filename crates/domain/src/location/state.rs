//! What is known of a site?

use praxis_calendar::zone::Zone;
use praxis_events::location::{LocationEvent, Source};
use serde::{Deserialize, Serialize};

use crate::claim::{Claim, ClaimResource};

/// The state of a location.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// What is said of the site; `None` before its first event.
    pub record: Option<LocationRecord>,
}

/// What is said of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LocationRecord {
    /// What it is called.
    pub name: String,
    /// IANA zone its clock shows, as it was stored.
    pub zone: String,
    /// The id it was imported from.
    pub source: Option<Source>,
}

impl Location {
    /// Takes in one event.
    pub fn fold(&mut self, event: &LocationEvent) {
        match event {
            LocationEvent::Registered(registered) => {
                self.record = Some(LocationRecord {
                    name: registered.name.clone(),
                    zone: registered.zone.clone(),
                    source: registered.source.clone(),
                });
            }
        }
    }

    /// The site's time zone; `None` if this version has no rules for it (zones do get renamed).
    pub fn zone(&self) -> Option<Zone> {
        self.record
            .as_ref()
            .and_then(|record| Zone::parse(&record.zone).ok())
    }

    /// The source id.
    pub fn claims(&self) -> Vec<Claim> {
        let source = self.record.as_ref().and_then(|record| record.source.as_ref());
        source
            .map(|source| {
                Claim::system_and_value(ClaimResource::LocationSource, &source.system, &source.value)
            })
            .into_iter()
            .collect()
    }
}
