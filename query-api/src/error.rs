//! Why a read was not answered, and the problem document for each reason.

use std::error::Error as _;

use axum::response::{IntoResponse, Response};
use praxis_event_store::codec::DecodeFault;
use praxis_event_store::port::StoreError;
use praxis_event_store::vault::VaultError;
use praxis_http_kit::code::Code;
use praxis_http_kit::fault::Fault;
use praxis_http_kit::problem::Problem;
use praxis_read_models::views::ViewsError;

/// Why a read was not answered. Split by what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such record, or none that the caller may know of.
    #[error("record is not there, or not for this caller")]
    NotFound,
    /// The caller may know of the record, and not read this of it.
    #[error("record is not for this caller to read")]
    Forbidden,
    /// Parameters have faults that only the log's state shows.
    #[error("parameters have faults")]
    Faults(Vec<Fault>),
    /// No generation of this program's read models is complete.
    #[error("read models are being built")]
    Building {
        /// The part done, thousandths; `None` when it cannot be told.
        progress_permille: Option<u32>,
    },
    /// The read models did not reach the wanted position in time.
    #[error("read models are behind")]
    Behind,
    /// The record stands still before the wanted position.
    #[error("record is parked")]
    Parked,
    /// The read models did not answer.
    #[error(transparent)]
    Views(#[from] ViewsError),
    /// The log did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The data keys cannot be had.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// An event that the answer depends on cannot be read.
    #[error("event cannot be read")]
    Unreadable(#[source] DecodeFault),
    /// A stream is longer than one request folds.
    #[error("stream is longer than one request folds")]
    StreamTooLong,
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound => Self::new(Code::NotFound),
            ReadError::Forbidden => Self::new(Code::Forbidden),
            ReadError::Faults(faults) => Self::with_faults(Code::InvalidParameter, faults),
            ReadError::Building { progress_permille } => building(progress_permille),
            ReadError::Behind => Self::new(Code::ProjectionBehind),
            ReadError::Parked => Self::new(Code::ProjectionParked),
            ReadError::Views(error) => views_problem(&error),
            ReadError::Store(error) => store_problem(&error),
            ReadError::Vault(error) => vault_problem(&error),
            ReadError::Unreadable(fault) => unreadable(fault),
            ReadError::StreamTooLong => {
                tracing::error!("a stream is longer than one request folds");
                Self::new(Code::Internal)
            }
        }
    }
}

impl IntoResponse for ReadError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

fn building(progress_permille: Option<u32>) -> Problem {
    let problem = Problem::new(Code::GenerationBuilding);
    match progress_permille {
        Some(permille) => problem.member("progress", f64::from(permille) / 1000.0),
        None => problem,
    }
}

fn views_problem(error: &ViewsError) -> Problem {
    match error {
        ViewsError::Unavailable(_) | ViewsError::Unfit(_) => {
            tracing::warn!(error = %error, source = ?error.source(), "read models do not answer");
            Problem::new(Code::DependencyUnavailable)
        }
        ViewsError::Refused(_) | ViewsError::Corrupt(_) => {
            tracing::error!(error = %error, source = ?error.source(), "read models fault");
            Problem::new(Code::Internal)
        }
    }
}

fn store_problem(error: &StoreError) -> Problem {
    match error {
        StoreError::Unavailable(_) | StoreError::Busy | StoreError::Unfit(_) => {
            tracing::warn!(error = %error, source = ?error.source(), "event store does not answer");
            Problem::new(Code::DependencyUnavailable)
        }
        StoreError::Refused(_) | StoreError::Corrupt(_) => {
            tracing::error!(error = %error, source = ?error.source(), "event store fault");
            Problem::new(Code::Internal)
        }
    }
}

fn vault_problem(error: &VaultError) -> Problem {
    match error {
        VaultError::Store(error) => store_problem(error),
        VaultError::Unusable(_) | VaultError::Random(_) | VaultError::Wrap(_) => {
            tracing::warn!(error = %error, source = ?error.source(), "data keys cannot be had");
            Problem::new(Code::DependencyUnavailable)
        }
        VaultError::Damaged { .. } => {
            tracing::error!(error = %error, "data key fault");
            Problem::new(Code::Internal)
        }
    }
}

/// A newer version passes with the roll-out; anything else is damage that no retry mends.
fn unreadable(fault: DecodeFault) -> Problem {
    tracing::error!(fault = fault.code(), "an event cannot be read");
    match fault {
        DecodeFault::NewerVersion => Problem::new(Code::UnknownEventVersion),
        DecodeFault::Shape | DecodeFault::Box | DecodeFault::Key => Problem::new(Code::Internal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(error: impl Into<ReadError>) -> Code {
        Problem::from(error.into()).code()
    }

    #[test]
    fn what_may_pass_is_503_and_what_does_not_is_500() {
        let down = || Box::<dyn std::error::Error + Send + Sync>::from("down");
        assert_eq!(code(ViewsError::Unavailable(down())), Code::DependencyUnavailable);
        assert_eq!(code(ViewsError::Corrupt("row")), Code::Internal);
        assert_eq!(code(StoreError::Busy), Code::DependencyUnavailable);
        assert_eq!(code(StoreError::Refused(down())), Code::Internal);
        assert_eq!(
            code(VaultError::Store(StoreError::Corrupt("row"))),
            Code::Internal
        );
        assert_eq!(
            code(ReadError::Unreadable(DecodeFault::NewerVersion)),
            Code::UnknownEventVersion
        );
        assert_eq!(code(ReadError::Unreadable(DecodeFault::Box)), Code::Internal);
    }

    #[test]
    fn progress_of_a_build_is_told_as_a_part_of_one() {
        let problem = Problem::from(ReadError::Building {
            progress_permille: Some(420),
        });
        assert_eq!(problem.document(None).members["progress"], 0.42);
    }
}
