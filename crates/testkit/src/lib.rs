//! What do tests need that no production crate should contain: real servers, faults, processes.
//!
//! Only ever a dev-dependency. Everything here listens on, and connects to, the loopback address.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this crate runs inside tests only, where a panic is the report"
)]

pub mod certificates;
pub mod conformance;
pub mod history;
pub mod plain;
pub mod ports;
pub mod processes;
pub mod rows;
pub mod servers;
pub mod tcp_proxy;
pub mod views_conformance;
