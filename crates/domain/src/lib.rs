//! Which rules does a practice decide by: values, states, commands and their decisions, without I/O.

pub mod values;
