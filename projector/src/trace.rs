//! How does a request's trace go on in the projector? By a span for each of its events, for as long as rows are written.

use praxis_events::recorded::RecordedEvent;
use tracing::Span;

/// Spans of one batch. More traced requests than that in one transaction are told by the others.
const SPANS_MAX: usize = 100;
/// Traces of events older than this have ended: what reads them is a rebuild, or was away. Microseconds.
const AGE_MAX_MICROS: i64 = 5 * 60 * 1_000_000;

/// Begins a span for each event whose request was traced and is not long over.
pub(crate) fn begin<'a>(
    generation: u32,
    events: impl Iterator<Item = &'a RecordedEvent>,
    now_micros: i64,
) -> Vec<Span> {
    let is_new = |event: &&RecordedEvent| {
        now_micros.saturating_sub(event.recorded_at.timestamp_micros()) <= AGE_MAX_MICROS
    };
    let span = |event: &RecordedEvent| {
        let (trace_id, parent_span_id) = event
            .metadata
            .trace_id
            .as_deref()
            .zip(event.metadata.span_id.as_deref())?;
        let (correlation_id, position) = (event.metadata.correlation_id, event.position);
        Some(tracing::info_span!(
            parent: None, "project", trace_id, parent_span_id, %correlation_id, generation, position
        ))
    };
    events.filter(is_new).filter_map(span).take(SPANS_MAX).collect()
}

/// Ends them: their events are in the rows, or parked.
pub(crate) fn end(spans: Vec<Span>) {
    for span in spans {
        span.in_scope(|| tracing::debug!("event is projected"));
    }
}
