//! What is said of read models: the same words on a terminal, in `--json` and over HTTP.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far the read models are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The last position of the log.
    #[schema(example = 81_234)]
    pub head: u64,
    /// Fingerprint of this program's folds: it fills and reads generations of this one only.
    #[schema(example = "7d1c0e52a9b84f36")]
    pub fingerprint: String,
    /// Every generation, by number.
    pub generations: Vec<GenerationStatus>,
    /// The rebuild under way; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<RebuildStatus>,
}

/// How far one generation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GenerationStatus {
    /// Its number.
    #[schema(example = 2)]
    pub generation: u32,
    /// `building`, `ready` or `retired`.
    #[schema(example = "ready")]
    pub state: String,
    /// Fingerprint of the folds it is made by.
    #[schema(example = "7d1c0e52a9b84f36")]
    pub fingerprint: String,
    /// Whether this program's folds are those.
    pub of_this_program: bool,
    /// How far it is; absent unless it is of this program and not retired.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

/// Where the rows of a generation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Standing {
    /// Every event at or before this position is in the rows, or parked.
    #[schema(example = 81_230)]
    pub position: u64,
    /// How many events of the log come after it.
    #[schema(example = 4)]
    pub lag: u64,
    /// How many partitions were begun.
    #[schema(example = 12)]
    pub partitions: usize,
    /// How many streams stand still because an event of theirs cannot be read.
    #[schema(example = 0)]
    pub parked_streams: u64,
}

/// A rebuild under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RebuildStatus {
    /// The generation that is to take over.
    #[schema(example = 3)]
    pub generation: u32,
    /// The one that is read.
    #[schema(example = 2)]
    pub instead_of: u32,
    /// How many streams are parked that are not in the one that is read. Once it has come as far, it waits for somebody
    /// to accept them.
    #[schema(example = 0)]
    pub newly_parked: usize,
}

/// Events that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Parked {
    /// In order of position.
    pub parked: Vec<ParkedEntry>,
    /// Position to ask for more after; absent if there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_after: Option<u64>,
}

/// An event that could not be read: where it is and why, nothing of what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParkedEntry {
    /// In which generation.
    #[schema(example = 2)]
    pub generation: u32,
    /// Its position.
    #[schema(example = 4711)]
    pub position: u64,
    /// The kind of its stream.
    #[schema(example = "patient")]
    pub stream_type: String,
    /// Its stream.
    #[schema(example = "0198c7a2-5b1e-7c44-9d10-3f6a2b8e4d71")]
    pub stream_id: String,
    /// Its place in the stream.
    #[schema(example = 3)]
    pub stream_version: u64,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(example = "patient.contact-changed")]
    pub event_type: String,
    /// Why: the code of a fault, or `behind` after another event of the stream.
    #[schema(example = "newer-version")]
    pub code: String,
}

/// What reading parked events again came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Retried {
    /// Streams that are parked no more.
    #[schema(example = 1)]
    pub streams: u64,
    /// Events that are in the rows now.
    #[schema(example = 2)]
    pub events: u64,
}
