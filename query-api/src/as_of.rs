//! How a record was at an earlier moment: its stream folded up to there, with the folds of the read models and no table.

use chrono::{DateTime, Utc};
use praxis_event_store::codec::DecodeFault;
use praxis_event_store::port::{Head, StoredEvent, StreamRange};
use praxis_events::ids::StreamId;
use praxis_events::recorded::RecordedEvent;
use praxis_http_kit::fault::{Fault, FaultCode, Place};
use praxis_http_kit::fields::values;
use praxis_http_kit::params::{FromQuery, QueryFields};
use praxis_http_kit::position::EpochPosition;
use praxis_read_models::fold::{ReadModel, fold};

use crate::app::App;
use crate::error::ReadError;
use crate::freshness::LOST_POSITION;

/// Events read from the log at once.
const SLICE_EVENTS_MAX: u32 = 500;
/// Most events of a stream that one request folds; no record of a practice comes near it.
const STREAM_EVENTS_MAX: usize = 100_000;

const AS_OF_POINTER: &str = "/as_of";
const NOT_A_MOMENT: FaultCode = FaultCode::new(
    "not-a-moment",
    "must be an RFC 3339 date and time with an offset, or a position as Praxis-Position gave it",
);
/// What a position is answered that no write can have answered yet.
pub const NOT_YET: FaultCode = FaultCode::new("beyond-the-log", "is a position the log has not reached");

/// A moment in the life of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// With everything recorded at or before this instant, by the log's clock.
    Instant(DateTime<Utc>),
    /// With everything at or before this position.
    Position(EpochPosition),
}

/// The query of a single record: as it is now, or as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// As it is.
    Now,
    /// As it was.
    Then(AsOf),
}

impl FromQuery for When {
    fn from_query(query: &mut QueryFields) -> Option<Self> {
        Some(query.optional("as_of", AsOf::parse).map_or(Self::Now, Self::Then))
    }
}

impl AsOf {
    /// The moment that is written there.
    ///
    /// # Errors
    /// A fault code when it is none.
    pub fn parse(text: &str) -> Result<Self, FaultCode> {
        if let Ok(position) = text.parse() {
            return Ok(Self::Position(position));
        }
        values::instant_of_text(text)
            .map(Self::Instant)
            .map_err(|_| NOT_A_MOMENT)
    }

    /// The position of the last event at or before the moment.
    ///
    /// # Errors
    /// [`ReadError::Faults`] for a position of another life of the log, or beyond its end; [`ReadError::Store`].
    pub async fn place(self, app: &App) -> Result<EpochPosition, ReadError> {
        let head = app.log.head().await?;
        let epoch = u64::from(head.epoch);
        let position = match self {
            Self::Instant(instant) => app.log.position_at(instant.timestamp_micros()).await?,
            Self::Position(asked) if asked.epoch < epoch => return Err(fault(LOST_POSITION)),
            Self::Position(asked) if asked > place_of(&head) => return Err(fault(NOT_YET)),
            Self::Position(asked) => asked.position,
        };
        Ok(EpochPosition { epoch, position })
    }
}

fn fault(code: FaultCode) -> ReadError {
    ReadError::Faults(vec![Fault::new(Place::Query, AS_OF_POINTER, code)])
}

/// Where the log ends, as an answer states it.
pub fn place_of(head: &Head) -> EpochPosition {
    EpochPosition {
        epoch: u64::from(head.epoch),
        position: head.position,
    }
}

/// A row as it was at a position; `None` if the record did not exist yet, or never.
///
/// # Errors
/// [`ReadError`] when log or keys do not answer, or an event cannot be read.
pub async fn row_at<M: ReadModel>(
    app: &App,
    key: M::Key,
    stream: impl Into<StreamId>,
    position: u64,
) -> Result<Option<M::Row>, ReadError> {
    let mut row = None;
    each_event(app, stream.into(), position, |_, decoded| {
        let event = decoded.map_err(ReadError::Unreadable)?;
        if M::keys(&event).any(|touched| touched == key) {
            fold::<M>(&mut row, key, &event);
        }
        Ok(())
    })
    .await?;
    Ok(row)
}

/// A row as its record's first event made it. What it says of whose record it is does not change later.
///
/// # Errors
/// As [`row_at`].
pub async fn first_row<M: ReadModel>(
    app: &App,
    key: M::Key,
    stream: impl Into<StreamId>,
) -> Result<Option<M::Row>, ReadError> {
    let first = read(app, stream.into(), 0, u64::MAX, 1).await?;
    let mut row = None;
    for (_, decoded) in first {
        let event = decoded.map_err(ReadError::Unreadable)?;
        if M::keys(&event).any(|touched| touched == key) {
            fold::<M>(&mut row, key, &event);
        }
    }
    Ok(row)
}

/// Gives every event of a stream up to a position to `take`, in order: as it is stored, and as it reads or why it does not.
///
/// # Errors
/// As [`row_at`]; [`ReadError::StreamTooLong`]; what `take` says.
pub async fn each_event(
    app: &App,
    stream: StreamId,
    up_to_position: u64,
    mut take: impl FnMut(&StoredEvent, Result<RecordedEvent, DecodeFault>) -> Result<(), ReadError> + Send,
) -> Result<(), ReadError> {
    let slice_len = usize::try_from(SLICE_EVENTS_MAX).unwrap_or(usize::MAX);
    let (mut after_version, mut taken) = (0, 0);
    loop {
        let events = read(app, stream, after_version, up_to_position, SLICE_EVENTS_MAX).await?;
        let events_len = events.len();
        for (stored, decoded) in events {
            after_version = stored.stream_version;
            take(&stored, decoded)?;
        }
        taken += events_len;
        if events_len < slice_len {
            return Ok(());
        }
        if taken >= STREAM_EVENTS_MAX {
            return Err(ReadError::StreamTooLong);
        }
    }
}

async fn read(
    app: &App,
    stream: StreamId,
    after_version: u64,
    up_to_position: u64,
    limit: u32,
) -> Result<Vec<(StoredEvent, Result<RecordedEvent, DecodeFault>)>, ReadError> {
    let range = StreamRange {
        stream,
        after_version,
        up_to_position,
        limit,
    };
    let stored = app.log.read_stream(range).await?;
    let decoded = app.decoder.decode(&stored).await?;
    Ok(stored.into_iter().zip(decoded).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_an_instant_or_a_position() {
        let position = EpochPosition {
            epoch: 1,
            position: 42,
        };
        assert_eq!(AsOf::parse("1-42"), Ok(AsOf::Position(position)));
        let instant = DateTime::from_timestamp(1_772_955_000, 0).unwrap();
        assert_eq!(
            AsOf::parse("2026-03-08T02:30:00-05:00"),
            Ok(AsOf::Instant(instant))
        );
        for text in ["", "now", "42", "2026-03-08", "2026-03-08T02:30:00"] {
            assert_eq!(AsOf::parse(text), Err(NOT_A_MOMENT), "{text}");
        }
    }
}
