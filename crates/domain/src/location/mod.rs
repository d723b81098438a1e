//! Locations: what is known of a site, and what may be done to it.

pub mod name;
pub mod register;
pub mod state;

use praxis_events::location::LocationEvent;

use crate::aggregate_macro::aggregate;
use register::RegisterLocation;
use state::Location;

aggregate! {
    /// Any command to a location.
    LocationCommand of Location, LocationEvent {
        /// Add the site.
        Register(RegisterLocation),
    }
}
