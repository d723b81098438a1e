//! What is asked of the log: an atomic append over streams it writes and streams it has read.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use praxis_events::ids::StreamId;
use uuid::Uuid;

use crate::port::StoredKey;

/// An event ready to be stored, but for its place: boxes are made, the two inner hashes are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedEvent {
    /// Its id.
    pub event_id: Uuid,
    /// Stored name of its type.
    pub event_type: &'static str,
    /// The schema version it is written in.
    pub schema_version: u32,
    /// Whom it is chiefly about.
    pub subject_id: Option<Uuid>,
    /// Metadata bytes.
    pub metadata: Vec<u8>,
    /// SHA-256 of the metadata bytes.
    pub metadata_hash: [u8; 32],
    /// Payload bytes.
    pub payload: Vec<u8>,
    /// SHA-256 of the payload bytes.
    pub payload_hash: [u8; 32],
}

/// Events for one stream, decided at a version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamWrite {
    /// The stream.
    pub stream: StreamId,
    /// The version the decision was made at; 0 for a new stream.
    pub expected_version: u64,
    /// What happened, in order; may not be empty.
    pub events: Vec<PreparedEvent>,
}

/// A stream the decision depends on without writing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamRead {
    /// The stream.
    pub stream: StreamId,
    /// The version the decision was made at.
    pub expected_version: u64,
}

/// One of at most `capacity` owners of a member of a resource. Capacity 1 is uniqueness.
///
/// Two claims are equal when resource, member and owner are: the capacity is the rule of the day on which the claim is
/// taken, is not stored, and may be another when it is released.
#[derive(Clone, Debug)]
pub struct Claim {
    /// What kind of thing is claimed; at most 32 bytes.
    pub resource: Vec<u8>,
    /// Which; an HMAC where it is personal; at most 64 bytes.
    pub member: Vec<u8>,
    /// The stream that owns it.
    pub owner: Uuid,
    /// How many owners the member may have.
    pub capacity: u32,
}

impl Claim {
    /// Whether both are of the same member of the same resource, whoever owns them.
    pub fn is_for_member_of(&self, other: &Self) -> bool {
        self.resource == other.resource && self.member == other.member
    }

    fn identity(&self) -> (&[u8], &[u8], Uuid) {
        (&self.resource, &self.member, self.owner)
    }
}

impl PartialEq for Claim {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Claim {}

impl PartialOrd for Claim {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Claim {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

impl Hash for Claim {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

/// Whose calendar time a span takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CalendarKind {
    /// A practitioner's.
    Practitioner,
    /// A patient's.
    Patient,
    /// A room's.
    Room,
}

impl CalendarKind {
    /// The stored byte.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Practitioner => 1,
            Self::Patient => 2,
            Self::Room => 3,
        }
    }

    /// The kind of that stored byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Practitioner),
            2 => Some(Self::Patient),
            3 => Some(Self::Room),
            _ => None,
        }
    }
}

/// A calendar that time is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Calendar {
    /// Whose kind.
    pub kind: CalendarKind,
    /// Whose.
    pub id: Uuid,
}

/// How a span shares its calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// May overlap nothing that is already there, of either layer.
    Normal,
    /// An overbooking: is not checked against anything.
    Over,
}

/// Time taken from a calendar: half-open, microseconds UTC, `starts < ends`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// From which calendar.
    pub calendar: Calendar,
    /// Normal or over.
    pub layer: Layer,
    /// First microsecond.
    pub starts: i64,
    /// The microsecond after the last.
    pub ends: i64,
    /// The stream that owns it.
    pub owner: Uuid,
}

impl Span {
    /// Whether both take time at once from the same calendar.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.calendar == other.calendar && self.starts < other.ends && other.starts < self.ends
    }
}

/// What an append takes and gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta<T> {
    /// Given back; must be owned by a stream this append writes.
    pub released: Vec<T>,
    /// Taken, judged after the releases.
    pub taken: Vec<T>,
}

impl<T> Default for Delta<T> {
    fn default() -> Self {
        Self {
            released: Vec::new(),
            taken: Vec::new(),
        }
    }
}

