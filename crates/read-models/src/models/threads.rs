//! What is shown of a conversation: who takes part, and how much each has yet to read.

use chrono::{DateTime, Utc};
use praxis_events::event::Event;
use praxis_events::ids::{MessageId, PatientId, ThreadId};
use praxis_events::personal::Personal;
use praxis_events::recorded::RecordedEvent;
use praxis_events::sealed::Sealed;
use praxis_events::thread::{MessageSent, Participant, ThreadEvent, ThreadOpened};

use crate::fold::{Place, ReadModel, placed};

/// The read model of threads.
#[derive(Clone, Copy, Debug)]
pub struct Threads;

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ThreadRow {
    /// Which conversation.
    pub id: ThreadId,
    /// Where in the log the row stands; its version is that of the thread's stream.
    pub place: Place,
    /// Whom it is about.
    pub patient_id: PatientId,
    /// What about, in words.
    pub topic: Sealed<Personal<String>>,
    /// When it began, by the log's clock.
    pub opened_at: DateTime<Utc>,
    /// When the last message was sent; the beginning while there is none. What lists are ordered by.
    pub last_activity_at: DateTime<Utc>,
    /// How many messages were sent, retracted ones included.
    pub message_count: u64,
    /// Who takes part, in the order they were named.
    pub participants: Vec<ThreadParticipant>,
}

/// Someone who takes part in a conversation.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ThreadParticipant {
    /// Who.
    pub participant: Participant,
    /// Messages of others that are neither read by this participant nor retracted, in the order they were sent. The
    /// ids are kept, not a count, because whether a retraction lowers the count depends on who had read the message.
    pub unread: Vec<MessageId>,
}

placed!(ThreadRow);

impl ThreadRow {
    /// How many messages that participant has yet to read; none for someone who takes no part.
    pub fn unread_count(&self, participant: Participant) -> usize {
        self.participants
            .iter()
            .find(|known| known.participant == participant)
            .map_or(0, |known| known.unread.len())
    }
}

impl ReadModel for Threads {
    const NAME: &'static str = "threads";
    const FOLD_VERSION: u32 = 1;
    type Key = ThreadId;
    type Row = ThreadRow;

    fn keys(event: &RecordedEvent) -> impl Iterator<Item = ThreadId> {
        match &event.event {
            Event::Thread(_) => Some(ThreadId(event.stream.id)),
            Event::Patient(_) | Event::Practitioner(_) | Event::Location(_) | Event::Appointment(_) => None,
        }
        .into_iter()
    }

    fn key(row: &ThreadRow) -> ThreadId {
        row.id
    }

    fn apply(row: &mut Option<ThreadRow>, key: ThreadId, event: &RecordedEvent) {
        let Event::Thread(happened) = &event.event else {
            return;
        };
        if let ThreadEvent::Opened(opened) = happened {
            *row = Some(begun(key, opened, event));
            return;
        }
        let Some(row) = row else { return };
        match happened {
            ThreadEvent::Opened(_) => {}
            ThreadEvent::MessageSent(sent) => add(row, sent, event),
            ThreadEvent::MessageRead(read) => {
                for known in row
                    .participants
                    .iter_mut()
                    .filter(|known| known.participant == read.reader)
                {
                    known.unread.retain(|unread| *unread != read.message_id);
                }
            }
            ThreadEvent::MessageRetracted(retracted) => {
                for known in &mut row.participants {
                    known.unread.retain(|unread| *unread != retracted.message_id);
                }
            }
        }
    }
}

fn begun(id: ThreadId, opened: &ThreadOpened, event: &RecordedEvent) -> ThreadRow {
    ThreadRow {
        id,
        place: Place::of(event),
        patient_id: opened.patient_id,
        topic: opened.topic.clone(),
        opened_at: event.recorded_at,
        last_activity_at: event.recorded_at,
        message_count: 0,
        participants: opened
            .participants
            .iter()
            .map(|participant| ThreadParticipant {
                participant: *participant,
                unread: Vec::new(),
            })
            .collect(),
    }
}

fn add(row: &mut ThreadRow, sent: &MessageSent, event: &RecordedEvent) {
    row.message_count += 1;
    row.last_activity_at = event.recorded_at;
    for known in row
        .participants
        .iter_mut()
        .filter(|known| known.participant != sent.author)
    {
        known.unread.push(sent.message_id);
    }
}
