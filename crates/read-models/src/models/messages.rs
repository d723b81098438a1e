//! What is shown of a message: what it says, who sent it, who has read it.

use chrono::{DateTime, Utc};
use praxis_events::event::Event;
use praxis_events::ids::{MessageId, ThreadId};
use praxis_events::personal::Personal;
use praxis_events::recorded::RecordedEvent;
use praxis_events::sealed::Sealed;
use praxis_events::thread::{Participant, ThreadEvent};

use crate::fold::{Place, ReadModel, placed};

/// The read model of messages.
#[derive(Clone, Copy, Debug)]
pub struct Messages;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MessageRow {
    /// Which message.
    pub id: MessageId,
    /// Where in the log the row stands. Its version is that of the last event about this message, not that of the
    /// thread: entity tags are made of the thread's row.
    pub place: Place,
    /// The conversation.
    pub thread_id: ThreadId,
    /// The thread's version with this message: the order of messages within it.
    pub sequence: u64,
    /// By whom.
    pub author: Participant,
    /// What it says; kept when it is retracted, and then not shown but to auditors.
    pub body: Sealed<Personal<String>>,
    /// When it was sent, by the log's clock.
    pub sent_at: DateTime<Utc>,
    /// When its author withdrew it, if so.
    pub retracted_at: Option<DateTime<Utc>>,
    /// Who has read it, in order.
    pub receipts: Vec<Receipt>,
}

/// That someone has read a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Receipt {
    /// Who.
    pub reader: Participant,
    /// When for the first time, by the log's clock.
    pub read_at: DateTime<Utc>,
}

placed!(MessageRow);

impl ReadModel for Messages {
    const NAME: &'static str = "messages";
    const FOLD_VERSION: u32 = 1;
    type Key = MessageId;
    type Row = MessageRow;

    fn keys(event: &RecordedEvent) -> impl Iterator<Item = MessageId> {
        match &event.event {
            Event::Thread(ThreadEvent::MessageSent(sent)) => Some(sent.message_id),
            Event::Thread(ThreadEvent::MessageRead(read)) => Some(read.message_id),
            Event::Thread(ThreadEvent::MessageRetracted(retracted)) => Some(retracted.message_id),
            Event::Thread(ThreadEvent::Opened(_))
            | Event::Patient(_)
            | Event::Practitioner(_)
            | Event::Location(_)
            | Event::Appointment(_) => None,
        }
        .into_iter()
    }

    fn begins(event: &RecordedEvent) -> bool {
        matches!(event.event, Event::Thread(ThreadEvent::MessageSent(_)))
    }

    fn key(row: &MessageRow) -> MessageId {
        row.id
    }

    fn apply(row: &mut Option<MessageRow>, key: MessageId, event: &RecordedEvent) {
        let Event::Thread(happened) = &event.event else {
            return;
        };
        if let ThreadEvent::MessageSent(sent) = happened {
            *row = Some(MessageRow {
                id: key,
                place: Place::of(event),
                thread_id: ThreadId(event.stream.id),
                sequence: event.stream_version,
                author: sent.author,
                body: sent.body.clone(),
                sent_at: event.recorded_at,
                retracted_at: None,
                receipts: Vec::new(),
            });
            return;
        }
        let Some(row) = row else { return };
        match happened {
            ThreadEvent::Opened(_) | ThreadEvent::MessageSent(_) => {}
            ThreadEvent::MessageRead(read) => {
                if row.receipts.iter().all(|receipt| receipt.reader != read.reader) {
                    row.receipts.push(Receipt {
                        reader: read.reader,
                        read_at: event.recorded_at,
                    });
                }
            }
            ThreadEvent::MessageRetracted(_) => {
                row.retracted_at.get_or_insert(event.recorded_at);
            }
        }
    }
}