/// Under which key a command's outcome is kept, and what it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRecord {
    /// SHA-256 over account and idempotency key; made at random if the caller gave none.
    pub key: [u8; 32],
    /// HMAC over method, path, `If-Match` and body.
    pub request: [u8; 33],
    /// The same under every other claims key that this process holds: an outcome kept before a rotation, or by a process
    /// on its other side, is of this request too. Not stored.
    pub other_requests: Vec<[u8; 33]>,
    /// The record the command is about: what the answer's `id` says.
    pub answer_id: Uuid,
    /// The version the answer states when nothing is written to that record's stream.
    pub version: u64,
}

impl CommandRecord {
    /// Whether an outcome kept under this command's key was that of the same request.
    pub fn is_request(&self, kept: &[u8; 33]) -> bool {
        self.request == *kept || self.other_requests.contains(kept)
    }
}

/// One atomic append. Without writes it is a no-op that keeps its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The command's key and answer.
    pub command: CommandRecord,
    /// Streams written.
    pub writes: Vec<StreamWrite>,
    /// Streams read.
    pub reads: Vec<StreamRead>,
    /// Claims taken and released.
    pub claims: Delta<Claim>,
    /// Calendar time taken and released.
    pub spans: Delta<Span>,
    /// Data keys first used here; `created_position` is set by the sequencer.
    pub new_keys: Vec<StoredKey>,
    /// Persons under whose data keys its boxes are, made by it or before: none of them may have been erased.
    pub subjects: Vec<Uuid>,
    /// The head's tombstone position when they were found not to be.
    pub keys_as_of: u64,
}

/// The most an event's payload and metadata may take together, bytes (Kafka's default limit is 1 MB).
pub const EVENT_BYTES_MAX: usize = 256 * 1024;

impl Append {
    /// What this append takes of the queue, bytes.
    pub fn bytes(&self) -> usize {
        let events: usize = self
            .writes
            .iter()
            .flat_map(|write| &write.events)
            .map(|event| event.payload.len() + event.metadata.len() + 256)
            .sum();
        events + 128 * (1 + self.claims.taken.len() + self.spans.taken.len())
    }

    /// What it releases without the right to: only a stream it writes, whose version is therefore checked, can give
    /// back what it holds. Another's could be taken by someone else at the same time. Nor does anything change hands
    /// without an event: whoever finds the head where it was relies on it.
    pub fn foreign_release(&self) -> Option<ForeignRelease> {
        let claims = self.claims.released.iter().map(|claim| claim.owner);
        let spans = self.spans.released.iter().map(|span| span.owner);
        let eventless = if self.writes.is_empty() {
            (self.claims.taken.as_slice(), self.spans.taken.as_slice())
        } else {
            Default::default()
        };
        let taken_claims = eventless.0.iter().map(|claim| claim.owner);
        let taken_spans = eventless.1.iter().map(|span| span.owner);
        let mut owners = claims.chain(spans).chain(taken_claims).chain(taken_spans);
        let is_written = |owner: Uuid| self.writes.iter().any(|write| write.stream.id == owner);
        owners
            .find(|owner| !is_written(*owner))
            .map(|owner| ForeignRelease { owner })
    }
}

/// An append gives back what belongs to a stream that it does not write, or takes without writing: a fault of this
/// program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("append takes or releases what stream {owner} owns without writing that stream")]
pub struct ForeignRelease {
    /// The stream that owns it.
    pub owner: Uuid,
}

/// An append that is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The record the command was about.
    pub id: Uuid,
    /// Its stream version after the command.
    pub version: u64,
    /// The log's position after the command.
    pub position: u64,
    /// When, microseconds UTC by the log's clock.
    pub recorded_at: i64,
    /// The epoch of the log.
    pub epoch: u32,
    /// Whether this answer was found under the command's key: kept from an earlier sending, or from whichever sending
    /// wrote it when a commit's answer was lost. What this sending decided is then not what the log holds.
    pub replayed: bool,
}

/// One thing that stands in the way of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// A stream is not at the version the decision was made at.
    Version {
        /// The stream.
        stream: StreamId,
        /// The version decided at.
        expected: u64,
        /// The version it has.
        actual: u64,
    },
    /// The key was used for another request.
    KeyReused,
    /// A claim is at its capacity.
    Claim {
        /// The claim refused.
        claim: Claim,
        /// Who owns the member.
        owners: Vec<Uuid>,
    },
    /// The time is taken.
    Span {
        /// The span refused.
        span: Span,
        /// A span that is there.
        taken_by: Span,
    },
    /// A person was erased: nothing is sealed for them any more, under no key.
    Erased {
        /// Whom.
        subject_id: Uuid,
    },
}
