//! Whose time is taken: is every overlapping span found, and no other?

use praxis_event_store::append::{Calendar, CalendarKind, Layer, Span};
use praxis_event_store::port::{Lookup, Rows};

use super::sample::{HOUR, RECORDED_AT, commit, id, over_span, span};
use super::{LogUnderTest, Outcome};

/// The stored spans that overlap those asked for, in order, as reader and transaction say alike.
async fn overlapping(log: &LogUnderTest, asked: &[Span]) -> Outcome<Vec<Span>> {
    let lookup = Lookup {
        spans: asked.to_vec(),
        ..Lookup::default()
    };
    let mut found = log.writer.begin().await?.look_up(&lookup).await?.spans;
    let mut read = log.reader.look_up(&lookup).await?.spans;
    found.sort_unstable();
    read.sort_unstable();
    assert_eq!(found, read);
    Ok(found)
}

async fn take(log: &LogUnderTest, spans: &[Span]) -> Outcome {
    commit(log, |rows| Rows {
        spans_taken: spans.to_vec(),
        ..rows
    })
    .await?;
    Ok(())
}

/// Half-open: where one ends the next may start.
pub async fn touching_spans_do_not_overlap(log: LogUnderTest) -> Outcome {
    take(&log, &[span(2, 4, 1), over_span(2, 4, 2)]).await?;
    assert_eq!(overlapping(&log, &[span(0, 2, 9)]).await?, []);
    assert_eq!(overlapping(&log, &[span(4, 6, 9)]).await?, []);
    Ok(())
}

/// One microsecond in common is an overlap, on either side.
pub async fn one_microsecond_is_an_overlap(log: LogUnderTest) -> Outcome {
    let taken = [span(2, 4, 1), over_span(2, 4, 2)];
    take(&log, &taken).await?;
    let before = Span {
        ends: span(0, 2, 9).ends + 1,
        ..span(0, 2, 9)
    };
    let after = Span {
        starts: span(4, 6, 9).starts - 1,
        ..span(4, 6, 9)
    };
    assert_eq!(overlapping(&log, &[before]).await?, taken);
    assert_eq!(overlapping(&log, &[after]).await?, taken);
    Ok(())
}

/// The same time, a part of it, and more than it.
pub async fn equal_contained_and_containing_spans_overlap(log: LogUnderTest) -> Outcome {
    let taken = [span(10, 14, 1), over_span(10, 14, 2)];
    take(&log, &taken).await?;
    for (starts, ends) in [
        (10, 14),
        (11, 13),
        (10, 12),
        (12, 14),
        (9, 15),
        (9, 14),
        (10, 15),
        (9, 11),
        (13, 15),
    ] {
        assert_eq!(
            overlapping(&log, &[span(starts, ends, 9)]).await?,
            taken,
            "{starts} to {ends}"
        );
    }
    Ok(())
}

/// A span that began long ago and is not over, behind none and behind many that began later.
pub async fn a_predecessor_far_back_is_found(log: LogUnderTest) -> Outcome {
    let year = span(-8_760, 1, 1);
    take(&log, &[year]).await?;
    assert_eq!(overlapping(&log, &[span(0, 2, 9)]).await?, [year]);
    let endless = over_span(-8_760, 1, 2);
    let short: Vec<Span> = (-200..0).map(|hour| over_span(hour, hour + 1, 3)).collect();
    take(&log, &[&[endless], &short[..]].concat()).await?;
    assert_eq!(overlapping(&log, &[span(0, 2, 9)]).await?, [year, endless]);
    Ok(())
}

/// A predecessor that is over, and successors that begin later, are not found.
pub async fn what_lies_before_and_after_is_not_found(log: LogUnderTest) -> Outcome {
    let taken = [
        span(0, 1, 1),
        span(1, 2, 1),
        span(5, 6, 1),
        over_span(0, 2, 2),
        over_span(5, 6, 2),
    ];
    take(&log, &taken).await?;
    assert_eq!(overlapping(&log, &[span(2, 5, 9)]).await?, []);
    assert_eq!(overlapping(&log, &[span(3, 4, 9)]).await?, []);
    Ok(())
}

/// A calendar is a kind and an id.
pub async fn calendars_are_kept_apart(log: LogUnderTest) -> Outcome {
    let of = |kind, n, span: Span| Span {
        calendar: Calendar { kind, id: id(n) },
        ..span
    };
    let mut taken = Vec::new();
    for kind in [
        CalendarKind::Practitioner,
        CalendarKind::Patient,
        CalendarKind::Room,
    ] {
        for n in [1, 2] {
            taken.push(of(kind, n, span(0, 4, 1)));
            taken.push(of(kind, n, over_span(0, 4, 2)));
        }
    }
    take(&log, &taken).await?;
    let asked = of(CalendarKind::Patient, 2, span(1, 2, 9));
    let expected = [
        of(CalendarKind::Patient, 2, span(0, 4, 1)),
        of(CalendarKind::Patient, 2, over_span(0, 4, 2)),
    ];
    assert_eq!(overlapping(&log, &[asked]).await?, expected);
    assert_eq!(
        overlapping(&log, &[of(CalendarKind::Room, 3, span(1, 2, 9))]).await?,
        []
    );
    Ok(())
}

/// A span that several questions meet is answered once.
pub async fn no_span_is_answered_twice(log: LogUnderTest) -> Outcome {
    let taken = [span(0, 10, 1), over_span(0, 10, 2)];
    take(&log, &taken).await?;
    let asked: Vec<Span> = (0..10).map(|hour| span(hour, hour + 1, 9)).collect();
    assert_eq!(overlapping(&log, &asked).await?, taken);
    Ok(())
}

