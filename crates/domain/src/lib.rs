//! What may happen in a practice: values, states, and commands with their pure decisions.
//!
//! **Invariants.** Deciding and folding never read the world: time, ids and actor arrive in the context. A fold cannot fail,
//! and every state folds with erased parts. A refusal lists all its reasons, by codes and ids. Claims and spans are functions
//! of a state alone; whether they are free is judged by the log, never here.

mod aggregate_macro;
pub mod appointment;
pub mod claim;
pub mod command;
pub mod context;
pub mod location;
pub mod patient;
pub mod practitioner;
pub mod refusal;
pub mod rules;
pub mod situation;
pub mod span;
pub mod state;
pub mod thread;
pub mod values;
pub mod words;
pub mod world;

#[cfg(test)]
mod samples;
