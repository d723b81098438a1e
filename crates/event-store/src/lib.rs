//! The log: its record, the port to the databases that hold it, and the sequencer that orders appends.
//!
//! No SQL, no broker, no domain: what an event means is `praxis-events`, where it is kept is `store-*`.

pub mod append;
pub mod audit;
pub mod bus;
pub mod codec;
pub mod decode;
pub mod feed;
pub mod judge;
mod known;
pub mod outcomes;
pub mod partition;
pub mod port;
pub mod record;
pub mod restore;
pub mod sequencer;
pub mod vault;
