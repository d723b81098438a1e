//! A law: whatever is booked, moved, cancelled and overbooked, singly and in series, in whatever batches, no normal
//! booking begins over another, and no limit is exceeded.

mod support;

#[cfg(test)]
mod histories {
    use std::collections::HashMap;

    use praxis_event_store::append::{Append, Claim, Layer, Span, StreamWrite};
    use proptest::prelude::*;

    use crate::support::{MemoryLog, accepted, append, claim, commit, span, stream};

    /// How many open bookings a calendar may have.
    const OPEN_MAX: u32 = 7;

    #[derive(Clone, Debug)]
    struct Visit {
        calendar: u8,
        starts: i64,
        length: i64,
        layer: Layer,
    }

    #[derive(Clone, Debug)]
    enum Act {
        /// New bookings, each a stream of its own, in one append.
        Book { visits: Vec<Visit> },
        /// Bookings moved by some time in one append, perhaps to where another of them was.
        Move { which: Vec<usize>, by: i64 },
        /// Bookings that give back their time in one append.
        Cancel { which: Vec<usize> },
    }

    fn visit() -> impl Strategy<Value = Visit> {
        let layer = prop_oneof![4 => Just(Layer::Normal), 1 => Just(Layer::Over)];
        (0..2_u8, 0..30_i64, 1..8_i64, layer).prop_map(|(calendar, starts, length, layer)| Visit {
            calendar,
            starts,
            length,
            layer,
        })
    }

    fn act() -> impl Strategy<Value = Act> {
        let some = || proptest::collection::vec(any::<usize>(), 1..4);
        prop_oneof![
            3 => visit().prop_map(|visit| Act::Book { visits: vec![visit] }),
            2 => proptest::collection::vec(visit(), 2..5).prop_map(|visits| Act::Book { visits }),
            2 => (some(), -6..6_i64).prop_map(|(which, by)| Act::Move { which, by }),
            1 => some().prop_map(|which| Act::Cancel { which }),
        ]
    }

    /// A booking's version and what it holds, as its own stream knows them.
    #[derive(Clone, Copy, Default)]
    struct Booking {
        version: u64,
        span: Option<Span>,
    }

    #[derive(Default)]
    struct Bookings {
        held: HashMap<u128, Booking>,
    }

    /// What an append makes of each booking it writes.
    type Changes = Vec<(u128, Booking)>;

    impl Bookings {
        fn pick(&self, which: &[usize]) -> Vec<(u128, Span)> {
            let mut holding: Vec<(u128, Span)> = self
                .held
                .iter()
                .filter_map(|(id, booking)| booking.span.map(|span| (*id, span)))
                .collect();
            holding.sort_unstable();
            let mut picked: Vec<(u128, Span)> = which
                .iter()
                .filter_map(|which| holding.get(which % holding.len().max(1)).copied())
                .collect();
            picked.sort_unstable();
            picked.dedup();
            picked
        }

        fn decide(&self, number: u8, act: &Act) -> Vec<(u128, Option<Span>)> {
            match act {
                Act::Book { visits } => (1_000 + 10 * u128::from(number)..)
                    .zip(visits)
                    .map(|(id, visit)| {
                        let calendar = u128::from(visit.calendar);
                        let ends = visit.starts + visit.length;
                        (
                            id,
                            Some(span(calendar, visit.layer, visit.starts, ends, stream(id))),
                        )
                    })
                    .collect(),
                Act::Move { which, by } => self
                    .pick(which)
                    .into_iter()
                    .map(|(id, old)| {
                        let moved = Span {
                            starts: old.starts + by,
                            ends: old.ends + by,
                            ..old
                        };
                        (id, Some(moved))
                    })
                    .collect(),
                Act::Cancel { which } => self.pick(which).into_iter().map(|(id, _)| (id, None)).collect(),
            }
        }

