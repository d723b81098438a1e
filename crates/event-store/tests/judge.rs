//! Which members of a batch may happen: what one append takes counts like what stands in the log.

mod support;

#[cfg(test)]
mod judging {
    use praxis_event_store::append::{Append, Claim, Conflict, Layer, Span, StreamWrite};
    use praxis_event_store::judge::{Scrutiny, Verdict, judge, lookup_for};
    use praxis_event_store::port::{Facts, Head};

    use crate::support::{LOG, MemoryLog, accepted, append, claim, commit, span, stream};

    /// One append that writes streams `1..=owners`, as a series does.
    fn series(key: u8, owners: u128) -> Append {
        let mut series = append(key, stream(1), 0);
        for owner in 2..=owners {
            let event = append(key, stream(owner), 0).writes[0].events[0].clone();
            series.writes.push(StreamWrite {
                stream: stream(owner),
                expected_version: 0,
                events: vec![event],
            });
        }
        series
    }

    fn refused(verdict: &Verdict) -> &[Conflict] {
        match verdict {
            Verdict::Refused(conflicts) => conflicts,
            Verdict::Accepted(appended) => panic!("accepted at {}", appended.position),
        }
    }

    fn claims(log: &MemoryLog) -> Vec<Claim> {
        log.tables.lock().unwrap().claims.clone()
    }

    fn spans(log: &MemoryLog) -> Vec<Span> {
        log.tables.lock().unwrap().spans.clone()
    }

    #[tokio::test]
    async fn a_series_over_itself_is_refused_and_told_where() {
        let log = MemoryLog::default();
        let mut series = series(1, 4);
        let nine = span(1, Layer::Normal, 9, 11, stream(1));
        let ten = span(1, Layer::Normal, 10, 12, stream(2));
        let twelve = span(1, Layer::Normal, 12, 14, stream(3));
        let eleven = span(1, Layer::Normal, 11, 13, stream(4));
        series.spans.taken = vec![nine, ten, twelve, eleven];
        let verdicts = commit(&log, &[&series]).await;
        let expected = [
            Conflict::Span {
                span: ten,
                taken_by: nine,
            },
            Conflict::Span {
                span: eleven,
                taken_by: ten,
            },
        ];
        assert_eq!(refused(&verdicts[0]), expected);
        assert_eq!(spans(&log), []);
    }

    #[tokio::test]
    async fn a_series_whose_visits_touch_or_have_other_calendars_is_accepted() {
        let log = MemoryLog::default();
        let mut series = series(1, 3);
        series.spans.taken = vec![
            span(1, Layer::Normal, 9, 11, stream(1)),
            span(1, Layer::Normal, 11, 12, stream(2)),
            span(2, Layer::Normal, 9, 12, stream(3)),
        ];
        assert_eq!(accepted(&commit(&log, &[&series]).await), [true]);
        assert_eq!(spans(&log).len(), 3);
    }

    #[tokio::test]
    async fn within_an_append_an_overbooking_may_begin_over_a_booking_but_not_the_other_way() {
        let normal = span(1, Layer::Normal, 9, 11, stream(1));
        let over = span(1, Layer::Over, 10, 12, stream(2));
        let mut allowed = series(1, 2);
        allowed.spans.taken = vec![normal, over];
        assert_eq!(
            accepted(&commit(&MemoryLog::default(), &[&allowed]).await),
            [true]
        );
        let mut wrong = series(1, 2);
        wrong.spans.taken = vec![over, normal];
        let conflict = Conflict::Span {
            span: normal,
            taken_by: over,
        };
        assert_eq!(
            refused(&commit(&MemoryLog::default(), &[&wrong]).await[0]),
            [conflict]
        );
    }

    #[tokio::test]
    async fn two_bookings_may_change_places_in_one_append() {
        let log = MemoryLog::default();
        let at = |starts, owner| span(1, Layer::Normal, starts, starts + 1, stream(owner));
        let mut booked = series(1, 2);
        booked.spans.taken = vec![at(9, 1), at(10, 2)];
        let mut changed = series(2, 2);
        for write in &mut changed.writes {
            write.expected_version = 1;
        }
        changed.spans.released = vec![at(9, 1), at(10, 2)];
        changed.spans.taken = vec![at(10, 1), at(9, 2)];
        assert_eq!(accepted(&commit(&log, &[&booked, &changed]).await), [true, true]);
        assert_eq!(spans(&log), [at(9, 2), at(10, 1)]);
    }

    #[tokio::test]
    async fn what_is_unique_has_one_owner_also_within_one_append() {
        let log = MemoryLog::default();
        let mut series = series(1, 2);
        series.claims.taken = vec![claim("x", 1, stream(1)), claim("x", 1, stream(2))];
        let conflict = Conflict::Claim {
            claim: claim("x", 1, stream(2)),
            owners: vec![stream(1).id],
        };
        assert_eq!(refused(&commit(&log, &[&series]).await[0]), [conflict]);
        assert_eq!(claims(&log), []);
    }

    #[tokio::test]
    async fn a_series_may_meet_a_limit_and_not_exceed_it() {
        for (held, owners, expected) in [(0, 3, true), (0, 4, false), (1, 2, true), (1, 3, false)] {
            let log = MemoryLog::default();
            let holders = (1..=held).map(|owner| claim("limit", 3, stream(100 + owner)));
            log.tables.lock().unwrap().claims.extend(holders);
            let mut series = series(1, owners);
            series
                .claims
                .taken
                .extend((1..=owners).map(|owner| claim("limit", 3, stream(owner))));
            let verdicts = commit(&log, &[&series]).await;
            assert_eq!(accepted(&verdicts), [expected], "{held} held, {owners} more");
        }
    }

