//! How a conversation looks.

use chrono::{DateTime, Utc};
use praxis_auth::claims::Principal;
use praxis_events::personal::Personal;
use praxis_events::thread::Participant;
use praxis_read_models::models::threads::ThreadParticipant;
use praxis_read_models::reads;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Shown;
use super::person::NameView;
use crate::access::{Access, words};

/// A conversation about a patient, without what is said in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ThreadView {
    /// Which conversation.
    pub id: Uuid,
    /// The record's version, as in `ETag`.
    #[schema(example = 5)]
    pub version: u64,
    /// Whom it is about.
    pub patient_id: Uuid,
    /// The patient's name; absent while the read models lack the patient's record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_name: Option<Shown<NameView>>,
    /// What about, in words; absent to who takes no part.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Shown<String>>)]
    pub topic: Option<Shown<Personal<String>>>,
    /// When it began.
    pub opened_at: DateTime<Utc>,
    /// When the last message was sent; the beginning while there is none.
    pub last_activity_at: DateTime<Utc>,
    /// How many messages were sent, retracted ones included.
    #[schema(example = 3)]
    pub message_count: u64,
    /// Who takes part, in the order they were named.
    pub participants: Vec<TakingPart>,
}

/// Someone who takes part in a conversation, and how much they have yet to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TakingPart {
    /// Who.
    #[serde(flatten)]
    pub participant: ParticipantView,
    /// Messages of others that are neither read nor retracted.
    #[schema(example = 1)]
    pub unread_count: usize,
}

/// Someone who takes part in conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ParticipantView {
    /// What they are.
    pub kind: ParticipantKind,
    /// Which patient or practitioner.
    pub id: Uuid,
}

/// What someone is who takes part in conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ParticipantKind {
    /// A patient.
    Patient,
    /// A practitioner.
    Practitioner,
}

impl ThreadView {
    /// The conversation as it is shown to a caller who may know of it.
    pub fn new(read: reads::ThreadView, caller: &Principal) -> Self {
        let row = read.thread;
        let topic = match words(caller) {
            Access::Granted => Some(row.topic.into()),
            Access::Hidden | Access::Refused => None,
        };
        Self {
            id: row.id.0,
            version: row.place.version,
            patient_id: row.patient_id.0,
            patient_name: read.patient_name.map(Into::into),
            topic,
            opened_at: row.opened_at,
            last_activity_at: row.last_activity_at,
            message_count: row.message_count,
            participants: row.participants.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<ThreadParticipant> for TakingPart {
    fn from(known: ThreadParticipant) -> Self {
        Self {
            participant: known.participant.into(),
            unread_count: known.unread.len(),
        }
    }
}

impl From<Participant> for ParticipantView {
    fn from(participant: Participant) -> Self {
        match participant {
            Participant::Patient(id) => Self {
                kind: ParticipantKind::Patient,
                id: id.0,
            },
            Participant::Practitioner(id) => Self {
                kind: ParticipantKind::Practitioner,
                id: id.0,
            },
        }
    }
}
