//! The contract of Praxis: ids, domain events with their open and sealed parts, metadata, upcasters.
//!
//! Everything here is stored for good or read by others; see `docs/adr/` for what fixes it.

pub mod personal;