        fn append(&self, number: u8, act: &Act) -> Option<(Append, Changes)> {
            let decided = self.decide(number, act);
            let mut whole = append(number, stream(decided.first()?.0), 0);
            whole.writes.clear();
            let mut changes = Changes::new();
            for (id, new) in decided {
                let old = self.held.get(&id).copied().unwrap_or_default();
                let one = append(number, stream(id), old.version).writes.remove(0);
                whole.writes.push(StreamWrite { ..one });
                if old.span != new {
                    whole.spans.released.extend(old.span);
                    whole.spans.taken.extend(new);
                }
                if old.span.is_some() != new.is_some() {
                    whole.claims.released.extend(old.span.map(open));
                    whole.claims.taken.extend(new.map(open));
                }
                let version = old.version + 1;
                changes.push((id, Booking { version, span: new }));
            }
            Some((whole, changes))
        }
    }

    /// The claim of an open booking on its calendar's limit.
    fn open(span: Span) -> Claim {
        Claim {
            owner: span.owner,
            ..claim(&span.calendar.id.to_string(), OPEN_MAX, stream(0))
        }
    }

    /// Nothing normal overlaps anything normal, and nothing that is normal and new overlaps what was there.
    fn none_begins_over_another(before: &[Span], after: &[Span]) -> Result<(), TestCaseError> {
        for (index, one) in after.iter().enumerate() {
            for other in &after[index + 1..] {
                let normal = one.layer == Layer::Normal && other.layer == Layer::Normal;
                prop_assert!(!(normal && one.overlaps(other)), "{one:?} over {other:?}");
            }
            let new = one.layer == Layer::Normal && !before.contains(one);
            for stayed in before.iter().filter(|old| after.contains(old)) {
                prop_assert!(!(new && one.overlaps(stayed)), "{one:?} began over {stayed:?}");
            }
        }
        Ok(())
    }

    fn no_limit_is_exceeded(claims: &[Claim]) -> Result<(), TestCaseError> {
        for claim in claims {
            let owners = claims.iter().filter(|other| other.member == claim.member).count();
            prop_assert!(owners <= usize::try_from(OPEN_MAX).unwrap(), "{owners} owners");
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn no_normal_booking_begins_over_another_and_no_limit_is_exceeded(
            acts in proptest::collection::vec(act(), 1..60),
            cuts in proptest::collection::vec(1..6_usize, 1..60),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let log = MemoryLog::default();
                let mut bookings = Bookings::default();
                let mut rest = acts.iter().zip(0_u8..).collect::<Vec<_>>();
                let mut cuts = cuts.iter().cycle();
                while !rest.is_empty() {
                    let size = (*cuts.next().unwrap()).min(rest.len());
                    let acts: Vec<_> = rest.drain(..size).collect();
                    // All members of a batch decide on what they saw before it, as concurrent callers do.
                    let members: Vec<_> =
                        acts.iter().filter_map(|(act, number)| bookings.append(*number, act)).collect();
                    let batch: Vec<&Append> = members.iter().map(|(append, _)| append).collect();
                    let before = log.tables.lock().unwrap().spans.clone();
                    let accepted = accepted(&commit(&log, &batch).await);
                    for ((_, changes), accepted) in members.into_iter().zip(accepted) {
                        if accepted {
                            bookings.held.extend(changes);
                        }
                    }
                    let (mut spans, mut claims) = {
                        let tables = log.tables.lock().unwrap();
                        (tables.spans.clone(), tables.claims.clone())
                    };
                    none_begins_over_another(&before, &spans)?;
                    no_limit_is_exceeded(&claims)?;
                    let mut held: Vec<Span> =
                        bookings.held.values().filter_map(|booking| booking.span).collect();
                    let mut limits: Vec<Claim> = held.iter().copied().map(open).collect();
                    held.sort_unstable();
                    limits.sort_unstable();
                    spans.sort_unstable();
                    claims.sort_unstable();
                    prop_assert_eq!(held, spans, "the spans stored are those the bookings hold");
                    prop_assert_eq!(limits, claims, "the claims stored are those of open bookings");
                }
                Ok(())
            })?;
        }
    }
}
