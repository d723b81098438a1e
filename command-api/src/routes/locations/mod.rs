//! `/locations`: the sites of the practice.

pub mod register;
