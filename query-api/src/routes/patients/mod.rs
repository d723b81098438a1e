//! `/patients`: who is treated here.

pub mod appointments;
pub mod get;
pub mod history;
pub mod list;
pub mod search;
