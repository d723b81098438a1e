//! What do tests of the whole MySQL and Kafka tier stand on: its programs as processes, callers, and what must be true?
//!
//! A [`Deployment`](deployment::Deployment) is one practice: its schemas, topic, keys, and the processes started on
//! them. Nothing here is part of the product.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "this crate runs inside tests only, where a panic is the report"
)]

pub mod client;
pub mod deployment;
pub mod load;
pub mod log;
pub mod one_process;
pub mod practice;
pub mod proof;
pub mod service;
pub mod tier;
