//! Which tokens were found to be ours before?
//!
//! A signature that was right stays right as long as the keys are trusted, which they are for the life of a process; a
//! caller sends one token hundreds of times, and verifying it costs as much as a small read. Whether it is still good
//! is judged each time. What is refused is not remembered.

use std::fmt;

use praxis_auth::verify::{OpenedToken, TokenFault, TokenVerifier};
use quick_cache::sync::Cache;

/// Tokens kept; of at most 4 KiB each, and mostly of one.
const TOKENS_MAX: usize = 2_000;

/// Tokens that were verified, and what they say.
pub(super) struct KnownTokens {
    opened: Cache<Box<str>, OpenedToken>,
}

/// Whoever has a token is its bearer: how many there are is all that is told.
impl fmt::Debug for KnownTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownTokens")
            .field("len", &self.opened.len())
            .finish()
    }
}

impl KnownTokens {
    pub(super) fn new() -> Self {
        Self {
            opened: Cache::new(TOKENS_MAX),
        }
    }

    /// What a token says, verified now or before.
    pub(super) fn open(&self, token: &str, verifier: &TokenVerifier) -> Result<OpenedToken, TokenFault> {
        if let Some(opened) = self.opened.get(token) {
            return Ok(opened);
        }
        let opened = verifier.open(token)?;
        self.opened.insert(token.into(), opened);
        Ok(opened)
    }
}
