//! When is a place open: a weekly template in local time, and the instants it means on one date?

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::interval::Interval;
use crate::local::first_instant_from;
use crate::zone::Zone;

/// The most stretches one weekday may have; more is a mistake of the caller, and expansion stays bounded.
pub const STRETCHES_PER_DAY_MAX: usize = 24;

const MINUTES_PER_DAY: u16 = 24 * 60;

/// One stretch of a day in wall-clock time, to the minute; opens at the first and closes at (excludes) the second.
///
/// Text and stored form `09:00-12:30`; `24:00` is the end of the day. Hours over midnight are two stretches, on two days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalHours {
    opens_minute: u16,
    closes_minute: u16,
}

/// Why a text or a template is no opening hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HoursFault {
    /// The text has not the form `HH:MM-HH:MM`, or names a time outside 00:00 to 24:00.
    #[error("hours are written HH:MM-HH:MM, from 00:00 to 24:00")]
    Malformed,
    /// It closes at or before it opens.
    #[error("hours close after they open")]
    ClosesNotAfterOpening,
    /// Two stretches of one weekday share time.
    #[error("hours of one weekday overlap")]
    Overlapping,
    /// One weekday has more than [`STRETCHES_PER_DAY_MAX`] stretches.
    #[error("too many hours on one weekday")]
    TooMany,
}

impl LocalHours {
    /// Hours by minutes since local midnight, 0 to 1,440.
    ///
    /// # Errors
    /// [`HoursFault::Malformed`] beyond the day's end, [`HoursFault::ClosesNotAfterOpening`] when empty or reversed.
    pub const fn try_new(opens_minute: u16, closes_minute: u16) -> Result<Self, HoursFault> {
        if opens_minute > MINUTES_PER_DAY || closes_minute > MINUTES_PER_DAY {
            return Err(HoursFault::Malformed);
        }
        if closes_minute <= opens_minute {
            return Err(HoursFault::ClosesNotAfterOpening);
        }
        Ok(Self {
            opens_minute,
            closes_minute,
        })
    }

    /// Minutes from local midnight to the opening, on the wall clock.
    pub const fn opens_minute(self) -> u16 {
        self.opens_minute
    }

    /// Minutes from local midnight to the closing, on the wall clock; at most 1,440.
    pub const fn closes_minute(self) -> u16 {
        self.closes_minute
    }
}

impl fmt::Display for LocalHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (opens, closes) = (self.opens_minute, self.closes_minute);
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            opens / 60,
            opens % 60,
            closes / 60,
            closes % 60
        )
    }
}

impl FromStr for LocalHours {
    type Err = HoursFault;

    fn from_str(text: &str) -> Result<Self, HoursFault> {
        let (opens, closes) = text.split_once('-').ok_or(HoursFault::Malformed)?;
        Self::try_new(minute_of_day(opens)?, minute_of_day(closes)?)
    }
}

impl TryFrom<String> for LocalHours {
    type Error = HoursFault;

    fn try_from(text: String) -> Result<Self, HoursFault> {
        text.parse()
    }
}

impl From<LocalHours> for String {
    fn from(hours: LocalHours) -> Self {
        hours.to_string()
    }
}

/// Opening hours that recur every week: local wall-clock time per weekday, without a zone and without an offset.
///
/// Per weekday ordered and disjoint; stretches that touch are joined, so that a visit may lie over the seam.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Week", into = "Week")]
pub struct WeeklyHours {
    /// By days since Monday.
    days: [Vec<LocalHours>; 7],
}

impl WeeklyHours {
    /// A template from pairs of weekday and stretch, in any order; a weekday not named is closed.
    ///
    /// # Errors
    /// [`HoursFault::Overlapping`] and [`HoursFault::TooMany`], by weekday.
    pub fn try_new(stretches: impl IntoIterator<Item = (Weekday, LocalHours)>) -> Result<Self, HoursFault> {
        let mut days: [Vec<LocalHours>; 7] = Default::default();
        for (weekday, hours) in stretches {
            let Some(day) = days
                .iter_mut()
                .zip(WEEK)
                .find_map(|(day, name)| (name == weekday).then_some(day))
            else {
                continue;
            };
            if day.len() == STRETCHES_PER_DAY_MAX {
                return Err(HoursFault::TooMany);
            }
            day.push(hours);
        }
        for day in &mut days {
            *day = joined(std::mem::take(day))?;
        }
        Ok(Self { days })
    }

