//! Who caused an event, why, and as part of what: server-made ids, codes and numbers, nothing a caller wrote.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{AccountId, EventId};

/// A closed struct: no text of a caller, no personal data. Stored as JSON bytes in this field order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The event this belongs to.
    pub event_id: EventId,
    /// Who acted.
    pub actor: Actor,
    /// What for (HL7 v3 `PurposeOfUse`).
    pub purpose: Purpose,
    /// The request, or chain of requests, this belongs to.
    pub correlation_id: Uuid,
    /// The event that made a policy act, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<EventId>,
    /// W3C trace id, 32 hexadecimal digits, where the request was traced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// W3C span id, 16 hexadecimal digits, where the request was traced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// Why, as a code; a reason's free text is sealed in the payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// When it happened, only where the command states it (a day kept on paper, an import).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<DateTime<Utc>>,
}

/// Who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The account.
    pub account_id: AccountId,
    /// The role it acted in.
    pub role: ActorRole,
    /// The account it acted for, where it acted for another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<AccountId>,
}

/// The role an actor acted in; `System` is Praxis itself (policies, import, demonstration).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ActorRole {
    /// Configuration, accounts, reports, erasure.
    Admin,
    /// A practitioner.
    Doctor,
    /// The front desk.
    Staff,
    /// A patient.
    Patient,
    /// Read-only replay and proofs.
    Auditor,
    /// Praxis itself.
    System,
}

/// Why data was touched, by the codes of HL7 v3 `PurposeOfUse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Purpose {
    /// Treatment.
    Treat,
    /// Healthcare operations: the front desk, imports, configuration.
    Hoperat,
    /// At the patient's own request.
    Patrqt,
    /// Emergency treatment (break-glass).
    Etreat,
}
