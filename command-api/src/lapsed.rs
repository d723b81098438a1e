//! Who holds a claim that counts no more, so that others may take it beside them?
//!
//! A claim is given back by an event only, but what it stands for may end with the clock: a booking that nobody
//! resolved is over all the same (ADR 13).

use chrono::{DateTime, Utc};
use praxis_domain::claim::ClaimResource;
use praxis_domain::rules::Rules;
use praxis_event_store::append::{Append, Claim, Conflict, StreamRead};
use praxis_events::ids::StreamId;
use uuid::Uuid;

use crate::execute::ExecuteError;
use crate::states::{Sight, States};

/// Holders of claims that count no more, each at the version it was read at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lapsed(Vec<(Claim, Vec<StreamRead>)>);

impl Lapsed {
    /// Lets the append take its claims beside those holders, as long as they are as they were read: one that was moved
    /// ahead meanwhile counts again, and the log finds its version changed.
    pub(crate) fn make_room(&self, append: &mut Append) {
        for (claim, holders) in &self.0 {
            let room = u32::try_from(holders.len()).unwrap_or(u32::MAX);
            let taken = append.claims.taken.iter_mut();
            for taken in taken.filter(|taken| taken.is_for_member_of(claim)) {
                taken.capacity = taken.capacity.saturating_add(room);
            }
            for holder in holders {
                let is_written = append.writes.iter().any(|write| write.stream == holder.stream);
                if !is_written && !append.reads.contains(holder) {
                    append.reads.push(*holder);
                }
            }
        }
    }
}

/// The conflicts that stand although what counts no more is left out, and those holders that make the others go away.
///
/// # Errors
/// [`ExecuteError`] when a holder cannot be read.
pub(crate) async fn standing(
    conflicts: Vec<Conflict>,
    states: &States,
    rules: &Rules,
    now: DateTime<Utc>,
) -> Result<(Vec<Conflict>, Lapsed), ExecuteError> {
    let (mut standing, mut lapsed) = (Vec::with_capacity(conflicts.len()), Lapsed::default());
    for conflict in conflicts {
        let Conflict::Claim { claim, owners } = &conflict else {
            standing.push(conflict);
            continue;
        };
        let holders = lapsed_holders(claim, owners, states, now).await?;
        let capacity = ClaimResource::from_name(&claim.resource).map_or(0, |kind| kind.capacity(rules));
        let counting = owners.len() - holders.len();
        if counting < usize::try_from(capacity).unwrap_or(usize::MAX) {
            lapsed.0.push((claim.clone(), holders));
        } else {
            standing.push(conflict);
        }
    }
    Ok((standing, lapsed))
}

/// Those of the owners that count no more. Each is read to its end: what is remembered may have been moved since.
async fn lapsed_holders(
    claim: &Claim,
    owners: &[Uuid],
    states: &States,
    now: DateTime<Utc>,
) -> Result<Vec<StreamRead>, ExecuteError> {
    let mut lapsed = Vec::new();
    let resource = ClaimResource::from_name(&claim.resource);
    let Some((resource, kind)) = resource.and_then(|resource| Some((resource, resource.outlasted_by()?)))
    else {
        return Ok(lapsed);
    };
    for owner in owners {
        let stream = StreamId { kind, id: *owner };
        let loaded = states.load(stream, Sight::Tail).await?;
        if !resource.counts(&loaded.state, now) {
            lapsed.push(StreamRead {
                stream,
                expected_version: loaded.version,
            });
        }
    }
    Ok(lapsed)
}

#[cfg(test)]
mod tests {
    use praxis_event_store::append::{CommandRecord, Delta, StreamWrite};
    use praxis_events::ids::{AppointmentId, PatientId};

    use super::*;

    fn read(id: u128) -> StreamRead {
        StreamRead {
            stream: AppointmentId(Uuid::from_u128(id)).into(),
            expected_version: 3,
        }
    }

    fn open_booking(patient: u128, owner: u128) -> Claim {
        Claim {
            resource: ClaimResource::OpenBooking.name().as_bytes().to_vec(),
            member: PatientId(Uuid::from_u128(patient)).0.as_bytes().to_vec(),
            owner: Uuid::from_u128(owner),
            capacity: 10,
        }
    }

    fn append(taken: Vec<Claim>, written: &[u128]) -> Append {
        let write = |id: &u128| StreamWrite {
            stream: read(*id).stream,
            expected_version: 3,
            events: Vec::new(),
        };
        Append {
            command: CommandRecord {
                key: [0; 32],
                request: [0; 33],
                other_requests: Vec::new(),
                answer_id: Uuid::nil(),
                version: 0,
            },
            writes: written.iter().map(write).collect(),
            reads: Vec::new(),
            claims: Delta {
                released: Vec::new(),
                taken,
            },
            spans: Delta::default(),
            new_keys: Vec::new(),
            subjects: Vec::new(),
            keys_as_of: 0,
        }
    }

    #[test]
    fn what_counts_no_more_makes_room_for_its_own_member_while_it_stays_as_it_was_read() {
        let lapsed = Lapsed(vec![(open_booking(1, 9), vec![read(5), read(6)])]);
        let mut append = append(vec![open_booking(1, 9), open_booking(2, 8)], &[]);
        lapsed.make_room(&mut append);
        let capacities: Vec<_> = append.claims.taken.iter().map(|claim| claim.capacity).collect();
        assert_eq!(capacities, [12, 10]);
        assert_eq!(append.reads, [read(5), read(6)]);
    }

    #[test]
    fn a_stream_that_is_written_is_not_read_too() {
        let lapsed = Lapsed(vec![(open_booking(1, 9), vec![read(5), read(6)])]);
        let mut append = append(vec![open_booking(1, 9)], &[6]);
        lapsed.make_room(&mut append);
        assert_eq!(append.reads, [read(5)]);
    }
}
