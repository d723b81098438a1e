//! What a request says beside its command: who asks, under which key, and having seen which version.

use praxis_events::ids::{PatientId, PractitionerId};
use praxis_events::metadata::{Actor, Purpose};
use uuid::Uuid;

/// Where a request's own facts come from: who, as part of what, under which key.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who acts.
    pub actor: Actor,
    /// The patient the account belongs to, if it does.
    pub patient_id: Option<PatientId>,
    /// The practitioner the account belongs to, if it does.
    pub practitioner_id: Option<PractitionerId>,
    /// What for.
    pub purpose: Purpose,
    /// The request's correlation id.
    pub correlation_id: Uuid,
    /// W3C trace and span ids, where the request was traced.
    pub trace: Option<(String, String)>,
    /// The command key and the request's tag.
    pub key: CallKey,
    /// The version the caller saw, from `If-Match`.
    pub if_match: Option<u64>,
}

/// Under which key the outcome is kept.
#[derive(Clone, Debug)]
pub struct CallKey {
    /// SHA-256 over account and idempotency key, or random.
    pub key: [u8; 32],
    /// HMAC over method, path, `If-Match` and body.
    pub request: [u8; 33],
    /// The same under the other claims keys held: the first sending may have been under one of them.
    pub other_requests: Vec<[u8; 33]>,
    /// Whether the caller gave the key, so that an earlier outcome may be kept under it.
    pub origin: KeyOrigin,
}

/// Who made a command key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrigin {
    /// The caller: it may have been used before.
    Caller,
    /// This process, at random: nothing is kept under it.
    Made,
}
