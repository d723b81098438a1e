//! Which members of a batch may happen: pure, in queue order, against what is stored and an overlay of the members
//! accepted before.

use std::collections::{HashMap, HashSet};

use praxis_events::ids::StreamId;
use uuid::Uuid;

use crate::append::{Append, Appended, Claim, Conflict, Layer, Span};
use crate::port::{Facts, Head, Lookup, Rows, StoredCommand, StoredEvent};
use crate::record::leaf::{LeafEntry, LeafFormat};
use crate::record::names::{NameError, RecordName};

/// How sure the judgement must be of versions and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrutiny {
    /// Versions written and command keys are left to the unique indexes, which refuse the whole batch.
    IndexesDecide,
    /// Everything is looked up.
    LookUpAll,
}

/// What must be looked up before a batch can be judged.
pub fn lookup_for(batch: &[&Append], head: &Head, scrutiny: Scrutiny) -> Lookup {
    let mut streams = HashSet::new();
    let mut commands = HashSet::new();
    let mut claims = HashSet::new();
    let mut spans = HashSet::new();
    let mut data_keys = HashSet::new();
    for append in batch {
        streams.extend(append.reads.iter().map(|read| read.stream.id));
        claims.extend(
            append
                .claims
                .taken
                .iter()
                .map(|claim| (claim.resource.clone(), claim.member.clone())),
        );
        spans.extend(
            append
                .spans
                .taken
                .iter()
                .filter(|span| span.layer == Layer::Normal)
                .copied(),
        );
        if append.keys_as_of < head.tombstone_position {
            data_keys.extend(append.used_keys.iter().copied());
        }
        if scrutiny == Scrutiny::LookUpAll {
            streams.extend(append.writes.iter().map(|write| write.stream.id));
            commands.insert(append.command.key);
        }
    }
    Lookup {
        streams: sorted(streams),
        commands: sorted(commands),
        claims: sorted(claims),
        spans: sorted(spans),
        data_keys: sorted(data_keys),
    }
}

fn sorted<T: Ord>(set: HashSet<T>) -> Vec<T> {
    let mut list: Vec<T> = set.into_iter().collect();
    list.sort_unstable();
    list
}

/// The judgement on one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// In the log, if the batch commits.
    Accepted(Appended),
    /// Not in the log, with everything that stands in the way.
    Refused(Vec<Conflict>),
}

/// The rows of the accepted members, and a verdict for each member in order.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// What to write.
    pub rows: Rows,
    /// One for each member.
    pub verdicts: Vec<Verdict>,
}

/// Judges members in queue order, and gives the accepted ones their positions, time and leaf hashes.
///
/// # Errors
/// Only if a stored name (a constant of `praxis-events`) is not one the record allows.
pub fn judge(
    batch: &[&Append],
    head: &Head,
    now_micros: i64,
    facts: Facts,
    scrutiny: Scrutiny,
) -> Result<Judgement, NameError> {
    let recorded_at = now_micros.max(head.recorded_at);
    let mut overlay = Overlay::new(facts, scrutiny);
    let mut rows = Rows {
        head_position: head.position,
        head_recorded_at: head.recorded_at,
        ..Rows::default()
    };
    let mut verdicts = Vec::with_capacity(batch.len());
    for append in batch {
        if let Some(kept) = overlay.facts.commands.get(&append.command.key) {
            verdicts.push(if kept.request == append.command.request {
                Verdict::Accepted(replayed(kept, head.epoch))
            } else {
                Verdict::Refused(vec![Conflict::KeyReused])
            });
            continue;
        }
        let conflicts = overlay.conflicts(append);
        if !conflicts.is_empty() {
            verdicts.push(Verdict::Refused(conflicts));
            continue;
        }
        overlay.take(append);
        let mut version = append.command.version;
        for write in &append.writes {
            let mut stream_version = write.expected_version;
            for event in &write.events {
                stream_version += 1;
                rows.head_position += 1;
                rows.head_recorded_at = recorded_at;
                let leaf = LeafEntry {
                    format: LeafFormat::CURRENT,
                    log_id: head.log_id.0,
                    position: rows.head_position,
                    recorded_at_us: recorded_at,
                    stream_id: write.stream.id,
                    stream_version,
                    event_id: event.event_id,
                    schema_version: event.schema_version,
                    stream_type: RecordName::try_new(write.stream.kind.name())?,
                    event_type: RecordName::try_new(event.event_type)?,
                    subject_id: event.subject_id,
                    metadata_hash: event.metadata_hash,
                    payload_hash: event.payload_hash,
                };
                rows.events.push(StoredEvent {
                    position: rows.head_position,
                    event_id: event.event_id,
                    stream_type: write.stream.kind.name().to_owned(),
                    stream_id: write.stream.id,
                    stream_version,
                    event_type: event.event_type.to_owned(),
                    schema_version: event.schema_version,
                    recorded_at,
                    subject_id: event.subject_id,
                    metadata: event.metadata.clone(),
                    payload: event.payload.clone(),
                    leaf_format: leaf.format.byte(),
                    leaf_hash: leaf.leaf_hash(),
                });
            }
            if write.stream.id == append.command.answer_id {
                version = stream_version;
            }
        }
        let first_position = rows.head_position - u64::try_from(append.event_count()).unwrap_or(u64::MAX) + 1;
        rows.keys.extend(append.new_keys.iter().cloned().map(|mut key| {
            key.created_position = first_position;
            key
        }));
        let command = StoredCommand {
            key: append.command.key,
            request: append.command.request,
            answer_id: append.command.answer_id,
            version,
            position: rows.head_position,
            recorded_at,
        };
        rows.commands.push(command);
        overlay.facts.commands.insert(command.key, command);
        verdicts.push(Verdict::Accepted(Appended {
            replayed: false,
            ..replayed(&command, head.epoch)
        }));
    }
    (rows.claims_released, rows.claims_taken) =
        (sorted(overlay.claims_released), sorted(overlay.claims_taken));
    (rows.spans_released, rows.spans_taken) = (sorted(overlay.spans_released), sorted(overlay.spans_taken));
    Ok(Judgement { rows, verdicts })
}

