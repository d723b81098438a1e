//! What happens in a conversation about a patient.

use serde::{Deserialize, Serialize};

use crate::catalogue::event_types;
use crate::ids::{MessageId, PatientId, PractitionerId};
use crate::personal::Personal;
use crate::sealed::Sealed;

event_types! {
    /// An event of a thread's stream.
    ThreadEvent {
        /// The conversation began.
        Opened(ThreadOpened) = "thread.opened" v 1 sealed ["topic"];
        /// A message was sent.
        MessageSent(MessageSent) = "thread.message-sent" v 1 sealed ["body"];
        /// A participant read a message for the first time.
        MessageRead(MessageRead) = "thread.message-read" v 1 sealed [];
        /// A message was withdrawn by its author.
        MessageRetracted(MessageRetracted) = "thread.message-retracted" v 1 sealed [];
    }
}

/// Who takes part in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "kebab-case")]
pub enum Participant {
    /// A patient.
    Patient(PatientId),
    /// A practitioner.
    Practitioner(PractitionerId),
}

/// A conversation began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadOpened {
    /// Whom it is about.
    pub patient_id: PatientId,
    /// Who takes part, without repetition.
    pub participants: Vec<Participant>,
    /// What about, in words.
    pub topic: Sealed<Personal<String>>,
}

/// A message was sent; it is immutable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSent {
    /// Which.
    pub message_id: MessageId,
    /// By whom.
    pub author: Participant,
    /// What it says.
    pub body: Sealed<Personal<String>>,
}

/// A participant read a message for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRead {
    /// Which.
    pub message_id: MessageId,
    /// Who.
    pub reader: Participant,
}

/// A message was withdrawn by its author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRetracted {
    /// Which.
    pub message_id: MessageId,
}
