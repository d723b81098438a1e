//! How is each secret made? The one home of that, for a small practice and for a deployment.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use praxis_auth::generate::{KeySize, PemPair, generate};
use praxis_runtime::ids;
use uuid::Uuid;

/// What makes a password satisfy servers that ask for letters of both cases, a digit and a sign: MySQL's component
/// `validate_password` does, from its level MEDIUM. It adds nothing to what is random.
const PASSWORD_END: &str = "-Aa1";

/// A ring of one new key-encryption key, and that key's id.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn kek() -> Result<(Uuid, String)> {
    let id = ids::new_id();
    Ok((
        id,
        format!("{id}:{}", STANDARD.encode(ids::random_bytes::<32>()?)),
    ))
}

/// A ring of one new claims key.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn claims_key() -> Result<String> {
    Ok(format!("1:{}", STANDARD.encode(ids::random_bytes::<32>()?)))
}

/// A new pair of keys to sign access tokens with.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn signing_keys(size: KeySize) -> Result<PemPair> {
    Ok(generate(size)?)
}

/// A password of 192 random bits, of characters that need no escape in a URL, a statement or a shell.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn password() -> Result<String> {
    let random = URL_SAFE_NO_PAD.encode(ids::random_bytes::<24>()?);
    Ok(random + PASSWORD_END)
}
