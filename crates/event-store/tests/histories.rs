//! A law: whatever is booked, moved, cancelled and overbooked, in whatever batches, no normal booking begins over another.

mod support;

use std::collections::HashMap;

use praxis_event_store::append::{Append, Layer, Span};
use praxis_event_store::judge::{Scrutiny, Verdict, judge, lookup_for};
use praxis_event_store::port::LogWriter;
use proptest::prelude::*;
use support::{MemoryLog, append, span, stream};

#[derive(Clone, Debug)]
enum Act {
    Book {
        calendar: u8,
        starts: i64,
        length: i64,
        layer: Layer,
    },
    Move {
        which: usize,
        starts: i64,
        length: i64,
    },
    Cancel {
        which: usize,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let layer = prop_oneof![4 => Just(Layer::Normal), 1 => Just(Layer::Over)];
    prop_oneof![
        4 => (0..2_u8, 0..30_i64, 1..8_i64, layer)
            .prop_map(|(calendar, starts, length, layer)| Act::Book { calendar, starts, length, layer }),
        2 => (any::<usize>(), 0..30_i64, 1..8_i64).prop_map(|(which, starts, length)| Act::Move { which, starts, length }),
        1 => any::<usize>().prop_map(|which| Act::Cancel { which }),
    ]
}

/// What a booking holds, as its own stream knows it.
#[derive(Default)]
struct Bookings {
    held: HashMap<u128, (u64, Option<Span>)>,
}

impl Bookings {
    fn append(&self, number: u8, act: &Act) -> Option<(u128, Append, Option<Span>)> {
        let pick = |which: usize| {
            let mut holding: Vec<u128> = self
                .held
                .iter()
                .filter(|(_, (_, span))| span.is_some())
                .map(|(id, _)| *id)
                .collect();
            holding.sort_unstable();
            (!holding.is_empty()).then(|| holding[which % holding.len()])
        };
        let (id, new) = match act {
            Act::Book {
                calendar,
                starts,
                length,
                layer,
            } => {
                let id = u128::from(number) + 1_000;
                (
                    id,
                    Some(span(
                        u128::from(*calendar),
                        *layer,
                        *starts,
                        starts + length,
                        stream(id),
                    )),
                )
            }
            Act::Move {
                which,
                starts,
                length,
            } => {
                let id = pick(*which)?;
                let old = self.held[&id].1?;
                (
                    id,
                    Some(Span {
                        starts: *starts,
                        ends: starts + length,
                        ..old
                    }),
                )
            }
            Act::Cancel { which } => (pick(*which)?, None),
        };
        let (version, old) = self.held.get(&id).copied().unwrap_or((0, None));
        let mut append = append(number, stream(id), version);
        if old != new {
            append.spans.released.extend(old);
            append.spans.taken.extend(new);
        }
        Some((id, append, new))
    }
}

/// Writes a batch as the sequencer does; answers which members were accepted.
async fn commit(log: &MemoryLog, batch: &[&Append]) -> Vec<bool> {
    let mut transaction = log.begin().await.unwrap();
    let head = transaction.head().clone();
    let lookup = lookup_for(batch, &head, Scrutiny::LookUpAll);
    let facts = transaction.look_up(&lookup).await.unwrap();
    let judgement = judge(batch, &head, 0, facts, Scrutiny::LookUpAll).unwrap();
    transaction.write(&judgement.rows).await.unwrap();
    transaction.commit().await.unwrap();
    judgement
        .verdicts
        .iter()
        .map(|verdict| matches!(verdict, Verdict::Accepted(_)))
        .collect()
}

proptest! {
    #[test]
    fn no_normal_booking_begins_over_another(
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
                let members: Vec<_> = acts.iter().filter_map(|(act, number)| bookings.append(*number, act)).collect();
                let batch: Vec<&Append> = members.iter().map(|(_, append, _)| append).collect();
                let before = log.tables.lock().unwrap().spans.clone();
                let accepted = commit(&log, &batch).await;
                for ((id, append, new), accepted) in members.iter().zip(accepted) {
                    if accepted {
                        bookings.held.insert(*id, (append.writes[0].expected_version + 1, *new));
                    }
                }
                let spans = log.tables.lock().unwrap().spans.clone();
                for (index, one) in spans.iter().enumerate() {
                    for other in &spans[index + 1..] {
                        let normal = one.layer == Layer::Normal && other.layer == Layer::Normal;
                        prop_assert!(!(normal && one.overlaps(other)), "{one:?} over {other:?}");
                    }
                    let new = one.layer == Layer::Normal && !before.contains(one);
                    let stayed = before.iter().filter(|old| old.layer == Layer::Over && spans.contains(old));
                    for over in stayed {
                        prop_assert!(!(new && one.overlaps(over)), "{one:?} began over {over:?}");
                    }
                }
                let mut held: Vec<Span> = bookings.held.values().filter_map(|(_, span)| *span).collect();
                let mut stored = spans;
                held.sort_unstable();
                stored.sort_unstable();
                prop_assert_eq!(held, stored, "the spans stored are those the bookings hold");
            }
            Ok(())
        })?;
    }
}
