//! `/appointments`: who comes when to whom.

pub mod get;
pub mod history;
pub mod list;
