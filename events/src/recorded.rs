//! An event as it stands in the log, opened and lifted to today's schema: what folds are given.

use chrono::{DateTime, Utc};

use crate::event::Event;
use crate::ids::{EventId, StreamId, SubjectId};
use crate::metadata::Metadata;

/// One event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its place in the log, from 1.
    pub position: u64,
    /// Its id.
    pub event_id: EventId,
    /// Its stream.
    pub stream: StreamId,
    /// Its place in the stream, from 1.
    pub stream_version: u64,
    /// When it was appended, by the log's clock; never goes back along positions.
    pub recorded_at: DateTime<Utc>,
    /// Whom it is chiefly about.
    pub subject_id: Option<SubjectId>,
    /// Who, why, as part of what.
    pub metadata: Metadata,
    /// What happened.
    pub event: Event,
}
