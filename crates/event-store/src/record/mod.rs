//! Which bytes are stored, hashed and sealed: the record, fixed for good.
//!
//! The byte tables, their reasons and the attacks they were held against are in `docs/adr/0001-record-bytes.md`
//! (boxes, keys, claims) and `docs/adr/0002-leaf-entries-and-the-merkle-log.md`; test vectors are in
//! `crates/event-store/tests/vectors`. No module here does I/O or reads a clock; randomness is a parameter.
//!
//! **Invariant:** what these modules write today, every later version reads. A change is a new format byte.

pub mod boxes;
pub mod claims_keys;
pub mod command_key;
pub mod frontier;
pub mod hash;
pub mod keys;
pub mod leaf;
pub mod names;
pub mod random;
