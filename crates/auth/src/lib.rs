//! Who is calling, and may they use this route: access tokens, their keys, and the one policy table.
//!
//! **Invariant: nothing here reads a clock or an environment.** The instant to judge a token by, and the ids a new
//! token carries, are parameters.

pub mod claims;
pub mod generate;
pub mod keys;
pub mod policy;
pub mod sign;
pub mod verify;

/// How many bits an RSA key must have at least (NIST SP 800-131A).
pub const RSA_BITS_MIN: usize = 2048;
