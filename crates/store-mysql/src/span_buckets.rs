//! In which buckets can a span lie that overlaps a given time?
//!
//! MySQL seeks an index for rows joined from a list only by equality; for a range whose bounds come from the list it
//! reads the whole calendar (measured: 20,000 rows for one span). So each span is stored in the bucket of its start,
//! and a search names the few buckets a span overlapping it can start in. Spans longer than a bucket are rare and
//! share one of their own.

use praxis_event_store::append::{Layer, Span};
use praxis_event_store::port::StoreError;

use crate::errors::refused;

/// Six hours: longer than nearly every appointment, short enough to hold few. Stored rows depend on it.
const BUCKET_MICROS: i64 = 6 * 3_600 * 1_000_000;

/// The bucket of spans longer than that.
pub(crate) const LONG: i32 = i32::MIN;

/// Past this many buckets a search reads the calendar instead.
const SEARCHED_MAX: i64 = 64;

/// The bucket that a span is stored in.
pub(crate) fn bucket_of(span: &Span) -> Result<i32, StoreError> {
    let length = span.ends.checked_sub(span.starts).filter(|length| *length > 0);
    match length {
        None => Err(refused("a span does not end after it starts")),
        Some(length) if length > BUCKET_MICROS => Ok(LONG),
        Some(_) => bucket_at(span.starts),
    }
}

/// The buckets in which spans that overlap this one are stored; `None` if they are too many to name.
pub(crate) fn buckets_searched(span: &Span) -> Result<Option<Vec<i32>>, StoreError> {
    bucket_of(span)?;
    // A short span that overlaps starts less than a bucket before this one, and before it ends.
    let first = bucket_at((span.starts + 1).saturating_sub(BUCKET_MICROS))?;
    let last = bucket_at(span.ends - 1)?;
    if i64::from(last) - i64::from(first) >= SEARCHED_MAX {
        return Ok(None);
    }
    Ok(Some((first..=last).chain([LONG]).collect()))
}

/// The bytes of a span's lane: two normal spans of one calendar may not start at once, overbookings may.
pub(crate) fn lane_of(span: &Span) -> Result<[u8; 16], StoreError> {
    match span.layer {
        Layer::Normal => Ok([0; 16]),
        Layer::Over if span.owner.is_nil() => Err(refused("an overbooking has no owner")),
        Layer::Over => Ok(*span.owner.as_bytes()),
    }
}

/// The layer of a stored lane.
pub(crate) fn layer_of(lane: &[u8]) -> Layer {
    if lane.iter().all(|byte| *byte == 0) {
        Layer::Normal
    } else {
        Layer::Over
    }
}

fn bucket_at(instant: i64) -> Result<i32, StoreError> {
    i32::try_from(instant.div_euclid(BUCKET_MICROS))
        .ok()
        .filter(|bucket| *bucket != LONG)
        .ok_or_else(|| refused("a span lies outside of the calendar"))
}

#[cfg(test)]
mod tests {
    use praxis_event_store::append::{Calendar, CalendarKind};
    use uuid::Uuid;

    use super::*;

    fn span(starts: i64, ends: i64) -> Span {
        let calendar = Calendar {
            kind: CalendarKind::Room,
            id: Uuid::nil(),
        };
        Span {
            calendar,
            layer: Layer::Normal,
            starts,
            ends,
            owner: Uuid::max(),
        }
    }

    #[test]
    fn a_search_names_the_bucket_of_every_span_that_overlaps() {
        let edges = [-1, 0, 1];
        let instants: Vec<i64> = (-3..=3)
            .flat_map(|n| edges.map(|edge| n * BUCKET_MICROS / 2 + edge))
            .collect();
        let spans: Vec<Span> = instants
            .iter()
            .flat_map(|starts| instants.iter().map(|ends| span(*starts, *ends)))
            .filter(|span| span.starts < span.ends)
            .collect();
        for searched in &spans {
            let buckets = buckets_searched(searched).unwrap().unwrap();
            for stored in spans.iter().filter(|stored| stored.overlaps(searched)) {
                assert!(
                    buckets.contains(&bucket_of(stored).unwrap()),
                    "{stored:?} for {searched:?}"
                );
            }
        }
    }

    #[test]
    fn half_an_hour_is_searched_in_at_most_three_buckets_and_the_long_one() {
        for starts in (0..BUCKET_MICROS * 2).step_by(900_000_000) {
            let buckets = buckets_searched(&span(starts, starts + 1_800_000_000))
                .unwrap()
                .unwrap();
            assert!(buckets.len() <= 4, "{buckets:?}");
        }
    }

    #[test]
    fn a_bucket_holds_spans_as_long_as_itself_and_no_longer() {
        assert_eq!(bucket_of(&span(0, BUCKET_MICROS)).unwrap(), 0);
        assert_eq!(bucket_of(&span(-1, 0)).unwrap(), -1);
        assert_eq!(bucket_of(&span(0, BUCKET_MICROS + 1)).unwrap(), LONG);
    }

    #[test]
    fn a_search_of_weeks_names_no_buckets() {
        assert!(buckets_searched(&span(0, 10 * BUCKET_MICROS)).unwrap().is_some());
        assert_eq!(buckets_searched(&span(0, 100 * BUCKET_MICROS)).unwrap(), None);
    }

    #[test]
    fn spans_that_are_empty_or_longer_than_all_time_are_refused() {
        assert!(bucket_of(&span(5, 5)).is_err());
        assert!(bucket_of(&span(6, 5)).is_err());
        assert!(bucket_of(&span(i64::MIN, i64::MAX)).is_err());
        assert!(buckets_searched(&span(i64::MIN, i64::MAX)).is_err());
    }

    #[test]
    fn only_overbookings_have_a_lane_of_their_own() {
        let normal = span(0, 1);
        let over = Span {
            layer: Layer::Over,
            ..normal
        };
        assert_eq!(layer_of(&lane_of(&normal).unwrap()), Layer::Normal);
        assert_eq!(layer_of(&lane_of(&over).unwrap()), Layer::Over);
        assert!(
            lane_of(&Span {
                owner: Uuid::nil(),
                ..over
            })
            .is_err()
        );
    }
}
