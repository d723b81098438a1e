//! Do the routes answer what the log and the read models hold, to those who may know, and say so when they cannot?
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test and its helpers report"
)]

mod as_of;
mod belonging;
mod freshness;
mod generations;
mod history;
mod lists;
mod memory;
mod messages;
mod practice;
mod records;
mod roles;
mod search;
