//! What do callers and proofs need of a practice, however its programs were started?

use uuid::Uuid;

/// A practice whose log and read models can be looked into, and whose tokens can be minted.
pub trait Practice: Sync {
    /// The schema of the event store.
    fn events_url(&self) -> String;

    /// The schema that lists the generations of read models.
    fn views_url(&self) -> String;

    /// The keys that wrap the persons' keys, the current one first.
    fn keks(&self) -> Vec<(Uuid, [u8; 32])>;

    /// The key that signs access tokens, in PEM form.
    fn private_pem(&self) -> &str;
}