/// The layer and owner of the question do not matter.
pub async fn layer_and_owner_of_the_question_are_ignored(log: LogUnderTest) -> Outcome {
    let taken = [span(0, 2, 1), over_span(1, 3, 2)];
    take(&log, &taken).await?;
    assert_eq!(overlapping(&log, &[span(0, 3, 1)]).await?, taken);
    assert_eq!(overlapping(&log, &[over_span(0, 3, 2)]).await?, taken);
    Ok(())
}

/// Time given back is free, on either layer, and nothing else is.
pub async fn released_time_is_free(log: LogUnderTest) -> Outcome {
    take(
        &log,
        &[
            span(0, 1, 1),
            span(1, 2, 2),
            over_span(0, 1, 3),
            over_span(0, 1, 4),
        ],
    )
    .await?;
    commit(&log, |rows| Rows {
        spans_released: vec![span(0, 1, 1), over_span(0, 1, 3)],
        ..rows
    })
    .await?;
    assert_eq!(
        overlapping(&log, &[span(0, 2, 9)]).await?,
        [span(1, 2, 2), over_span(0, 1, 4)]
    );
    Ok(())
}

/// A release names layer and owner, so that another's time stays taken.
pub async fn time_is_released_by_its_owner_only(log: LogUnderTest) -> Outcome {
    let taken = [span(0, 1, 1), over_span(0, 1, 2)];
    take(&log, &taken).await?;
    commit(&log, |rows| Rows {
        spans_released: vec![span(0, 1, 2), over_span(0, 1, 1)],
        ..rows
    })
    .await?;
    assert_eq!(overlapping(&log, &[span(0, 1, 9)]).await?, taken);
    Ok(())
}

/// Within one batch releases come before what is taken, even where both start at once.
pub async fn time_changes_hands_within_a_batch(log: LogUnderTest) -> Outcome {
    take(&log, &[span(0, 2, 1), over_span(0, 2, 2)]).await?;
    commit(&log, |rows| Rows {
        spans_released: vec![span(0, 2, 1), over_span(0, 2, 2)],
        spans_taken: vec![span(0, 1, 3), over_span(0, 3, 2)],
        ..rows
    })
    .await?;
    assert_eq!(
        overlapping(&log, &[span(0, 4, 9)]).await?,
        [span(0, 1, 3), over_span(0, 3, 2)]
    );
    Ok(())
}

/// Dates of birth of old people, and a time far ahead.
pub async fn times_before_1970_and_far_ahead_are_kept(log: LogUnderTest) -> Outcome {
    let year_1900 = -2_208_988_800_000_000;
    let year_9999 = 253_402_300_799_000_000;
    let taken = [
        Span {
            starts: year_1900,
            ends: year_1900 + 1,
            ..span(0, 1, 1)
        },
        Span {
            starts: year_9999,
            ends: year_9999 + HOUR,
            ..span(0, 1, 1)
        },
    ];
    take(&log, &taken).await?;
    assert_eq!(
        overlapping(
            &log,
            &[Span {
                starts: year_1900 - HOUR,
                ends: 0,
                ..taken[0]
            }]
        )
        .await?,
        taken[..1]
    );
    assert_eq!(
        overlapping(
            &log,
            &[Span {
                starts: 0,
                ends: year_9999 + 1,
                ..taken[0]
            }]
        )
        .await?,
        taken[1..]
    );
    Ok(())
}

/// A thousand spans of three calendars, against a comparison of every pair.
pub async fn a_crowded_calendar_answers_as_comparing_every_pair_does(log: LogUnderTest) -> Outcome {
    // A fixed sequence: multiplier and increment of Knuth's MMIX.
    let mut state = 20_260_101_u64;
    let mut below = move |bound: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((state >> 33) % bound).unwrap_or_default()
    };
    let calendar = |n: u128| Calendar {
        kind: CalendarKind::Room,
        id: id(n),
    };
    let mut stored = Vec::new();
    for n in 1..=3 {
        let mut at = RECORDED_AT;
        for owner in 0..250 {
            let starts = at + below(4) * 600_000_000;
            let ends = starts + (1 + below(12)) * 300_000_000;
            stored.push(Span {
                calendar: calendar(n),
                starts,
                ends,
                ..span(0, 1, owner)
            });
            at = ends;
            if owner % 3 == 0 {
                let (starts, length) = (starts - below(7_200) * 1_000_000, (1 + below(200)) * 120_000_000);
                stored.push(Span {
                    calendar: calendar(n),
                    starts,
                    ends: starts + length,
                    ..over_span(0, 1, owner)
                });
            }
        }
    }
    take(&log, &stored).await?;
    stored.sort_unstable();
    for _ in 0..40 {
        let asked: Vec<Span> = (1..=2)
            .map(|n| {
                let starts = RECORDED_AT + (below(700_000) - 10_000) * 1_000_000;
                let ends = starts + (1 + below(40)) * 300_000_000;
                Span {
                    calendar: calendar(n),
                    layer: Layer::Normal,
                    starts,
                    ends,
                    owner: id(9),
                }
            })
            .collect();
        let expected: Vec<Span> = stored
            .iter()
            .filter(|span| asked.iter().any(|asked| asked.overlaps(span)))
            .copied()
            .collect();
        assert_eq!(overlapping(&log, &asked).await?, expected);
    }
    Ok(())
}