    #[tokio::test]
    async fn what_a_series_releases_makes_room_for_what_it_takes() {
        let log = MemoryLog::default();
        log.tables.lock().unwrap().claims.push(claim("x", 1, stream(1)));
        let mut handed_over = series(1, 2);
        handed_over.claims.released = vec![claim("x", 1, stream(1))];
        handed_over.claims.taken = vec![claim("x", 1, stream(2))];
        assert_eq!(accepted(&commit(&log, &[&handed_over]).await), [true]);
        assert_eq!(claims(&log), [claim("x", 1, stream(2))]);
    }

    #[tokio::test]
    async fn taking_what_one_holds_adds_nothing() {
        let log = MemoryLog::default();
        let mut first = append(1, stream(1), 0);
        first.claims.taken.push(claim("x", 1, stream(1)));
        let mut again = append(2, stream(1), 1);
        again.claims.taken.push(claim("x", 1, stream(1)));
        assert_eq!(accepted(&commit(&log, &[&first]).await), [true]);
        assert_eq!(accepted(&commit(&log, &[&again]).await), [true]);
        assert_eq!(claims(&log), [claim("x", 1, stream(1))]);
    }

    #[tokio::test]
    async fn taking_what_one_took_earlier_in_the_batch_adds_nothing() {
        let log = MemoryLog::default();
        let mut first = append(1, stream(1), 0);
        first.claims.taken.push(claim("x", 2, stream(1)));
        let mut again = append(2, stream(1), 1);
        again.claims.taken.push(claim("x", 2, stream(1)));
        let mut other = append(3, stream(2), 0);
        other.claims.taken.push(claim("x", 2, stream(2)));
        let verdicts = commit(&log, &[&first, &again, &other]).await;
        assert_eq!(accepted(&verdicts), [true, true, true]);
        assert_eq!(claims(&log).len(), 2);
    }

    #[tokio::test]
    async fn a_claim_listed_twice_is_taken_once() {
        let log = MemoryLog::default();
        let mut twice = append(1, stream(1), 0);
        twice.claims.taken = vec![claim("x", 1, stream(1)), claim("x", 1, stream(1))];
        assert_eq!(accepted(&commit(&log, &[&twice]).await), [true]);
        assert_eq!(claims(&log), [claim("x", 1, stream(1))]);
    }

    #[tokio::test]
    async fn a_claim_taken_and_released_in_a_batch_is_gone_whatever_the_capacity_said() {
        let log = MemoryLog::default();
        let mut taking = append(1, stream(1), 0);
        taking.claims.taken.push(claim("x", 1, stream(1)));
        let mut releasing = append(2, stream(1), 1);
        releasing.claims.released.push(claim("x", 5, stream(1)));
        assert_eq!(
            accepted(&commit(&log, &[&taking, &releasing]).await),
            [true, true]
        );
        assert_eq!(claims(&log), []);
    }

    #[tokio::test]
    async fn a_claim_released_and_taken_in_a_batch_is_held_whatever_the_capacity_said() {
        let log = MemoryLog::default();
        log.tables.lock().unwrap().claims.push(claim("x", 1, stream(1)));
        let mut releasing = append(1, stream(1), 0);
        releasing.claims.released.push(claim("x", 1, stream(1)));
        let mut taking = append(2, stream(1), 1);
        taking.claims.taken.push(claim("x", 5, stream(1)));
        assert_eq!(
            accepted(&commit(&log, &[&releasing, &taking]).await),
            [true, true]
        );
        assert_eq!(claims(&log).len(), 1);
    }

    #[tokio::test]
    async fn releasing_what_is_not_held_does_not_swallow_what_is_taken_after_it() {
        let log = MemoryLog::default();
        let time = span(1, Layer::Normal, 9, 10, stream(1));
        let mut releasing = append(1, stream(1), 0);
        releasing.claims.released.push(claim("x", 1, stream(1)));
        releasing.spans.released.push(time);
        let mut taking = append(2, stream(1), 1);
        taking.claims.taken.push(claim("x", 1, stream(1)));
        taking.spans.taken.push(time);
        assert_eq!(
            accepted(&commit(&log, &[&releasing, &taking]).await),
            [true, true]
        );
        assert_eq!(
            (claims(&log), spans(&log)),
            (vec![claim("x", 1, stream(1))], vec![time])
        );
    }

    #[test]
    fn a_version_at_the_end_of_its_range_does_not_begin_again_at_zero() {
        let head = Head {
            log_id: LOG,
            epoch: 1,
            position: 0,
            recorded_at: 0,
            tombstone_position: 0,
        };
        let last = append(1, stream(1), u64::MAX);
        let judgement = judge(&[&last], &head, 0, Facts::default(), Scrutiny::IndexesDecide).unwrap();
        // No store has a column for it, so it ends as a fault there instead of as version 0 here.
        assert_eq!(judgement.rows.events[0].stream_version, u64::MAX);
    }

    #[test]
    fn persons_are_looked_up_only_when_one_was_erased_since_their_keys_were_read() {
        let mut sealed = append(1, stream(1), 0);
        sealed.subjects = vec![stream(9).id];
        sealed.keys_as_of = 5;
        for (tombstone_position, expected) in [(0, 0), (5, 0), (6, 1)] {
            let head = Head {
                log_id: LOG,
                epoch: 1,
                position: 9,
                recorded_at: 0,
                tombstone_position,
            };
            let lookup = lookup_for(&[&sealed], &head, Scrutiny::IndexesDecide);
            assert_eq!(lookup.subjects.len(), expected, "{tombstone_position}");
        }
    }
}
