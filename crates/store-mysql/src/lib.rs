//! The event store on MySQL 8.4 and later: all SQL of that engine, and nothing else.
//!
//! **Invariants:** whoever writes events, commands, claims or spans holds the row `log_head` (`transaction`); a
//! server that could show what it can still lose is refused (`fitness`); nothing waits without a limit
//! (`session`); a statement's text never depends on how many rows it carries (`packed`).

pub mod accounts;
mod audit;
mod errors;
mod fitness;
mod identity;
pub mod log;
mod look_up;
mod meter;
pub mod migrate;
mod packed;
mod read;
mod relay;
mod restore;
mod rows;
mod session;
mod span_buckets;
mod transaction;
pub mod views;
mod wire;
mod write;

#[cfg(test)]
#[path = "../tests/schema/mod.rs"]
#[allow(dead_code, reason = "each test program uses its part")]
mod schema;
