//! How the record hashes: SHA-256 over parts laid end to end.

use aws_lc_rs::digest::{Context, SHA256};

/// Length of a SHA-256 hash in bytes.
pub const HASH_LEN: usize = 32;

/// A SHA-256 hash.
pub type Hash = [u8; HASH_LEN];

/// SHA-256 of stored bytes as they are: the two inner hashes of a leaf entry (metadata, payload).
pub fn sha256(bytes: &[u8]) -> Hash {
    sha256_of_parts(&[bytes])
}

/// SHA-256 of the parts laid end to end. The caller's framing must make the split unambiguous.
pub(super) fn sha256_of_parts(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; HASH_LEN];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}
