//! Is the log what it must be, whoever wrote it: dense, in the order of time, and without double bookings?

use std::collections::HashMap;
use std::sync::Arc;

use praxis_domain::span::{Calendar, Layer, Span};
use praxis_domain::state::State;
use praxis_event_store::codec::Codec;
use praxis_event_store::port::{LogReader, StoredEvent};
use praxis_event_store::record::keys::KekRing;
use praxis_event_store::record::random::OsRandom;
use praxis_event_store::vault::Vault;
use praxis_events::ids::StreamId;
use praxis_events::recorded::RecordedEvent;
use praxis_runtime::ids::new_id;
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use uuid::Uuid;

use crate::practice::Practice;

const PAGE_LEN: u32 = 2_000;

/// The log as a new reader sees it.
pub struct Log {
    /// To ask more of it.
    pub reader: Arc<dyn LogReader>,
    /// All its events.
    pub events: Vec<RecordedEvent>,
}

impl Log {
    /// Reads the log from its beginning to its head. Panics unless it is sound.
    pub async fn read_sound(practice: &dyn Practice) -> anyhow::Result<Self> {
        let reader: Arc<dyn LogReader> =
            Arc::new(MySqlLog::open(&practice.events_url(), MySqlLogOptions::default()).await?);
        let head = reader.head().await?;
        let mut stored: Vec<StoredEvent> = Vec::new();
        loop {
            let after = stored.last().map_or(0, |event| event.position);
            let page = reader.read_log(after, PAGE_LEN).await?;
            if page.is_empty() {
                break;
            }
            stored.extend(page);
        }
        assert_dense_and_in_order(&stored);
        let end = stored.last().map(|event| (event.position, event.recorded_at));
        assert_eq!(
            end.unwrap_or((0, 0)),
            (head.position, head.recorded_at),
            "the head is the last event's"
        );
        let keks = KekRing::of(&practice.keks())?;
        let codec = Codec::new(Arc::new(Vault::new(
            head.log_id,
            Arc::clone(&reader),
            keks,
            Arc::new(OsRandom),
            new_id,
        )));
        let events = codec
            .decode(&stored)
            .await?
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?;
        assert_nobody_is_booked_twice(&events);
        Ok(Self { reader, events })
    }

    /// The events of one stream.
    pub fn of_stream(&self, id: Uuid) -> impl Iterator<Item = &RecordedEvent> {
        self.events.iter().filter(move |event| event.stream.id == id)
    }
}

fn assert_dense_and_in_order(stored: &[StoredEvent]) {
    let mut versions: HashMap<Uuid, u64> = HashMap::new();
    let mut recorded_at = 0;
    for (event, position) in stored.iter().zip(1..) {
        assert_eq!(event.position, position, "positions are dense");
        assert!(
            event.recorded_at >= recorded_at,
            "time went back at position {position}"
        );
        recorded_at = event.recorded_at;
        let version = versions.entry(event.stream_id).or_default();
        *version += 1;
        assert_eq!(
            event.stream_version, *version,
            "versions of a stream are dense at position {position}"
        );
    }
}

/// Folds every stream again and judges each span by those that were there when it was taken: what the store's own rows
/// say is not asked.
fn assert_nobody_is_booked_twice(events: &[RecordedEvent]) {
    let mut states: HashMap<StreamId, State> = HashMap::new();
    let mut taken: HashMap<Calendar, Vec<(StreamId, Span)>> = HashMap::new();
    for event in events {
        let state = states
            .entry(event.stream)
            .or_insert_with(|| State::empty(event.stream.kind));
        let before = state.spans();
        state.apply(&event.event);
        let after = state.spans();
        for span in before.iter().filter(|span| !after.contains(span)) {
            let there = taken.entry(span.calendar).or_default();
            there.retain(|(owner, other)| (*owner, other) != (event.stream, span));
        }
        for span in after.iter().filter(|span| !before.contains(span)) {
            let there = taken.entry(span.calendar).or_default();
            let clash = there
                .iter()
                .find(|(_, other)| span.starts < other.ends && other.starts < span.ends);
            assert!(
                span.layer == Layer::Over || clash.is_none(),
                "position {} takes {span:?}, which {clash:?} has",
                event.position
            );
            there.push((event.stream, *span));
        }
    }
}
