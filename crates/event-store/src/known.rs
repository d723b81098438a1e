//! What does a writer still know from its last batch, so that it need not ask again?
//!
//! Versions, claims and spans change only in transactions that move the head, and whoever writes holds the head. So under
//! the lock, if the head stands exactly where this writer's own last batch left it, nobody has written since, and what it
//! read or wrote then is what is stored now. If the head stands anywhere else, everything is forgotten.
//!
//! Only acceptance may rest on this: a batch with a refusal, or one that an index refused, is judged again by explicit
//! look-ups of everything.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::append::{Calendar, CalendarKind, Layer, Span};
use crate::port::{Facts, Head, Lookup, Rows};

/// Versions, claims and days each kept at most, but for what one batch adds.
const ENTRIES_MAX: usize = 50_000;

/// In this unit the calendars of practitioners and rooms are read and kept: many bookings fall on one day of theirs. A
/// patient seldom comes twice on a day, so only the very time is asked for, and is not kept.
const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// A span of more days is asked for as it is.
const SPAN_DAYS_MAX: i64 = 3;

type Day = (Calendar, i64);
type Member = (Vec<u8>, Vec<u8>);

/// What is known of the log as long as its head stands where it stood.
#[derive(Debug, Default)]
pub(crate) struct Known {
    head: Option<Head>,
    versions: HashMap<Uuid, u64>,
    claims: HashMap<Member, Vec<Uuid>>,
    /// Every span, of either layer, that overlaps the day.
    days: HashMap<Day, HashSet<Span>>,
}

impl Known {
    /// What of it still holds under the lock of that head.
    pub(crate) fn if_still_at(self, head: &Head) -> Self {
        let full = self.versions.len().max(self.claims.len()).max(self.days.len()) > ENTRIES_MAX;
        if self.head.as_ref() == Some(head) && !full {
            return self;
        }
        Self {
            head: Some(head.clone()),
            ..Self::default()
        }
    }

    /// What must be asked to answer that; spans by the day where days are kept.
    pub(crate) fn missing(&self, wanted: &Lookup) -> Lookup {
        let mut spans = HashSet::new();
        for span in &wanted.spans {
            match days_of(span) {
                Some(days) => {
                    let unknown = days.filter(|day| !self.days.contains_key(day));
                    spans.extend(unknown.map(whole));
                }
                None => {
                    spans.insert(*span);
                }
            }
        }
        let (streams, claims) = (wanted.streams.iter(), wanted.claims.iter());
        let unknown = streams.filter(|stream| !self.versions.contains_key(*stream));
        Lookup {
            streams: unknown.copied().collect(),
            commands: wanted.commands.clone(),
            claims: claims
                .filter(|member| !self.claims.contains_key(*member))
                .cloned()
                .collect(),
            spans: spans.into_iter().collect(),
            subjects: wanted.subjects.clone(),
        }
    }

    /// Takes in what was asked and found.
    pub(crate) fn learn(&mut self, asked: &Lookup, found: &Facts) {
        for stream in &asked.streams {
            let version = found.versions.get(stream).copied().unwrap_or(0);
            self.versions.insert(*stream, version);
        }
        for member in &asked.claims {
            let owners = found.claims.get(member).cloned().unwrap_or_default();
            self.claims.insert(member.clone(), owners);
        }
        for day in asked.spans.iter().filter_map(days_of).flatten() {
            self.days.insert(day, HashSet::new());
        }
        for span in &found.spans {
            self.change_days(span, |spans| {
                spans.insert(*span);
            });
        }
    }

    /// Everything that was wanted, from what was found and what is known.
    pub(crate) fn answer(&self, wanted: &Lookup, found: Facts) -> Facts {
        let mut spans: HashSet<Span> = found.spans.into_iter().collect();
        for span in &wanted.spans {
            let days = days_of(span).into_iter().flatten();
            let known = days.filter_map(|day| self.days.get(&day)).flatten();
            spans.extend(known.filter(|other| other.overlaps(span)));
        }
        let version_of = |stream: &Uuid| Some((*stream, *self.versions.get(stream)?));
        let owners_of = |member: &Member| Some((member.clone(), self.claims.get(member)?.clone()));
        Facts {
            versions: wanted.streams.iter().filter_map(version_of).collect(),
            commands: found.commands,
            claims: wanted.claims.iter().filter_map(owners_of).collect(),
            spans: spans.into_iter().collect(),
            erased: found.erased,
        }
    }

    /// Follows a batch of this writer that was committed.
    pub(crate) fn follow(&mut self, rows: &Rows) {
        if let Some(head) = &mut self.head {
            head.position = rows.head_position;
            head.recorded_at = rows.head_recorded_at;
        }
        for event in &rows.events {
            self.versions.insert(event.stream_id, event.stream_version);
        }
        for claim in &rows.claims_released {
            if let Some(owners) = self
                .claims
                .get_mut(&(claim.resource.clone(), claim.member.clone()))
            {
                owners.retain(|owner| *owner != claim.owner);
            }
        }
        for claim in &rows.claims_taken {
            if let Some(owners) = self
                .claims
                .get_mut(&(claim.resource.clone(), claim.member.clone()))
            {
                owners.push(claim.owner);
            }
        }
        for span in &rows.spans_released {
            self.change_days(span, |spans| {
                spans.remove(span);
            });
        }
        for span in &rows.spans_taken {
            self.change_days(span, |spans| {
                spans.insert(*span);
            });
        }
    }

    /// Changes every day that is known and that the span overlaps.
    fn change_days(&mut self, span: &Span, change: impl Fn(&mut HashSet<Span>)) {
        if !keeps_days(span.calendar.kind) {
            return;
        }
        if let Some(days) = days_of(span) {
            for day in days {
                self.days.get_mut(&day).into_iter().for_each(&change);
            }
        } else {
            let days = self.days.iter_mut();
            let touched = days.filter(|(day, _)| whole(**day).overlaps(span));
            touched.for_each(|(_, spans)| change(spans));
        }
    }
}

const fn keeps_days(kind: CalendarKind) -> bool {
    match kind {
        CalendarKind::Practitioner | CalendarKind::Room => true,
        CalendarKind::Patient => false,
    }
}

/// The days a span overlaps; `None` where days are not kept, and for a span of more than a few.
fn days_of(span: &Span) -> Option<impl Iterator<Item = Day> + use<>> {
    let calendar = span.calendar;
    let first = span.starts.div_euclid(DAY_MICROS);
    let last = span.ends.saturating_sub(1).div_euclid(DAY_MICROS);
    let few = keeps_days(calendar.kind) && last - first < SPAN_DAYS_MAX;
    few.then(|| (first..=last).map(move |day| (calendar, day)))
}

/// That day as a span.
const fn whole((calendar, day): Day) -> Span {
    let starts = day.saturating_mul(DAY_MICROS);
    Span {
        calendar,
        layer: Layer::Normal,
        starts,
        ends: starts.saturating_add(DAY_MICROS),
        owner: Uuid::nil(),
    }
}
