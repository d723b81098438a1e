//! A feed that says what a test wrote down.

use std::collections::VecDeque;

use async_trait::async_trait;
use praxis_event_store::bus::BusMessage;
use praxis_event_store::feed::{EventFeed, FeedError};

/// Gives its batches one by one, with an error for each empty one, and then says the last one again and again, as a
/// heartbeat does.
pub struct ScriptedFeed {
    batches: VecDeque<Vec<BusMessage>>,
    heartbeat: Vec<BusMessage>,
    /// How often it was told that everything so far is applied.
    pub applied: u32,
}

impl ScriptedFeed {
    pub fn of(batches: impl IntoIterator<Item = Vec<BusMessage>>, heartbeat: Vec<BusMessage>) -> Self {
        Self {
            batches: batches.into_iter().collect(),
            heartbeat,
            applied: 0,
        }
    }
}

#[async_trait]
impl EventFeed for ScriptedFeed {
    async fn next(&mut self, _messages_max: usize) -> Result<Vec<BusMessage>, FeedError> {
        match self.batches.pop_front() {
            Some(batch) if batch.is_empty() => Err(FeedError::Unavailable("told to fail".into())),
            Some(batch) => Ok(batch),
            None if self.heartbeat.is_empty() => std::future::pending().await,
            None => {
                tokio::task::yield_now().await;
                Ok(self.heartbeat.clone())
            }
        }
    }

    async fn applied(&mut self) -> Result<(), FeedError> {
        self.applied += 1;
        Ok(())
    }
}
