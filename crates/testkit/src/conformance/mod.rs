//! Does an event store keep the port's promises? One suite of small functions, run by every adapter.
//!
//! An adapter's `tests/conformance.rs` has one function that opens a fresh log and one line:
//!
//! ```ignore
//! async fn fresh_log() -> praxis_testkit::conformance::Outcome<LogUnderTest> { … }
//! praxis_testkit::event_store_conformance!(fresh_log);
//! ```

use std::any::Any;
use std::sync::Arc;

use praxis_event_store::port::{LogReader, LogWriter, RelayStore};
use praxis_events::ids::LogId;

pub mod order;
pub mod sample;

/// What a conformance function answers: an error is a fault of the store, a failed assertion a broken promise.
pub type Outcome<T = ()> = anyhow::Result<T>;

/// A log just created, empty, used by nobody else.
pub struct LogUnderTest {
    /// The identity it was created with; its epoch is 1.
    pub log_id: LogId,
    /// Appends to it.
    pub writer: Arc<dyn LogWriter>,
    /// Appends to the same log through connections of its own, as a second process would.
    pub other_writer: Arc<dyn LogWriter>,
    /// Reads it, through connections other than the writers'.
    pub reader: Arc<dyn LogReader>,
    /// Keeps the lease and progress of its relay.
    pub relay: Arc<dyn RelayStore>,
    /// What must live as long as the log: a directory, a schema that is dropped.
    pub guard: Box<dyn Any + Send + Sync>,
}

/// Expands to one test for each promise. `$open` names an `async fn() -> Outcome<LogUnderTest>` in scope.
#[macro_export]
macro_rules! event_store_conformance {
    ($open:ident) => {
        $crate::conformance_tests! { $open;
            order {
                a_new_log_is_empty_at_position_zero_and_epoch_one,
            }
        }
    };
}

/// Expands to one test for each named function of each named area.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($open:ident; $($area:ident { $($promise:ident),+ $(,)? })+) => { $(
        $crate::conformance_tests! { @area $open; $area { $($promise),+ } }
    )+ };
    (@area $open:ident; $area:ident { $($promise:ident),+ }) => {
        mod $area { $(
            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() -> $crate::conformance::Outcome {
                $crate::conformance::$area::$promise(super::$open().await?).await
            }
        )+ }
    };
}
