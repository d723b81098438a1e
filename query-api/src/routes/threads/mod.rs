//! `/threads`: who writes to whom, and what.

pub mod get;
pub mod history;
pub mod list;
pub mod messages;
