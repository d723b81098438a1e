//! What happened to a record: the events of its stream in order, page by page, straight from the log.

use http::Uri;
use praxis_event_store::port::StreamRange;
use praxis_events::ids::StreamId;

use crate::access::Access;
use crate::answer::{Answer, Completeness, Listing};
use crate::app::App;
use crate::as_of::place_of;
use crate::error::ReadError;
use crate::page::{Slice, VersionKey};
use crate::view::event::EventView;

/// The query of a history.
pub type HistoryQuery = Slice<VersionKey>;

/// A page of a stream's events; `sealed` says whether the caller may read what is sealed in them. An event that cannot be read is in its place with the reason, not left out.
///
/// # Errors
/// [`ReadError::NotFound`] for a stream without events; else when log or keys do not answer.
pub async fn page(
    app: &App,
    stream: impl Into<StreamId>,
    slice: &HistoryQuery,
    uri: Uri,
    sealed: Access,
) -> Result<Answer<Listing<EventView>>, ReadError> {
    let place = place_of(&app.log.head().await?);
    let range = StreamRange {
        stream: stream.into(),
        after_version: slice.after.map_or(0, |VersionKey(version)| version),
        up_to_position: place.position,
        limit: slice.rows_len(),
    };
    let stored = app.log.read_stream(range).await?;
    if stored.is_empty() {
        require_events(app, range).await?;
    }
    let (stored, next) = slice.cut(stored, |event| VersionKey(event.stream_version));
    let decoded = app.decoder.decode(&stored).await?;
    let events = stored
        .iter()
        .zip(decoded)
        .map(|(stored, decoded)| EventView::new(stored, decoded, place.epoch, sealed))
        .collect();
    Ok(Answer::page(events, next.as_ref(), Completeness::Complete, place).linked(uri, next))
}

/// A page is empty after the last event of a stream, which is no fault, and where there is no stream.
async fn require_events(app: &App, range: StreamRange) -> Result<(), ReadError> {
    let from_start = StreamRange {
        after_version: 0,
        limit: 1,
        ..range
    };
    if app.log.read_stream(from_start).await?.is_empty() {
        return Err(ReadError::NotFound);
    }
    Ok(())
}
