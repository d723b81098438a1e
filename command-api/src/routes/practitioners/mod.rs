//! `/practitioners`: who treats.

pub mod register;
