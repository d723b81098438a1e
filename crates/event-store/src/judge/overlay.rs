//! What stands in a member's way: what is stored, with the accepted members of its batch laid over it.

use std::collections::{HashMap, HashSet};

use praxis_events::ids::StreamId;
use uuid::Uuid;

use super::{Scrutiny, sorted};
use crate::append::{Append, Calendar, Claim, Conflict, Layer, Span};
use crate::port::{Facts, Rows, StoredCommand};

/// What a judgement knows while it goes through a batch.
pub(super) struct Overlay {
    facts: Facts,
    scrutiny: Scrutiny,
    written: HashMap<Uuid, u64>,
    owners: HashMap<(Vec<u8>, Vec<u8>), Vec<Uuid>>,
    spans: HashMap<Calendar, Vec<Span>>,
    claims: NetEffect<Claim>,
    spans_moved: NetEffect<Span>,
}

/// What a batch deletes and then inserts. What it took and gave back again is in neither set; what it gave back and
/// took again is in both, because a release may also have been of something that was not there.
struct NetEffect<T> {
    released: HashSet<T>,
    taken: HashSet<T>,
}

impl<T: Clone + Eq + std::hash::Hash> NetEffect<T> {
    fn new() -> Self {
        Self {
            released: HashSet::new(),
            taken: HashSet::new(),
        }
    }

    fn release(&mut self, item: &T) {
        if !self.taken.remove(item) {
            self.released.insert(item.clone());
        }
    }

    fn take(&mut self, item: &T) {
        self.taken.insert(item.clone());
    }
}

/// Whether a stream's version is asked for to write the stream or only to have read it.
#[derive(Clone, Copy)]
enum Written {
    Yes,
    No,
}

impl Overlay {
    pub(super) fn new(mut facts: Facts, scrutiny: Scrutiny) -> Self {
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
            claims: NetEffect::new(),
            spans_moved: NetEffect::new(),
        }
    }

    /// The outcome kept under a command key, from before this batch or from a member of it.
    pub(super) fn command(&self, key: &[u8; 32]) -> Option<&StoredCommand> {
        self.facts.commands.get(key)
    }

    /// Keeps an accepted member's outcome.
    pub(super) fn keep(&mut self, command: StoredCommand) {
        self.facts.commands.insert(command.key, command);
    }

    /// Everything that stands in a member's way.
    pub(super) fn conflicts(&self, append: &Append) -> Vec<Conflict> {
        let mut conflicts = self.version_conflicts(append);
        conflicts.extend(self.claim_conflicts(append));
        conflicts.extend(self.span_conflicts(append));
        let subjects = append.subjects.iter().copied();
        let erased = subjects.filter(|subject_id| self.facts.erased.contains(subject_id));
        conflicts.extend(erased.map(|subject_id| Conflict::Erased { subject_id }));
        conflicts
    }

    fn version_conflicts(&self, append: &Append) -> Vec<Conflict> {
        let writes = append
            .writes
            .iter()
            .map(|write| (write.stream, write.expected_version, Written::Yes));
        let reads = append
            .reads
            .iter()
            .map(|read| (read.stream, read.expected_version, Written::No));
        writes
            .chain(reads)
            .filter_map(|(stream, expected, written)| {
                let actual = self.version(stream, written)?;
                (actual != expected).then_some(Conflict::Version {
                    stream,
                    expected,
                    actual,
                })
            })
            .collect()
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

    /// The claims that find their member at its capacity. A series may claim one member for several owners, so what
    /// this append would add counts as well; taking what one holds adds nothing and is never refused.
    fn claim_conflicts(&self, append: &Append) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        let mut added: Vec<&Claim> = Vec::new();
        for claim in &append.claims.taken {
            let mut owners = self.owners_after_releases(claim, append);
            let siblings = added.iter().filter(|other| other.is_for_member_of(claim));
            owners.extend(siblings.map(|other| other.owner));
            if owners.contains(&claim.owner) {
                continue;
            }
            if owners.len() >= usize::try_from(claim.capacity).unwrap_or(usize::MAX) {
                conflicts.push(Conflict::Claim {
                    claim: claim.clone(),
                    owners,
                });
            } else {
                added.push(claim);
            }
        }
        conflicts
    }

    /// Who owns the member once this append has released what it releases.
    fn owners_after_releases(&self, claim: &Claim, append: &Append) -> Vec<Uuid> {
        let owners = self.owners.get(&(claim.resource.clone(), claim.member.clone()));
        let released = |owner: Uuid| {
            let mut gone = append.claims.released.iter();
            gone.any(|gone| gone.owner == owner && gone.is_for_member_of(claim))
        };
        owners
            .into_iter()
            .flatten()
            .copied()
            .filter(|owner| !released(*owner))
            .collect()
    }

    /// The normal spans that find their time taken: by what is there, or by what this append lists before them, as if
    /// each had been an append of its own.
    fn span_conflicts(&self, append: &Append) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        for (index, span) in append.spans.taken.iter().enumerate() {
            if span.layer == Layer::Over {
                continue;
            }
            let there = self.spans.get(&span.calendar).into_iter().flatten();
            let stays = there.filter(|other| !append.spans.released.contains(other));
            let mut taken = stays.chain(&append.spans.taken[..index]);
            if let Some(taken_by) = taken.find(|other| span.overlaps(other)) {
                conflicts.push(Conflict::Span {
                    span: *span,
                    taken_by: *taken_by,
                });
            }
        }
        conflicts
    }

    /// Lays an accepted member over what is known.
    pub(super) fn take(&mut self, append: &Append) {
        for write in &append.writes {
            let events = u64::try_from(write.events.len()).unwrap_or(u64::MAX);
            // The end of the range is no version a store can hold, so an append there ends as a fault; a version
            // that began again at 0 could be taken for a new stream's.
            self.written
                .insert(write.stream.id, write.expected_version.saturating_add(events));
        }
        for claim in &append.claims.released {
            let member = (claim.resource.clone(), claim.member.clone());
            if let Some(owners) = self.owners.get_mut(&member) {
                owners.retain(|owner| *owner != claim.owner);
            }
            self.claims.release(claim);
        }
        for claim in &append.claims.taken {
            let member = (claim.resource.clone(), claim.member.clone());
            let owners = self.owners.entry(member).or_default();
            if !owners.contains(&claim.owner) {
                owners.push(claim.owner);
                self.claims.take(claim);
            }
        }
        for span in &append.spans.released {
            if let Some(spans) = self.spans.get_mut(&span.calendar) {
                spans.retain(|other| other != span);
            }
            self.spans_moved.release(span);
        }
        for span in &append.spans.taken {
            self.spans.entry(span.calendar).or_default().push(*span);
            self.spans_moved.take(span);
        }
    }

    /// Puts what the batch takes and gives back into its rows.
    pub(super) fn finish(self, rows: &mut Rows) {
        rows.claims_released = sorted(self.claims.released);
        rows.claims_taken = sorted(self.claims.taken);
        rows.spans_released = sorted(self.spans_moved.released);
        rows.spans_taken = sorted(self.spans_moved.taken);
    }
}
