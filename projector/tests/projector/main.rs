//! The projector's promises, on a log, views and feeds in memory.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is a test's report"
)]

mod generations;
mod metrics;
mod parking;
mod projection;
mod support;
mod topic_feeds;
mod traces;
