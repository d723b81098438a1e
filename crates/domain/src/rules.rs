//! Which numbers does the practice's policy turn on?

use chrono::TimeDelta;

/// The numbers of the practice's policy. The defaults are a practice's ordinary ones; every number is a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub thread_participants_max: u32,
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
    /// The rules as set: `number` is asked for every one of them by its setting's name. All processes that write to one
    /// log should have the same.
    ///
    /// # Errors
    /// The first that `number` answers with.
    pub fn try_from_settings<E>(number: impl Fn(&'static str) -> Result<u32, E>) -> Result<Self, E> {
        Ok(Self {
            early_arrival_minutes_max: number("PRAXIS_EARLY_ARRIVAL_MINUTES_MAX")?,
            no_show_after_minutes: number("PRAXIS_NO_SHOW_AFTER_MINUTES")?,
            patient_cancel_hours_min: number("PRAXIS_PATIENT_CANCEL_HOURS_MIN")?,
            self_booking_notice_minutes_min: number("PRAXIS_SELF_BOOKING_NOTICE_MINUTES_MIN")?,
            horizon_days_max: number("PRAXIS_HORIZON_DAYS_MAX")?,
            visit_minutes_max: number("PRAXIS_VISIT_MINUTES_MAX")?,
            self_booking_visit_minutes_max: number("PRAXIS_SELF_BOOKING_VISIT_MINUTES_MAX")?,
            open_bookings_max: number("PRAXIS_OPEN_BOOKINGS_MAX")?,
            thread_participants_max: number("PRAXIS_THREAD_PARTICIPANTS_MAX")?,
        })
    }

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
