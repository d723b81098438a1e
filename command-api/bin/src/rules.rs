//! Which numbers does the practice's policy turn on? Those of the settings.

use praxis_domain::rules::Rules;
use praxis_runtime::config::read::{Config, NotSet};
use praxis_runtime::config::settings;

/// The rules as set; without settings the domain's own. All processes that write to one log should have the same.
///
/// # Errors
/// Only for a program that does not read these settings: each has a default.
pub fn rules(config: &Config) -> Result<Rules, NotSet> {
    Ok(Rules {
        early_arrival_minutes_max: config.require(&settings::EARLY_ARRIVAL_MINUTES_MAX)?,
        no_show_after_minutes: config.require(&settings::NO_SHOW_AFTER_MINUTES)?,
        patient_cancel_hours_min: config.require(&settings::PATIENT_CANCEL_HOURS_MIN)?,
        self_booking_notice_minutes_min: config.require(&settings::SELF_BOOKING_NOTICE_MINUTES_MIN)?,
        self_booking_visit_minutes_max: config.require(&settings::SELF_BOOKING_VISIT_MINUTES_MAX)?,
        horizon_days_max: config.require(&settings::HORIZON_DAYS_MAX)?,
        visit_minutes_max: config.require(&settings::VISIT_MINUTES_MAX)?,
        open_bookings_max: config.require(&settings::OPEN_BOOKINGS_MAX)?,
        thread_participants_max: config.require(&settings::THREAD_PARTICIPANTS_MAX)?,
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use praxis_runtime::config::setting::Program;

    use super::{Config, Rules, rules};

    fn read(variables: &[(&str, &str)]) -> Config {
        let environment = variables
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Config::read(Program::CommandApi, environment, &[])
    }

    #[test]
    fn without_settings_they_are_the_domains_own() {
        assert_eq!(rules(&read(&[])), Ok(Rules::default()));
    }

    #[test]
    fn every_number_has_a_setting_of_its_own() {
        let config = read(&[
            ("PRAXIS_EARLY_ARRIVAL_MINUTES_MAX", "1"),
            ("PRAXIS_NO_SHOW_AFTER_MINUTES", "2"),
            ("PRAXIS_PATIENT_CANCEL_HOURS_MIN", "3"),
            ("PRAXIS_SELF_BOOKING_NOTICE_MINUTES_MIN", "4"),
            ("PRAXIS_SELF_BOOKING_VISIT_MINUTES_MAX", "5"),
            ("PRAXIS_HORIZON_DAYS_MAX", "6"),
            ("PRAXIS_VISIT_MINUTES_MAX", "7"),
            ("PRAXIS_OPEN_BOOKINGS_MAX", "8"),
            ("PRAXIS_THREAD_PARTICIPANTS_MAX", "9"),
        ]);
        let expected = Rules {
            early_arrival_minutes_max: 1,
            no_show_after_minutes: 2,
            patient_cancel_hours_min: 3,
            self_booking_notice_minutes_min: 4,
            self_booking_visit_minutes_max: 5,
            horizon_days_max: 6,
            visit_minutes_max: 7,
            open_bookings_max: 8,
            thread_participants_max: 9,
        };
        assert_eq!(rules(&config), Ok(expected));
    }

    #[test]
    fn every_number_out_of_range_is_named() {
        let faults = read(&[
            ("PRAXIS_OPEN_BOOKINGS_MAX", "0"),
            ("PRAXIS_HORIZON_DAYS_MAX", "ten"),
        ])
        .faults();
        let named: Vec<_> = faults.iter().map(|fault| fault.name.as_str()).collect();
        for name in ["PRAXIS_OPEN_BOOKINGS_MAX", "PRAXIS_HORIZON_DAYS_MAX"] {
            assert!(named.contains(&name), "{faults:?}");
        }
    }
}
