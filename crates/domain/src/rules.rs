//! Which numbers does the practice's policy turn on?

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// The numbers of the practice's policy. The defaults are a practice's ordinary ones; every number is a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// How long before its start a patient may arrive or check in, minutes.
    pub early_arrival_minutes_max: u32,
    /// How long after its start a booking may be marked as not attended, minutes.
    pub no_show_after_minutes: u32,
    /// How long ahead of its start a patient may still cancel or move a booking, hours.
    pub patient_cancel_hours_min: u32,
    /// How long ahead of its start a patient may still book for themselves, minutes.
    pub self_booking_notice_minutes_min: u32,
    /// How far ahead anything is booked, days.
    pub horizon_days_max: u32,
    /// The longest visit that is booked, minutes.
    pub visit_minutes_max: u32,
    /// The longest visit that a patient books for themselves, minutes; never longer than any visit. What kinds of visit
    /// there are and how long each takes will be said by services; until then this keeps a patient from taking a day.
    pub self_booking_visit_minutes_max: u32,
    /// How many bookings of one patient may be open (held or booked, and not over) at once.
    pub open_bookings_max: u32,
    /// How many take part in a conversation at most.
    pub thread_participants_max: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            early_arrival_minutes_max: 60,
            no_show_after_minutes: 15,
            patient_cancel_hours_min: 24,
            self_booking_notice_minutes_min: 120,
            horizon_days_max: 180,
            visit_minutes_max: 24 * 60,
            self_booking_visit_minutes_max: 60,
            open_bookings_max: 10,
            thread_participants_max: 50,
        }
    }
}

impl Rules {
    /// See [`Rules::early_arrival_minutes_max`].
    pub fn early_arrival(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.early_arrival_minutes_max))
    }

    /// See [`Rules::no_show_after_minutes`].
    pub fn no_show_after(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.no_show_after_minutes))
    }

    /// See [`Rules::patient_cancel_hours_min`].
    pub fn patient_cancel_ahead(&self) -> TimeDelta {
        TimeDelta::hours(i64::from(self.patient_cancel_hours_min))
    }

    /// See [`Rules::self_booking_notice_minutes_min`].
    pub fn self_booking_notice(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.self_booking_notice_minutes_min))
    }

    /// See [`Rules::horizon_days_max`].
    pub fn horizon(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.horizon_days_max))
    }

    /// See [`Rules::visit_minutes_max`].
    pub fn visit_max(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.visit_minutes_max))
    }

    /// See [`Rules::self_booking_visit_minutes_max`].
    pub fn self_booking_visit_max(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.self_booking_visit_minutes_max))
    }
}
