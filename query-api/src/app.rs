//! What the routes of the query API share.

use std::sync::Arc;

use praxis_event_store::decode::Decoder;
use praxis_event_store::port::LogReader;
use tokio::sync::watch;

use crate::generation::ReadSide;

/// Cheap to clone. The clock is not here: a request carries the instant at which it arrived.
#[derive(Clone)]
pub struct App {
    /// The read models of now.
    pub reads: Arc<ReadSide>,
    /// The log, for earlier states and histories.
    pub log: Arc<dyn LogReader>,
    /// What opens the log's events.
    pub decoder: Arc<dyn Decoder>,
    /// Where projectors run in this process: told after each of their batches, so that waiting reads need not poll.
    /// All projectors of the process tell the same channel; its value is not read.
    pub moved: Option<watch::Receiver<u64>>,
}
