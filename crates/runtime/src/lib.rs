//! What do the mains share: clock, ids, settings, tasks, telemetry, stopping?
//!
//! **Invariant: only mains use this crate.** Everything else is given its clock, its ids and its settings, so that a
//! test gives it others; the lints forbid the system's clock, random ids, environment and bare spawns elsewhere.

pub mod clock;
pub mod config;
pub mod ids;
pub mod service;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;
