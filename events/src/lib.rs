//! The contract of Praxis: ids, domain events with their open and sealed parts, metadata, upcasters.
//!
//! Everything here is stored for good or read by others: a published event is never edited, it gets a new
//! schema version, an upcaster and a fixture (`docs/how-to/add-an-event-version.md`).

pub mod appointment;
mod catalogue;
pub mod event;
pub mod ids;
pub mod location;
pub mod metadata;
pub mod patient;
pub mod personal;
pub mod practitioner;
pub mod record_number;
pub mod recorded;
pub mod sealed;
pub mod thread;
pub mod upcast;
