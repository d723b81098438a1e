//! Does the bus keep its promises on a real Kafka, also when the broker, the topic or a member of the group goes away?
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "in tests a panic is the report, names on a shared broker are random, and tasks end with their test"
)]

mod faults;
mod publishing;
mod secured;
mod sharing;
mod support;
mod topics;
