//! Which instants does a wall clock mean: zones, intervals and opening hours, without I/O and without the current time.
//!
//! **Invariants.** Every interval is half-open and in UTC. A wall-clock time is turned into an instant by an IANA zone and
//! a date, never by a stored offset. A wall-clock time that does not exist is never offered; one that occurs twice means
//! the first occurrence.

pub mod hours;
pub mod interval;
pub mod local;
pub mod zone;

#[cfg(test)]
mod samples;
