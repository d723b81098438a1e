//! `GET /threads/{id}/messages`: what is said in a conversation, now or as it was.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use praxis_event_store::port::StoredEvent;
use praxis_events::event::Event;
use praxis_events::ids::{MessageId, StreamType, ThreadId};
use praxis_events::thread::ThreadEvent;
use praxis_http_kit::cursor::Cursor;
use praxis_http_kit::params::{FromQuery, PathId, QueryFields};
use praxis_read_models::fold::{ReadModel as _, fold};
use praxis_read_models::models::messages::{MessageRow, Messages};
use praxis_read_models::models::threads::Threads;

use crate::access;
use crate::answer::{Answer, Completeness, Listing};
use crate::app::App;
use crate::as_of::{AsOf, When, each_event};
use crate::asked::AskedOf;
use crate::error::ReadError;
use crate::freshness::Fresh;
use crate::openapi::{AsOfQuery, MinPositionHeader, PageQuery, RecordPath, RecordProblems};
use crate::page::{Slice, VersionKey};
use crate::view::message::MessageView;

/// Which messages, and as of when.
#[derive(Clone, Debug)]
pub struct MessagesQuery {
    when: When,
    slice: Slice<VersionKey>,
}

impl FromQuery for MessagesQuery {
    fn from_query(query: &mut QueryFields) -> Option<Self> {
        let (when, slice) = (When::from_query(query), Slice::from_query(query));
        Some(Self {
            when: when?,
            slice: slice?,
        })
    }
}

/// List a conversation's messages.
///
/// In the order they were sent. For those who take part; for auditors without the words. The words of a message that was
/// retracted since are shown to nobody, also as of a moment at which it was not retracted yet; nor are those of any
/// message while a later retraction cannot be read.
#[utoipa::path(
    get,
    path = "/threads/{id}/messages",
    tag = "threads",
    params(RecordPath, AsOfQuery, PageQuery, MinPositionHeader),
    responses(
        (status = OK, description = "A page of messages.", body = Listing<MessageView>,
            headers(("Praxis-Position" = String), ("Link" = String)),
            example = json!({
                "items": [{
                    "id": "0198c7a2-d396-74cc-b598-b0e2a301c5f9", "thread_id": "0198c7a2-c285-73bb-a487-afd192f0b4e8",
                    "sequence": 2,
                    "author": { "kind": "practitioner", "id": "0198c7a2-7d30-7e66-9f32-5a8c4dab6f93" },
                    "body": "The result is fine.", "sent_at": "2026-03-02T09:00:00Z",
                    "receipts": [{
                        "reader": { "kind": "patient", "id": "0198c7a2-5b1e-7c44-9d10-3f6a2b8e4d71" },
                        "read_at": "2026-03-02T10:00:00Z",
                    }],
                }],
                "incomplete": false,
            })),
        RecordProblems,
    ),
)]
pub async fn list_messages(
    State(app): State<App>,
    asked: AskedOf<ThreadId, MessagesQuery>,
) -> Result<Answer<Listing<MessageView>>, ReadError> {
    match asked.query.when {
        When::Then(as_of) => then(&app, asked, as_of).await,
        When::Now => now(&app, asked).await,
    }
}

async fn now(
    app: &App,
    asked: AskedOf<ThreadId, MessagesQuery>,
) -> Result<Answer<Listing<MessageView>>, ReadError> {
    let (PathId(id), slice) = (asked.path, asked.query.slice);
    let fresh = Fresh::open(app, asked.min).await?;
    let standing = fresh.standing(id.0).await?;
    let found = fresh.reads.thread(id).await?;
    let found = found.ok_or(standing.of_no_row(&asked.caller))?;
    access::messages(&asked.caller, &found.thread).require()?;
    standing.require_current()?;
    let after = slice.after.map(|VersionKey(sequence)| sequence);
    let rows = fresh.reads.messages_of(id, after, slice.rows_len()).await?;
    let (rows, next) = cut(&slice, rows);
    let position = fresh.position_with(rows.iter().map(|row| row.place.position));
    let items = rows
        .into_iter()
        .map(|row| MessageView::new(row, &asked.caller))
        .collect();
    Ok(Answer::page(items, next.as_ref(), fresh.completeness().await?, position).linked(asked.uri, next))
}

async fn then(
    app: &App,
    asked: AskedOf<ThreadId, MessagesQuery>,
    as_of: AsOf,
) -> Result<Answer<Listing<MessageView>>, ReadError> {
    let (PathId(id), slice) = (asked.path, asked.query.slice);
    let place = as_of.place(app).await?;
    let mut thread = None;
    let mut rows: BTreeMap<MessageId, Option<MessageRow>> = BTreeMap::new();
    let mut retracted: BTreeMap<MessageId, DateTime<Utc>> = BTreeMap::new();
    let mut all_perhaps_retracted = None;
    // Read to the end of the log: what was retracted after the moment is not shown to everyone as of it either.
    each_event(app, id.into(), u64::MAX, |stored, decoded| {
        let event = match decoded {
            Ok(event) => event,
            Err(fault) if stored.position <= place.position => return Err(ReadError::Unreadable(fault)),
            // Of what came later only retractions matter, and nobody knows what this one retracts.
            Err(_) => {
                if may_retract(stored) {
                    all_perhaps_retracted = DateTime::from_timestamp_micros(stored.recorded_at);
                }
                return Ok(());
            }
        };
        if let Event::Thread(ThreadEvent::MessageRetracted(gone)) = &event.event {
            retracted.entry(gone.message_id).or_insert(event.recorded_at);
        }
        if event.position <= place.position {
            fold::<Threads>(&mut thread, id, &event);
            for key in Messages::keys(&event) {
                fold::<Messages>(rows.entry(key).or_default(), key, &event);
            }
        }
        Ok(())
    })
    .await?;
    let thread = thread.ok_or(ReadError::NotFound)?;
    access::messages(&asked.caller, &thread).require()?;
    let after = slice.after.map_or(0, |VersionKey(sequence)| sequence);
    let mut rows: Vec<MessageRow> = rows
        .into_values()
        .flatten()
        .filter(|row| row.sequence > after)
        .collect();
    rows.sort_by_key(|row| row.sequence);
    let (rows, next) = cut(&slice, rows);
    let items = rows
        .into_iter()
        .map(|row| {
            let retracted_at = retracted.get(&row.id).copied().or(all_perhaps_retracted);
            MessageView::as_of(row, &asked.caller, retracted_at)
        })
        .collect();
    Ok(Answer::page(items, next.as_ref(), Completeness::Complete, place).linked(asked.uri, next))
}

/// Whether an event that cannot be read may be a retraction: it is one, or of a type that this program does not know.
fn may_retract(stored: &StoredEvent) -> bool {
    Event::find_type(StreamType::Thread, &stored.event_type)
        .is_none_or(|known| known.name == "thread.message-retracted")
}

fn cut(slice: &Slice<VersionKey>, rows: Vec<MessageRow>) -> (Vec<MessageRow>, Option<Cursor>) {
    slice.cut(rows, |row| VersionKey(row.sequence))
}
