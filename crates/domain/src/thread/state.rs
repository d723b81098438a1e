//! What is known of a conversation?

use praxis_events::ids::{MessageId, PatientId};
use praxis_events::thread::{Participant, ThreadEvent};
use rpds::RedBlackTreeMapSync;
use serde::{Deserialize, Serialize};

/// The state of a thread. What was said is not part of it: no rule turns on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// How it began; `None` before its first event.
    pub opening: Option<Opening>,
    /// Its messages. States that follow each other share what did not change: a conversation has no end, and every
    /// message that is sent makes a new state beside the one that others still see.
    pub messages: RedBlackTreeMapSync<MessageId, Message>,
}

/// How a conversation began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// Whom it is about.
    pub patient_id: PatientId,
    /// Who takes part, without repetition.
    pub participants: Vec<Participant>,
}

/// What happened to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who sent it.
    pub author: Participant,
    /// Who of the others has read it, in order of reading.
    pub readers: Vec<Participant>,
    /// Whether it still stands.
    pub validity: Validity,
}

/// Whether a message still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Validity {
    /// It does.
    Standing,
    /// Its author withdrew it.
    Retracted,
}

impl Thread {
    /// Takes in one event.
    pub fn fold(&mut self, event: &ThreadEvent) {
        match event {
            ThreadEvent::Opened(opened) => {
                self.opening = Some(Opening {
                    patient_id: opened.patient_id,
                    participants: opened.participants.clone(),
                });
            }
            ThreadEvent::MessageSent(sent) => {
                let message = Message {
                    author: sent.author,
                    readers: Vec::new(),
                    validity: Validity::Standing,
                };
                self.messages.insert_mut(sent.message_id, message);
            }
            ThreadEvent::MessageRead(read) => {
                if let Some(message) = self.messages.get_mut(&read.message_id)
                    && !message.readers.contains(&read.reader)
                {
                    message.readers.push(read.reader);
                }
            }
            ThreadEvent::MessageRetracted(retracted) => {
                if let Some(message) = self.messages.get_mut(&retracted.message_id) {
                    message.validity = Validity::Retracted;
                }
            }
        }
    }
}
