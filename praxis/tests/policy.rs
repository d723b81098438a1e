//! Do the numbers of the practice's policy come from the settings, in both programs that write?

use std::ffi::OsString;

use praxis_domain::rules::Rules;
use praxis_runtime::config::read::{Config, NotSet};
use praxis_runtime::config::setting::Program;

/// What each of the two reads.
fn read(variables: &[(&str, &str)]) -> [Config; 2] {
    [Program::Serve, Program::CommandApi].map(|program| {
        let environment = variables
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Config::read(program, environment, &[])
    })
}

fn rules(config: &Config) -> Result<Rules, NotSet> {
    Rules::try_from_settings(|name| config.number(name))
}

#[test]
fn without_settings_they_are_the_domains_own() {
    for config in read(&[]) {
        assert_eq!(rules(&config), Ok(Rules::default()));
    }
}

#[test]
fn every_number_has_a_setting_of_its_own() {
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
    let variables = [
        ("PRAXIS_EARLY_ARRIVAL_MINUTES_MAX", "1"),
        ("PRAXIS_NO_SHOW_AFTER_MINUTES", "2"),
        ("PRAXIS_PATIENT_CANCEL_HOURS_MIN", "3"),
        ("PRAXIS_SELF_BOOKING_NOTICE_MINUTES_MIN", "4"),
        ("PRAXIS_SELF_BOOKING_VISIT_MINUTES_MAX", "5"),
        ("PRAXIS_HORIZON_DAYS_MAX", "6"),
        ("PRAXIS_VISIT_MINUTES_MAX", "7"),
        ("PRAXIS_OPEN_BOOKINGS_MAX", "8"),
        ("PRAXIS_THREAD_PARTICIPANTS_MAX", "9"),
    ];
    for config in read(&variables) {
        let faults = config.faults();
        let of_variables = |name: &str| variables.iter().any(|(variable, _)| *variable == name);
        assert!(
            !faults.iter().any(|fault| of_variables(&fault.name)),
            "{faults:?}"
        );
        assert_eq!(rules(&config).as_ref(), Ok(&expected));
    }
}

#[test]
fn every_number_out_of_range_is_named() {
    let configs = read(&[
        ("PRAXIS_OPEN_BOOKINGS_MAX", "0"),
        ("PRAXIS_HORIZON_DAYS_MAX", "ten"),
    ]);
    for config in configs {
        let faults = config.faults();
        let named: Vec<_> = faults.iter().map(|fault| fault.name.as_str()).collect();
        for name in ["PRAXIS_OPEN_BOOKINGS_MAX", "PRAXIS_HORIZON_DAYS_MAX"] {
            assert!(named.contains(&name), "{faults:?}");
        }
    }
}
