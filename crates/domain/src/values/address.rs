//! Where does post reach a person?

use praxis_events::patient::Address;
use praxis_events::personal::Personal;
use serde::{Deserialize, Serialize};

use super::country::CountryCode;
use super::fault::{Part, PartFault, ValueFault};
use super::text::one_line;

/// The most lines above the city.
pub const LINES_MAX: usize = 5;

/// The most characters of a line.
pub const LINE_CHARS_MAX: usize = 100;

/// The most characters of a city.
pub const CITY_CHARS_MAX: usize = 100;

/// The most characters of a postcode; the longest in use have 10.
pub const POSTCODE_CHARS_MAX: usize = 16;

/// A postal address: at least one of its parts is there.
///
/// Normal form: blank parts left out, the postcode in upper case. Which parts a country wants, and in which order, is not
/// checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PostalAddress {
    #[serde(default)]
    lines: Vec<Personal<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    city: Option<Personal<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postcode: Option<Personal<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    country: Option<CountryCode>,
}

/// The parts of an address as somebody wrote them.
#[derive(Clone, Copy, Default)]
pub struct WrittenAddress<'a> {
    /// Street, house, what stands above the city.
    pub lines: &'a [&'a str],
    /// City.
    pub city: Option<&'a str>,
    /// Postcode.
    pub postcode: Option<&'a str>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<&'a str>,
}

impl PostalAddress {
    /// Reads an address; blank parts count as absent.
    ///
    /// # Errors
    /// Every fault, by part: of lines, city and postcode [`ValueFault::TooLong`] and [`ValueFault::ControlCharacter`], of all
    /// lines together [`ValueFault::TooManyLines`], of the country [`ValueFault::UnknownCountry`], of the whole
    /// [`ValueFault::Empty`].
    pub fn parse(written: WrittenAddress<'_>) -> Result<Self, Vec<PartFault>> {
        let mut faults = Vec::new();
        let mut lines = Vec::new();
        for (index, line) in written.lines.iter().enumerate().take(LINES_MAX + 1) {
            lines.extend(part(Some(line), Part::Line(index), LINE_CHARS_MAX, &mut faults));
        }
        if written.lines.len() > LINES_MAX {
            faults.push(PartFault {
                part: Part::Lines,
                fault: ValueFault::TooManyLines,
            });
        }
        let city = part(written.city, Part::City, CITY_CHARS_MAX, &mut faults);
        let postcode = part(
            written.postcode.map(str::to_uppercase).as_deref(),
            Part::Postcode,
            POSTCODE_CHARS_MAX,
            &mut faults,
        );
        let country = match written.country.map(CountryCode::parse) {
            Some(Ok(country)) => Some(country),
            None | Some(Err(ValueFault::Empty)) => None,
            Some(Err(fault)) => {
                faults.push(PartFault {
                    part: Part::Country,
                    fault,
                });
                None
            }
        };
        if faults.is_empty() && lines.is_empty() && city.is_none() && postcode.is_none() && country.is_none()
        {
            faults.push(PartFault {
                part: Part::Whole,
                fault: ValueFault::Empty,
            });
        }
        if faults.is_empty() {
            Ok(Self {
                lines,
                city,
                postcode,
                country,
            })
        } else {
            Err(faults)
        }
    }

    /// The lines above the city.
    pub fn lines(&self) -> &[Personal<String>] {
        &self.lines
    }

    /// City.
    pub const fn city(&self) -> Option<&Personal<String>> {
        self.city.as_ref()
    }

    /// Postcode, in upper case.
    pub const fn postcode(&self) -> Option<&Personal<String>> {
        self.postcode.as_ref()
    }

    /// Country.
    pub const fn country(&self) -> Option<&CountryCode> {
        self.country.as_ref()
    }
}

impl From<PostalAddress> for Address {
    fn from(address: PostalAddress) -> Self {
        Self {
            lines: address.lines,
            city: address.city,
            postcode: address.postcode,
            country: address.country.map(Personal::from),
        }
    }
}

