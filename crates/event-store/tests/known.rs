//! A law: what a sequencer remembers of its last batch changes no judgement, also when another writes in between.
#![allow(
    clippy::disallowed_methods,
    reason = "the runtime of each test owns its tasks, and ends them"
)]

mod support;

#[cfg(test)]
mod remembering {
    use std::collections::HashMap;
    use std::sync::Arc;

    use praxis_event_store::append::{Append, Calendar, CalendarKind, Claim, Layer, Span, StreamRead};
    use praxis_event_store::sequencer::{AppendError, Sequencer, SequencerLimits, sequencer};
    use proptest::prelude::*;
    use uuid::Uuid;

    use crate::support::{MemoryLog, accepted, append, claim, commit, stream};

    const HOUR: i64 = 3_600 * 1_000_000;

    #[derive(Clone, Debug)]
    struct Act {
        /// Which stream takes another time and claim, instead of those it has.
        owner: u128,
        /// Which stream it depends on.
        read: u128,
        calendar: (CalendarKind, u128),
        layer: Layer,
        hours: (i64, i64),
        member: u8,
    }

    /// Times of an hour, of days, and of more days than are kept, around the day before and after 1970 began.
    fn act() -> impl Strategy<Value = Act> {
        let kind = prop_oneof![
            Just(CalendarKind::Practitioner),
            Just(CalendarKind::Patient),
            Just(CalendarKind::Room)
        ];
        let layer = prop_oneof![4 => Just(Layer::Normal), 1 => Just(Layer::Over)];
        let length = prop_oneof![6 => 1..4_i64, 2 => 20..60_i64, 1 => 70..200_i64];
        let starts = -30..40_i64;
        (
            1..6_u128,
            1..6_u128,
            (kind, 1..3_u128),
            layer,
            starts,
            length,
            0..3_u8,
        )
            .prop_map(|(owner, read, calendar, layer, starts, length, member)| Act {
                owner,
                read,
                calendar,
                layer,
                hours: (starts, starts + length),
                member,
            })
    }

    #[derive(Clone, Default)]
    struct Held {
        version: u64,
        taken: Option<(Span, Claim)>,
    }

    fn appended(act: &Act, key: u8, held: &HashMap<u128, Held>) -> Append {
        let (owner, before) = (
            stream(act.owner),
            held.get(&act.owner).cloned().unwrap_or_default(),
        );
        let mut append = append(key, owner, before.version);
        append.reads.extend((act.read != act.owner).then(|| StreamRead {
            stream: stream(act.read),
            expected_version: held.get(&act.read).map_or(0, |held| held.version),
        }));
        if let Some((span, claim)) = before.taken {
            append.spans.released.push(span);
            append.claims.released.push(claim);
        }
        let (kind, id) = act.calendar;
        append.spans.taken.push(Span {
            calendar: Calendar {
                kind,
                id: Uuid::from_u128(id),
            },
            layer: act.layer,
            starts: act.hours.0 * HOUR,
            ends: act.hours.1 * HOUR,
            owner: owner.id,
        });
        append.claims.taken.push(claim(&act.member.to_string(), 2, owner));
        append
    }

    fn start(log: &MemoryLog) -> Sequencer {
        let (handle, task) = sequencer(Arc::new(log.clone()), SequencerLimits::default());
        tokio::spawn(task.run());
        handle
    }

    /// Whether each was accepted.
    async fn sent(writer: &Sequencer, batch: Vec<Append>) -> Vec<bool> {
        let waiting: Vec<_> = batch
            .into_iter()
            .map(|append| {
                let writer = writer.clone();
                tokio::spawn(async move { writer.append(append).await })
            })
            .collect();
        let mut outcomes = Vec::new();
        for one in waiting {
            outcomes.push(match one.await.unwrap() {
                Ok(_) => true,
                Err(AppendError::Refused(_)) => false,
                Err(error) => panic!("{error}"),
            });
        }
        outcomes
    }

    /// Claims and spans, in order.
    fn kept(log: &MemoryLog) -> (Vec<Claim>, Vec<Span>) {
        let tables = log.tables.lock().unwrap();
        let (mut claims, mut spans) = (tables.claims.clone(), tables.spans.clone());
        claims.sort_unstable();
        spans.sort_unstable();
        (claims, spans)
    }

    proptest! {
        #[test]
        fn two_writers_that_remember_judge_like_one_that_looks_everything_up(
            batches in proptest::collection::vec((proptest::collection::vec(act(), 1..4), any::<bool>()), 1..30),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let (reference, log) = (MemoryLog::default(), MemoryLog::default());
                let (writers, mut held, mut key) = ([start(&log), start(&log)], HashMap::new(), 0);
                for (acts, second) in batches {
                    let batch: Vec<Append> = acts
                        .iter()
                        .map(|act| {
                            key += 1;
                            appended(act, key, &held)
                        })
                        .collect();
                    let verdicts = accepted(&commit(&reference, &batch.iter().collect::<Vec<_>>()).await);
                    let outcomes = sent(&writers[usize::from(second)], batch.clone()).await;
                    prop_assert_eq!(&outcomes, &verdicts);
                    prop_assert_eq!(kept(&log), kept(&reference));
                    for ((act, append), accepted) in acts.iter().zip(batch).zip(verdicts) {
                        if accepted {
                            let held: &mut Held = held.entry(act.owner).or_default();
                            held.version += 1;
                            held.taken = append.spans.taken.first().copied().zip(append.claims.taken.first().cloned());
                        }
                    }
                }
                Ok(())
            })?;
        }
    }
}
