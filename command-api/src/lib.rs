//! The command side: commands over HTTP, the executor that decides and appends them, and the relay to the broker.

pub mod answer;
pub mod app;
pub mod call;
pub mod deltas;
pub mod execute;
mod lapsed;
pub mod numbers;
pub mod received;
pub mod refusals;
pub mod relay;
pub mod routes;
mod states;