fn replayed(kept: &StoredCommand, epoch: u32) -> Appended {
    Appended {
        id: kept.answer_id,
        version: kept.version,
        position: kept.position,
        recorded_at: kept.recorded_at,
        epoch,
        replayed: true,
    }
}

/// What is stored, with the accepted members of this batch laid over it. The four sets are net effects.
struct Overlay {
    facts: Facts,
    scrutiny: Scrutiny,
    written: HashMap<Uuid, u64>,
    owners: HashMap<(Vec<u8>, Vec<u8>), Vec<Uuid>>,
    spans: HashMap<crate::append::Calendar, Vec<Span>>,
    claims_released: HashSet<Claim>,
    claims_taken: HashSet<Claim>,
    spans_released: HashSet<Span>,
    spans_taken: HashSet<Span>,
}

impl Overlay {
    fn new(mut facts: Facts, scrutiny: Scrutiny) -> Self {
        let mut spans: HashMap<_, Vec<Span>> = HashMap::new();
        for span in facts.spans.drain(..) {
            spans.entry(span.calendar).or_default().push(span);
        }
        Self {
            owners: std::mem::take(&mut facts.claims),
            facts,
            scrutiny,
            written: HashMap::new(),
            spans,
            claims_released: HashSet::new(),
            claims_taken: HashSet::new(),
            spans_released: HashSet::new(),
            spans_taken: HashSet::new(),
        }
    }

    /// The version of a stream; `None` where the indexes decide and nothing in this batch has moved it.
    fn version(&self, stream: StreamId, written: Written) -> Option<u64> {
        if let Some(version) = self.written.get(&stream.id) {
            return Some(*version);
        }
        match (written, self.scrutiny) {
            (Written::Yes, Scrutiny::IndexesDecide) => None,
            _ => Some(self.facts.versions.get(&stream.id).copied().unwrap_or(0)),
        }
    }

    fn conflicts(&self, append: &Append) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        let writes = append
            .writes
            .iter()
            .map(|write| (write.stream, write.expected_version, Written::Yes));
        let reads = append
            .reads
            .iter()
            .map(|read| (read.stream, read.expected_version, Written::No));
        for (stream, expected, written) in writes.chain(reads) {
            match self.version(stream, written) {
                Some(actual) if actual != expected => conflicts.push(Conflict::Version {
                    stream,
                    expected,
                    actual,
                }),
                Some(_) | None => {}
            }
        }
        for claim in &append.claims.taken {
            let owners = self.owners_without(claim, append);
            if owners.len() >= usize::try_from(claim.capacity).unwrap_or(usize::MAX) {
                conflicts.push(Conflict::Claim {
                    claim: claim.clone(),
                    owners,
                });
            }
        }
        for span in append
            .spans
            .taken
            .iter()
            .filter(|span| span.layer == Layer::Normal)
        {
            let mut there = self.spans.get(&span.calendar).into_iter().flatten();
            if let Some(taken_by) =
                there.find(|other| span.overlaps(other) && !append.spans.released.contains(other))
            {
                conflicts.push(Conflict::Span {
                    span: *span,
                    taken_by: *taken_by,
                });
            }
        }
        let destroyed = append
            .used_keys
            .iter()
            .filter(|key| self.facts.tombstoned.contains(*key));
        conflicts.extend(destroyed.map(|key_id| Conflict::KeyDestroyed { key_id: *key_id }));
        conflicts
    }

    /// Who owns the member, not counting the claimer itself and what this append releases.
    fn owners_without(&self, claim: &Claim, append: &Append) -> Vec<Uuid> {
        let owners = self.owners.get(&(claim.resource.clone(), claim.member.clone()));
        let released = |owner: Uuid| {
            append.claims.released.iter().any(|gone| {
                gone.owner == owner && gone.resource == claim.resource && gone.member == claim.member
            })
        };
        owners
            .into_iter()
            .flatten()
            .copied()
            .filter(|owner| *owner != claim.owner && !released(*owner))
            .collect()
    }

    fn take(&mut self, append: &Append) {
        for write in &append.writes {
            let events = u64::try_from(write.events.len()).unwrap_or(u64::MAX);
            self.written
                .insert(write.stream.id, write.expected_version + events);
        }
        for claim in &append.claims.released {
            if let Some(owners) = self
                .owners
                .get_mut(&(claim.resource.clone(), claim.member.clone()))
            {
                owners.retain(|owner| *owner != claim.owner);
            }
            if !self.claims_taken.remove(claim) {
                self.claims_released.insert(claim.clone());
            }
        }
        for claim in &append.claims.taken {
            self.owners
                .entry((claim.resource.clone(), claim.member.clone()))
                .or_default()
                .push(claim.owner);
            if !self.claims_released.remove(claim) {
                self.claims_taken.insert(claim.clone());
            }
        }
        for span in &append.spans.released {
            if let Some(spans) = self.spans.get_mut(&span.calendar) {
                spans.retain(|other| other != span);
            }
            if !self.spans_taken.remove(span) {
                self.spans_released.insert(*span);
            }
        }
        for span in &append.spans.taken {
            self.spans.entry(span.calendar).or_default().push(*span);
            if !self.spans_released.remove(span) {
                self.spans_taken.insert(*span);
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Written {
    Yes,
    No,
}
