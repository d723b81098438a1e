//! How does a practice live in SQLite files: the log in one of them, owned by one process.
//!
//! **Invariants.** SQL is only here. A connection is used only after it has shown the settings that make a commit
//! durable before it is visible. Nothing creates or changes a schema but the `migrate` functions.

pub mod directory;
pub mod log;
pub mod views;
