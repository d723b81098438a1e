//! How the log becomes read models: one loop that takes events from a feed, folds them and saves the rows.
//!
//! **Invariants.** Rows, parked events and the checkpoint move in one transaction, and the checkpoint moves by
//! compare-and-set, so a projector that lost its partition changes nothing. An event is folded only if everything
//! before it in its partition is; what a feed left out is read from the log. Another log, another life of it or
//! another history stops the loop.

pub mod apply;
pub mod failure;
pub mod feeds;
pub mod gap;
pub mod generations;
pub mod head_feed;
pub mod log_feed;
pub mod parked;
pub mod project;
pub mod rebuild;
pub mod rule;
mod telemetry;
mod trace;
pub mod verify;
