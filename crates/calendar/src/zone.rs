//! Which IANA time zone does a place use?

use std::fmt;
use std::str::FromStr;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// An IANA time zone such as `Europe/London`.
///
/// Text and stored form are the zone's name as it was given: a link such as `US/Eastern` stays that link, because the
/// zone a booking was made in is part of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

/// Why a text names no time zone; the text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ZoneFault {
    /// The IANA database compiled into this program has no zone of that name (names are case-sensitive).
    #[error("not the name of a time zone in the IANA database")]
    Unknown,
}

impl Zone {
    /// Coordinated Universal Time, named `UTC`.
    pub const UTC: Self = Self(Tz::UTC);

    /// Reads a zone by its IANA name.
    ///
    /// # Errors
    /// [`ZoneFault::Unknown`] when the database has no such name; offsets such as `+02:00` are no zones.
    pub fn parse(name: &str) -> Result<Self, ZoneFault> {
        name.parse()
            .map(Self)
            .map_err(|_: chrono_tz::ParseError| ZoneFault::Unknown)
    }

    /// The zone's IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The zone as the time zone library knows it, for arithmetic inside this crate.
    pub(crate) const fn tz(self) -> Tz {
        self.0
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = ZoneFault;

    fn from_str(name: &str) -> Result<Self, ZoneFault> {
        Self::parse(name)
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneFault;

    fn try_from(name: String) -> Result<Self, ZoneFault> {
        Self::parse(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{Zone, ZoneFault};

    #[test]
    fn a_known_zone_prints_the_name_it_was_parsed_from() {
        for name in [
            "America/New_York",
            "Australia/Lord_Howe",
            "Asia/Kolkata",
            "UTC",
            "US/Eastern",
        ] {
            assert_eq!(Zone::parse(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn what_is_no_iana_name_is_refused() {
        for name in [
            "",
            " UTC",
            "utc",
            "europe/london",
            "Europe/Atlantis",
            "+02:00",
            "America/New_York\n",
        ] {
            assert_eq!(Zone::parse(name), Err(ZoneFault::Unknown), "{name:?}");
        }
    }

    #[test]
    fn json_is_the_name_and_reads_back() {
        let zone = Zone::parse("Europe/London").unwrap();
        let json = serde_json::to_string(&zone).unwrap();
        assert_eq!(json, r#""Europe/London""#);
        assert_eq!(serde_json::from_str::<Zone>(&json).unwrap(), zone);
        assert!(serde_json::from_str::<Zone>(r#""Nowhere""#).is_err());
    }
}
