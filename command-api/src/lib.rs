//! The command side: commands over HTTP, the executor that decides and appends them, and the relay to the broker.

pub mod deltas;
pub mod execute;
pub mod refusals;
pub mod relay;
