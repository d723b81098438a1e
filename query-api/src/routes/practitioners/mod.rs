//! `/practitioners`: who treats.

pub mod get;
pub mod history;
pub mod list;