/// One part, `None` when blank; its fault goes to the list.
fn part(
    text: Option<&str>,
    part: Part,
    chars_max: usize,
    faults: &mut Vec<PartFault>,
) -> Option<Personal<String>> {
    match one_line(text?, chars_max) {
        Ok(normal) => Some(Personal::new(normal)),
        Err(ValueFault::Empty) => None,
        Err(fault) => {
            faults.push(PartFault { part, fault });
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use praxis_events::patient::Address;

    use super::{
        CITY_CHARS_MAX, LINE_CHARS_MAX, LINES_MAX, POSTCODE_CHARS_MAX, PostalAddress, WrittenAddress,
    };
    use crate::values::fault::{Part, PartFault, ValueFault};

    fn only(part: Part, fault: ValueFault) -> Result<PostalAddress, Vec<PartFault>> {
        Err(vec![PartFault { part, fault }])
    }

    #[test]
    fn parts_are_brought_to_their_normal_form() {
        let written = WrittenAddress {
            lines: &[" 12  High Street", "", "Flat 3 "],
            city: Some("Zu\u{308}rich"),
            postcode: Some("sw1a  1aa"),
            country: Some("gb"),
        };
        let address = PostalAddress::parse(written).unwrap();
        assert_eq!(
            serde_json::to_string(&Address::from(address.clone())).unwrap(),
            r#"{"lines":["12 High Street","Flat 3"],"city":"Zürich","postcode":"SW1A 1AA","country":"GB"}"#
        );
        assert_eq!(
            serde_json::to_string(&address).unwrap(),
            serde_json::to_string(&Address::from(address)).unwrap()
        );
    }

    #[test]
    fn one_part_is_enough_and_none_is_not() {
        for written in [
            WrittenAddress {
                lines: &["רחוב הרצל 1"],
                ..WrittenAddress::default()
            },
            WrittenAddress {
                city: Some("Basel"),
                ..WrittenAddress::default()
            },
            WrittenAddress {
                postcode: Some("4051"),
                ..WrittenAddress::default()
            },
            WrittenAddress {
                country: Some("CH"),
                ..WrittenAddress::default()
            },
        ] {
            assert!(PostalAddress::parse(written).is_ok());
        }
        let blank = WrittenAddress {
            lines: &["", " "],
            city: Some(" "),
            postcode: Some(""),
            country: Some(""),
        };
        assert_eq!(PostalAddress::parse(blank), only(Part::Whole, ValueFault::Empty));
        assert_eq!(
            PostalAddress::parse(WrittenAddress::default()),
            only(Part::Whole, ValueFault::Empty)
        );
    }

    #[test]
    fn every_part_has_its_limit() {
        let line = "é".repeat(LINE_CHARS_MAX);
        let city = "b".repeat(CITY_CHARS_MAX);
        let postcode = "1".repeat(POSTCODE_CHARS_MAX);
        let lines = [line.as_str(); LINES_MAX];
        let longest = WrittenAddress {
            lines: &lines,
            city: Some(&city),
            postcode: Some(&postcode),
            country: Some("CH"),
        };
        assert!(PostalAddress::parse(longest).is_ok());

        let (line, city, postcode) = (format!("{line}a"), format!("{city}a"), format!("{postcode}1"));
        let lines = ["ok", line.as_str()];
        let longer = |written: WrittenAddress<'_>| PostalAddress::parse(written);
        assert_eq!(
            longer(WrittenAddress {
                lines: &lines,
                ..WrittenAddress::default()
            }),
            only(Part::Line(1), ValueFault::TooLong)
        );
        assert_eq!(
            longer(WrittenAddress {
                city: Some(&city),
                ..WrittenAddress::default()
            }),
            only(Part::City, ValueFault::TooLong)
        );
        assert_eq!(
            longer(WrittenAddress {
                postcode: Some(&postcode),
                ..WrittenAddress::default()
            }),
            only(Part::Postcode, ValueFault::TooLong)
        );
        assert_eq!(
            longer(WrittenAddress {
                lines: &["a"; LINES_MAX + 1],
                ..WrittenAddress::default()
            }),
            only(Part::Lines, ValueFault::TooManyLines)
        );
    }

    #[test]
    fn all_faults_are_answered_at_once_and_name_their_part() {
        let written = WrittenAddress {
            lines: &["a\nb"],
            city: Some("\0"),
            postcode: Some("1\u{202E}2"),
            country: Some("XX"),
        };
        let faults = PostalAddress::parse(written).unwrap_err();
        let told: Vec<String> = faults
            .iter()
            .map(|fault| format!("{} {}", fault.part, fault.fault.code()))
            .collect();
        assert_eq!(
            told,
            [
                "/lines/0 control-character",
                "/city control-character",
                "/postcode control-character",
                "/country unknown-country",
            ]
        );
    }

    #[test]
    fn a_stored_address_reads_back_unchecked_and_prints_nothing() {
        let stored: PostalAddress = serde_json::from_str(r#"{"city":"a\tb","country":"Prussia"}"#).unwrap();
        assert_eq!(stored.city().unwrap().reveal(), "a\tb");
        assert_eq!(stored.country().unwrap().reveal(), "Prussia");
        assert!(stored.lines().is_empty() && stored.postcode().is_none());
        let printed = format!("{stored:?}");
        assert!(
            !printed.contains("Prussia") && printed.contains("(personal)"),
            "{printed}"
        );
    }
}
