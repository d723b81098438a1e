//! What a failure means to the loop: wait and begin again, or stop and have someone look.

use praxis_event_store::feed::FeedError;
use praxis_event_store::port::StoreError;
use praxis_event_store::vault::VaultError;
use praxis_read_models::views::ViewsError;

use crate::apply::ApplyError;
use crate::parked::RetryError;
use crate::rule::LogMismatch;
use crate::verify::VerifyError;

/// Why a projector cannot go on by itself.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// Rows and log do not belong together.
    #[error("read models do not belong to the log")]
    Mismatch(#[source] LogMismatch),
    /// The feed does not keep its contract.
    #[error("event feed cannot be used")]
    Feed(#[source] FeedError),
    /// The event store or its data cannot be used.
    #[error("event store cannot be used")]
    Store(#[source] StoreError),
    /// The read models or their data cannot be used.
    #[error("read models cannot be used")]
    Views(#[source] ViewsError),
    /// The rows are fed by another number of partitions than the feed has.
    #[error("read models have checkpoints of {found} partitions, the feed has {wanted}")]
    Partitions {
        /// Checkpoints there are.
        found: usize,
        /// Partitions of the feed.
        wanted: u32,
    },
}

/// Why a session of the loop ended.
pub(crate) enum SessionEnd {
    Passing(Box<dyn std::error::Error + Send + Sync>),
    Lasting(ProjectionError),
}

impl From<ViewsError> for SessionEnd {
    fn from(error: ViewsError) -> Self {
        match error {
            ViewsError::Unavailable(_) => Self::Passing(Box::new(error)),
            ViewsError::Unfit(_) | ViewsError::Refused(_) | ViewsError::Corrupt(_) => {
                Self::Lasting(ProjectionError::Views(error))
            }
        }
    }
}

impl From<StoreError> for SessionEnd {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Busy => Self::Passing(Box::new(error)),
            StoreError::Unfit(_) | StoreError::Refused(_) | StoreError::Corrupt(_) => {
                Self::Lasting(ProjectionError::Store(error))
            }
        }
    }
}

impl From<VaultError> for SessionEnd {
    /// A key-encryption key that this process lacks is waited for too: it may be rolled out any moment, and the events
    /// are not to blame.
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Store(error) => error.into(),
            VaultError::Unusable(_)
            | VaultError::Damaged { .. }
            | VaultError::Random(_)
            | VaultError::Wrap(_) => Self::Passing(Box::new(error)),
        }
    }
}

impl From<ApplyError> for SessionEnd {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Views(error) => error.into(),
            ApplyError::Vault(error) => error.into(),
        }
    }
}

impl From<RetryError> for SessionEnd {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::Store(error) => error.into(),
            RetryError::Apply(error) => error.into(),
        }
    }
}

impl From<FeedError> for SessionEnd {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::Unavailable(_) => Self::Passing(Box::new(error)),
            FeedError::Corrupt(_) => Self::Lasting(ProjectionError::Feed(error)),
        }
    }
}

impl From<LogMismatch> for SessionEnd {
    fn from(mismatch: LogMismatch) -> Self {
        Self::Lasting(ProjectionError::Mismatch(mismatch))
    }
}

impl From<VerifyError> for SessionEnd {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Mismatch(mismatch) => mismatch.into(),
            VerifyError::Store(error) => error.into(),
        }
    }
}