    /// The stretches of one weekday, in order.
    pub fn on_weekday(&self, weekday: Weekday) -> &[LocalHours] {
        self.days
            .iter()
            .zip(WEEK)
            .find(|(_, name)| *name == weekday)
            .map_or(&[], |(day, _)| day)
    }

    /// The instants the template means on one local date: disjoint, in order, inside [`crate::local::day_bounds`].
    ///
    /// What clocks jump over is cut away; a stretch wholly inside a jump is gone. An end that occurs twice means its first
    /// occurrence, so hours up to a repeated time close the first time, and hours over a change last as long as they last.
    pub fn on(&self, zone: Zone, date: NaiveDate) -> Vec<Interval> {
        self.on_weekday(date.weekday())
            .iter()
            .filter_map(|hours| {
                let opens = instant_of(zone, date, hours.opens_minute)?;
                let closes = instant_of(zone, date, hours.closes_minute)?;
                Interval::try_new(opens, closes).ok()
            })
            .collect()
    }
}

const WEEK: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];

/// The stored form: one member per weekday, closed days left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Week {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    mon: Vec<LocalHours>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tue: Vec<LocalHours>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    wed: Vec<LocalHours>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    thu: Vec<LocalHours>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fri: Vec<LocalHours>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sat: Vec<LocalHours>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sun: Vec<LocalHours>,
}

impl TryFrom<Week> for WeeklyHours {
    type Error = HoursFault;

    fn try_from(week: Week) -> Result<Self, HoursFault> {
        let days = [
            week.mon, week.tue, week.wed, week.thu, week.fri, week.sat, week.sun,
        ];
        Self::try_new(
            days.into_iter()
                .zip(WEEK)
                .flat_map(|(day, name)| day.into_iter().map(move |hours| (name, hours))),
        )
    }
}

impl From<WeeklyHours> for Week {
    fn from(hours: WeeklyHours) -> Self {
        let [mon, tue, wed, thu, fri, sat, sun] = hours.days;
        Self {
            mon,
            tue,
            wed,
            thu,
            fri,
            sat,
            sun,
        }
    }
}

/// `HH:MM` as minutes since midnight; the upper limit is [`LocalHours::try_new`]'s.
fn minute_of_day(text: &str) -> Result<u16, HoursFault> {
    let (hour, minute) = text.split_once(':').ok_or(HoursFault::Malformed)?;
    let two_digits = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .then(|| part.parse::<u16>().ok())
            .flatten()
            .ok_or(HoursFault::Malformed)
    };
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    if minute > 59 {
        Err(HoursFault::Malformed)
    } else {
        Ok(hour * 60 + minute)
    }
}

/// The stretches in order, touching ones joined.
fn joined(mut day: Vec<LocalHours>) -> Result<Vec<LocalHours>, HoursFault> {
    day.sort_unstable();
    let mut result: Vec<LocalHours> = Vec::with_capacity(day.len());
    for next in day {
        match result.last_mut() {
            Some(last) if next.opens_minute < last.closes_minute => return Err(HoursFault::Overlapping),
            Some(last) if next.opens_minute == last.closes_minute => last.closes_minute = next.closes_minute,
            Some(_) | None => result.push(next),
        }
    }
    Ok(result)
}

/// The instant of a minute of a local date, or of the jump over it; `None` at the end of chrono's range.
fn instant_of(zone: Zone, date: NaiveDate, minute: u16) -> Option<DateTime<Utc>> {
    let wall = date
        .and_time(NaiveTime::MIN)
        .checked_add_signed(TimeDelta::minutes(i64::from(minute)))?;
    first_instant_from(zone, wall)
}

#[cfg(test)]
mod tests;
