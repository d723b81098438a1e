//! Which members of a batch may happen: pure, in queue order, against what is stored and an overlay of the members
//! accepted before.

mod overlay;

use std::collections::HashSet;

use self::overlay::Overlay;
use crate::append::{Append, Appended, Conflict, Layer};
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
    let mut subjects = HashSet::new();
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
            subjects.extend(append.subjects.iter().copied());
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
        subjects: sorted(subjects),
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
        if let Some(kept) = overlay.command(&append.command.key) {
            verdicts.push(if append.command.is_request(&kept.request) {
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
        let first_position = rows.head_position.saturating_add(1);
        let version = place(append, head, recorded_at, &mut rows)?;
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
        overlay.keep(command);
        verdicts.push(Verdict::Accepted(Appended {
            replayed: false,
            ..replayed(&command, head.epoch)
        }));
    }
    overlay.finish(&mut rows);
    Ok(Judgement { rows, verdicts })
}

/// Gives an accepted member's events their positions; answers the version of the record it is about.
fn place(append: &Append, head: &Head, recorded_at: i64, rows: &mut Rows) -> Result<u64, NameError> {
    let mut version = append.command.version;
    for write in &append.writes {
        let mut stream_version = write.expected_version;
        for event in &write.events {
            stream_version = stream_version.saturating_add(1);
            rows.head_position = rows.head_position.saturating_add(1);
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
    Ok(version)
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
