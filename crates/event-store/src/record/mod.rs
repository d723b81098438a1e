//! The stored record.
