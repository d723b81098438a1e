//! Where are the read models: a file for each generation, and a small one that lists them.
//!
//! **Invariant:** rows, parked events and checkpoints of a generation are in one file and move in one transaction. Its
//! commits are not synced one by one: after a crash the file is whole but may be older, checkpoint included, and the
//! projector goes on from there.

mod conn;
mod files;
mod read;
mod registry;
mod rows;
mod save;
mod search;
mod write;

pub use files::REGISTRY_FILE;
pub use registry::SqliteRegistry;
