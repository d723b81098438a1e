//! Practitioners: what is known of one, and what may be done to the record.

pub mod register;
pub mod speciality;
pub mod state;

use praxis_events::practitioner::PractitionerEvent;

use crate::aggregate_macro::aggregate;
use register::RegisterPractitioner;
use state::Practitioner;

aggregate! {
    /// Any command to a practitioner's record.
    PractitionerCommand of Practitioner, PractitionerEvent {
        /// Open the record.
        Register(RegisterPractitioner),
    }
}
