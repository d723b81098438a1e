//! What is known of a stream: its state kept folded within a bound, else read from the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use praxis_domain::state::State;
use praxis_event_store::codec::Codec;
use praxis_event_store::port::{LogReader, StreamRange};
use praxis_events::ids::StreamId;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::execute::ExecuteError;

/// Events read from a stream at a time.
const STREAM_PAGE_MAX: u32 = 1_000;

/// How much of a long record counts as one entry of the cache: what an ordinary record has.
const PARTS_PER_ENTRY: usize = 8;

/// A state and the version of the stream it was folded to.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) state: Arc<State>,
    pub(crate) version: u64,
    /// When its last event was appended; `None` before the first.
    pub(crate) changed_at: Option<DateTime<Utc>>,
    /// The last erasure known before it was folded: it may hold what a later one took.
    pub(crate) as_of_erasure: u64,
}

impl Loaded {
    /// Of a stream without events.
    pub(crate) fn empty(stream: StreamId) -> Self {
        Self {
            state: Arc::new(State::empty(stream.kind)),
            version: 0,
            changed_at: None,
            as_of_erasure: 0,
        }
    }
}

/// How sure a state must be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// What the cache has will do: the append finds out.
    Cached,
    /// The stream's tail is read, so that a refusal is never decided from old state.
    Tail,
}

/// A long record counts as several: the bound is one of memory.
#[derive(Clone)]
struct ByParts;

impl Weighter<StreamId, Loaded> for ByParts {
    fn weight(&self, _: &StreamId, loaded: &Loaded) -> u64 {
        u64::try_from(1 + loaded.state.parts() / PARTS_PER_ENTRY).unwrap_or(u64::MAX)
    }
}

/// The states of one log's streams.
pub(crate) struct States {
    reader: Arc<dyn LogReader>,
    codec: Codec,
    kept: Cache<StreamId, Loaded, ByParts>,
    last_erasure: AtomicU64,
}

impl States {
    /// At most as many as `entries_max` ordinary records take are kept.
    pub(crate) fn new(reader: Arc<dyn LogReader>, codec: Codec, entries_max: usize) -> Self {
        let weight_max = u64::try_from(entries_max).unwrap_or(u64::MAX);
        Self {
            reader,
            codec,
            kept: Cache::with_weighter(entries_max, weight_max, ByParts),
            last_erasure: AtomicU64::new(0),
        }
    }

    /// What is kept of a stream that the command says it makes; nothing kept is nothing there, until the log knows
    /// better.
    pub(crate) fn expected_new(&self, stream: StreamId) -> Loaded {
        self.kept.get(&stream).unwrap_or_else(|| Loaded::empty(stream))
    }

    /// The last erasure, before which nothing kept was folded: whom it was about is not asked, as erasures are rare.
    ///
    /// # Errors
    /// [`ExecuteError`] when the log does not say.
    pub(crate) async fn last_erasure(&self) -> Result<u64, ExecuteError> {
        let last_erasure = self.codec.vault().last_erasure().await?;
        if self.last_erasure.fetch_max(last_erasure, Ordering::AcqRel) < last_erasure {
            self.kept.clear();
        }
        Ok(last_erasure)
    }

    /// A stream's state.
    ///
    /// # Errors
    /// [`ExecuteError`] when it cannot be read.
    pub(crate) async fn load(&self, stream: StreamId, sight: Sight) -> Result<Loaded, ExecuteError> {
        let last_erasure = self.last_erasure().await?;
        let cached = match self.kept.get(&stream) {
            // Folded before an erasure, and kept after it.
            Some(stale) if stale.as_of_erasure < last_erasure => {
                self.kept.remove(&stream);
                None
            }
            cached => cached,
        };
        let empty = || Loaded {
            as_of_erasure: last_erasure,
            ..Loaded::empty(stream)
        };
        let outcome = if cached.is_some() { "hit" } else { "miss" };
        metrics::counter!("praxis_state_cache_total", "outcome" => outcome).increment(1);
        match (cached, sight) {
            (Some(loaded), Sight::Cached) => Ok(loaded),
            // One read for all who miss the same stream at once: a thousand bookings of one practitioner do.
            (None, Sight::Cached) => {
                let read = self.read_on(stream, empty());
                self.kept.get_or_insert_async(&stream, read).await
            }
            (cached, Sight::Tail) => {
                let before = cached.unwrap_or_else(empty);
                let from_version = before.version;
                let loaded = self.read_on(stream, before).await?;
                if loaded.version > from_version {
                    self.keep(stream, loaded.clone());
                }
                Ok(loaded)
            }
        }
    }

    /// A state, brought up to the stream's end.
    async fn read_on(&self, stream: StreamId, mut loaded: Loaded) -> Result<Loaded, ExecuteError> {
        loop {
            let range = StreamRange {
                stream,
                after_version: loaded.version,
                up_to_position: u64::MAX,
                limit: STREAM_PAGE_MAX,
            };
            let stored = self.reader.read_stream(range).await?;
            let read = stored.len();
            for recorded in self.codec.decode(&stored).await? {
                let recorded = recorded.map_err(ExecuteError::Unreadable)?;
                Arc::make_mut(&mut loaded.state).apply(&recorded.event);
                loaded.version = recorded.stream_version;
                loaded.changed_at = Some(recorded.recorded_at);
            }
            if u32::try_from(read).unwrap_or(u32::MAX) < STREAM_PAGE_MAX {
                return Ok(loaded);
            }
        }
    }

    /// Keeps a state, unless a newer one is kept already, or somebody was erased since it was folded.
    pub(crate) fn keep(&self, stream: StreamId, loaded: Loaded) {
        if loaded.as_of_erasure < self.last_erasure.load(Ordering::Acquire) {
            return;
        }
        let newer = self
            .kept
            .peek(&stream)
            .is_some_and(|kept| kept.version > loaded.version);
        if !newer {
            self.kept.insert(stream, loaded);
        }
    }
}
