//! `/locations`: where patients are treated.

pub mod get;
pub mod history;
pub mod list;
