//! Where are the read models: a schema for each generation, and one that lists them.
//!
//! **Invariants:** rows, parked events and checkpoints of a generation are in one schema and move in one transaction;
//! whoever moves rows has moved a checkpoint first, which keeps other projectors of the partition out. A generation's
//! SQL names no schema: it is the one of the connection.

mod conn;
mod read;
mod registering;
mod registry;
mod rows;
mod save;
mod schema;
mod search;
mod sessions;
mod write;

pub use registry::{MySqlRegistry, own_fingerprint};
pub use schema::migrate;

#[cfg(test)]
mod tests;
