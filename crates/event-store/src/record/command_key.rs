//! Under which hash an `Idempotency-Key` is remembered, so that one account cannot meet another's keys.

use uuid::Uuid;

use super::hash::{Hash, sha256_of_parts};

/// What this hash is of, first in its input: it equals no other hash of the record.
const COMMAND_KEY_DOMAIN: &[u8] = b"praxis/command-key/1";

/// The primary key of `commands`: SHA-256(`praxis/command-key/1` ‖ account \[16\] ‖ the key's bytes as received).
///
/// Unambiguous without a length, as what precedes the key has a fixed width.
pub fn command_key_hash(account_id: Uuid, key: &str) -> Hash {
    sha256_of_parts(&[COMMAND_KEY_DOMAIN, account_id.as_bytes(), key.as_bytes()])
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::command_key_hash;

    #[test]
    fn one_key_of_two_accounts_is_two_keys() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(command_key_hash(one, "k"), command_key_hash(one, "k"));
        assert_ne!(command_key_hash(one, "k"), command_key_hash(other, "k"));
        assert_ne!(command_key_hash(one, "k"), command_key_hash(one, "k "));
    }
}
