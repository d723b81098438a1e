//! How a message looks, to whom.

use chrono::{DateTime, Utc};
use praxis_auth::claims::Principal;
use praxis_events::personal::Personal;
use praxis_read_models::models::messages::{MessageRow, Receipt};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Shown;
use super::thread::ParticipantView;
use crate::access::{Access, words};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MessageView {
    /// Which message.
    pub id: Uuid,
    /// The conversation.
    pub thread_id: Uuid,
    /// Its place in the conversation; what the list is ordered by. There are gaps.
    #[schema(example = 2)]
    pub sequence: u64,
    /// By whom.
    pub author: ParticipantView,
    /// What it says; absent once it was retracted, and to who takes no part in the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Shown<String>>)]
    pub body: Option<Shown<Personal<String>>>,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// When its author withdrew it; absent unless that happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retracted_at: Option<DateTime<Utc>>,
    /// Who has read it, in order.
    pub receipts: Vec<ReceiptView>,
}

/// That someone has read a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiptView {
    /// Who.
    pub reader: ParticipantView,
    /// When for the first time.
    pub read_at: DateTime<Utc>,
}

impl MessageView {
    /// The message as it is shown to a caller who may know of it.
    pub fn new(row: MessageRow, caller: &Principal) -> Self {
        let retracted_at = row.retracted_at;
        Self::as_of(row, caller, retracted_at)
    }

    /// The message as it was, to a caller who may know of it; `retracted_at` is when it was retracted by now, which
    /// keeps its words back and shows nothing else of what came later.
    pub fn as_of(row: MessageRow, caller: &Principal, retracted_at: Option<DateTime<Utc>>) -> Self {
        let body = match (words(caller), retracted_at) {
            (Access::Granted, None) => Some(row.body.into()),
            (Access::Granted, Some(_)) | (Access::Hidden | Access::Refused, _) => None,
        };
        Self {
            id: row.id.0,
            thread_id: row.thread_id.0,
            sequence: row.sequence,
            author: row.author.into(),
            body,
            sent_at: row.sent_at,
            retracted_at: row.retracted_at,
            receipts: row.receipts.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Receipt> for ReceiptView {
    fn from(receipt: Receipt) -> Self {
        Self {
            reader: receipt.reader.into(),
            read_at: receipt.read_at,
        }
    }
}
