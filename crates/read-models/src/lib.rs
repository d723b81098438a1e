//! What screens are made of: read models as pure folds over events, and the ports to the databases that keep them.
//!
//! **Invariants.** A fold is total, reads no clock and does no I/O. A row is changed by events of one stream only.
//! Folding events again, or in other slices, changes nothing. No SQL and no event store here.

pub mod fingerprint;
pub mod fold;
pub mod freshness;
pub mod models;
pub mod names;
pub mod reads;
pub mod registry;
pub mod save;
pub mod search;
pub mod views;
