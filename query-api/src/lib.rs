//! The query side: what is there, what was there, and what happened, over HTTP.
//!
//! **Invariants.** Nothing here writes. Current state comes from the newest ready generation of read models, earlier
//! state and histories from the log through the same folds. Who may see a record is decided in [`access`], by one
//! function for each kind of record, whichever route asks.

pub mod access;
pub mod answer;
pub mod app;
pub mod as_of;
pub mod asked;
pub mod error;
pub mod freshness;
pub mod generation;
pub mod history;
pub mod openapi;
pub mod page;
pub mod routes;
pub mod view;
