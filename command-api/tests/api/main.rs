//! Does the command API keep its promises over a real log, asked as callers ask it?
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is a test's report; clippy exempts test functions only"
)]

mod access;
mod commands;
mod erased;
mod idempotency;
mod input;
mod limits;
mod practice;
mod refusals;
mod rotation;
mod stale;
