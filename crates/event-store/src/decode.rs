//! What turns stored events into events that folds can be given, whoever holds the keys.

use async_trait::async_trait;
use praxis_events::recorded::RecordedEvent;

use crate::codec::{Codec, DecodeFault};
use crate::port::StoredEvent;
use crate::vault::VaultError;

/// Opens stored events. [`Codec`] is the one that production uses.
#[async_trait]
pub trait Decoder: Send + Sync {
    /// The events in the order given; one that cannot be read is a [`DecodeFault`] in its place, and parks its stream.
    ///
    /// # Errors
    /// [`VaultError`] when the keys cannot be had now: no fault of any event, so stop and try again.
    async fn decode(
        &self,
        stored: &[StoredEvent],
    ) -> Result<Vec<Result<RecordedEvent, DecodeFault>>, VaultError>;
}

#[async_trait]
impl Decoder for Codec {
    async fn decode(
        &self,
        stored: &[StoredEvent],
    ) -> Result<Vec<Result<RecordedEvent, DecodeFault>>, VaultError> {
        Self::decode(self, stored).await
    }
}
