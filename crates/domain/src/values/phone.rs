//! Which telephone number is meant, whatever way it is written?

use std::fmt;

use praxis_events::personal::Personal;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::fault::ValueFault;
use super::text::{is_invisible, personal_text};

/// The most digits of a number with its country (ITU-T E.164 section 6).
pub const DIGITS_MAX: usize = 15;

/// The fewest digits taken with the country; the shortest numbers in use (Niue, Saint Helena) have 7 or 8.
pub const DIGITS_MIN: usize = 7;

personal_text! {
    /// A telephone number in E.164: `+`, country calling code, national number, digits only.
    ///
    /// By form only: that the country assigned such a number is not known. The plans of all countries are a data set of its
    /// own that changes monthly, and a number refused by an old copy of it would be a patient who cannot be reached.
    PhoneNumber
}

/// A country calling code (ITU-T E.164), 1 to 999: what a number written without one is taken to belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallingCode(u16);

impl CallingCode {
    /// Reads a code of one to three digits, with or without `+`.
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::UnknownCode`].
    pub fn parse(text: &str) -> Result<Self, ValueFault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ValueFault::Empty);
        }
        let digits = text.strip_prefix('+').unwrap_or(text);
        let well_formed = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !well_formed || digits.starts_with('0') {
            return Err(ValueFault::UnknownCode);
        }
        digits.parse().map(Self).map_err(|_| ValueFault::UnknownCode)
    }
}

impl fmt::Display for CallingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl PhoneNumber {
    /// Reads a number as people write it: blanks, hyphens, dots, slashes and brackets are passed over, full-width and Arabic
    /// digits are read as digits.
    ///
    /// A number that starts with `+` or `00` is international; a `(0)` after its country is dropped. Any other is national:
    /// it gets `default_country`, and loses the prefix dialled only inside that country (0; in +1 a 1 before ten digits, in
    /// +7 an 8 before ten digits; nothing where national numbers themselves start with 0).
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::InvalidPhone`] for letters, extensions and numbers too short or long, and
    /// [`ValueFault::PhoneWithoutCountry`] for a national number where `default_country` is `None`.
    pub fn parse(text: &str, default_country: Option<CallingCode>) -> Result<Self, ValueFault> {
        let written: String = text
            .nfkc()
            .filter(|c| !c.is_whitespace() && !is_invisible(*c))
            .map(western_digit)
            .collect();
        if written.is_empty() {
            return Err(ValueFault::Empty);
        }
        let from_start = written.trim_start_matches('(');
        let after_prefix = from_start
            .strip_prefix('+')
            .or_else(|| from_start.strip_prefix("00"));
        let international = if let Some(after_prefix) = after_prefix {
            digits_of(&after_prefix.replacen("(0)", "", 1))?
        } else {
            let national = digits_of(from_start)?;
            let country = default_country.ok_or(ValueFault::PhoneWithoutCountry)?;
            format!("{country}{}", without_trunk_prefix(country, &national))
        };
        if international.starts_with('0') || !(DIGITS_MIN..=DIGITS_MAX).contains(&international.len()) {
            return Err(ValueFault::InvalidPhone);
        }
        Ok(Self(Personal::new(format!("+{international}"))))
    }
}

/// The digits of a number without its decoration; anything else in it is a fault.
fn digits_of(written: &str) -> Result<String, ValueFault> {
    let digits: String = written.chars().filter(|c| !is_decoration(*c)).collect();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ValueFault::InvalidPhone);
    }
    Ok(digits)
}

/// What people put between digits: hyphens and dashes, dots, slashes, brackets.
const fn is_decoration(c: char) -> bool {
    matches!(
        c,
        '-' | '.' | '/' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}'
    )
}

/// Arabic-Indic and Persian digits as ASCII; NFKC has turned full-width ones already.
fn western_digit(c: char) -> char {
    match c {
        '٠' | '۰' => '0',
        '١' | '۱' => '1',
        '٢' | '۲' => '2',
        '٣' | '۳' => '3',
        '٤' | '۴' => '4',
        '٥' | '۵' => '5',
        '٦' | '۶' => '6',
        '٧' | '۷' => '7',
        '٨' | '۸' => '8',
        '٩' | '۹' => '9',
        other => other,
    }
}

/// The national number as it follows the calling code (ITU-T E.164 annex A and the national plans of the exceptions).
fn without_trunk_prefix(country: CallingCode, national: &str) -> &str {
    /// Congo, Ivory Coast, Italy with the Vatican, San Marino: the leading 0 is part of the number.
    const ZERO_BELONGS: [u16; 4] = [242, 225, 39, 378];
    match (country.0, national.len()) {
        (1, 11) => national.strip_prefix('1').unwrap_or(national),
        (7, 11) => national.strip_prefix('8').unwrap_or(national),
        (1 | 7, _) => national,
        (code, _) if ZERO_BELONGS.contains(&code) => national,
        _ => national.strip_prefix('0').unwrap_or(national),
    }
}

#[cfg(test)]
mod tests {
    use super::{CallingCode, PhoneNumber};
    use crate::values::fault::ValueFault;

    fn in_country(code: &str, text: &str) -> Result<String, ValueFault> {
        PhoneNumber::parse(text, Some(CallingCode::parse(code).unwrap()))
            .map(|number| number.reveal().to_owned())
    }

    fn abroad(text: &str) -> Result<String, ValueFault> {
        PhoneNumber::parse(text, None).map(|number| number.reveal().to_owned())
    }

    #[test]
    fn one_number_has_one_form_however_it_is_written() {
        for text in [
            "+442079460958",
            "+44 20 7946 0958",
            "0044 20-7946.0958",
            "+44 (0)20 7946 0958",
            "(+44) 20/7946 0958",
            "\u{202A}+44\u{A0}20\u{2011}7946\u{2013}0958\u{202C}",
            "＋４４２０７９４６０９５８",
            "+٤٤٢٠٧٩٤٦٠٩٥٨",
        ] {
            assert_eq!(abroad(text).as_deref(), Ok("+442079460958"), "{text:?}");
        }
    }

    #[test]
    fn a_national_number_gets_the_default_country_and_loses_its_trunk_prefix() {
        for (code, text, number) in [
            ("44", "020 7946 0958", "+442079460958"),
            ("49", "(030) 901820", "+4930901820"),
            ("1", "555-234-1234", "+15552341234"),
            ("1", "1 (555) 234-1234", "+15552341234"),
            ("7", "8 495 123-45-67", "+74951234567"),
            ("39", "06 1234 5678", "+390612345678"),
            ("47", "22 12 34 56", "+4722123456"),
        ] {
            assert_eq!(in_country(code, text).as_deref(), Ok(number), "{text:?}");
        }
        assert_eq!(in_country("1", "+442079460958").as_deref(), Ok("+442079460958"));
    }

    #[test]
    fn a_national_number_without_a_default_country_is_refused() {
        assert_eq!(abroad("020 7946 0958"), Err(ValueFault::PhoneWithoutCountry));
        assert_eq!(abroad("no phone"), Err(ValueFault::InvalidPhone));
    }

    #[test]
    fn an_international_number_has_seven_to_fifteen_digits() {
        assert_eq!(abroad("+6834000").as_deref(), Ok("+6834000"));
        assert_eq!(abroad("+683400"), Err(ValueFault::InvalidPhone));
        assert_eq!(abroad("+123456789012345").as_deref(), Ok("+123456789012345"));
        assert_eq!(abroad("+1234567890123456"), Err(ValueFault::InvalidPhone));
    }

    #[test]
    fn letters_extensions_and_misplaced_signs_are_refused() {
        for text in [
            "+44 20 7946 0958 x12",
            "+1-800-FLOWERS",
            "+44+2079460958",
            "44+2079460958",
            "+",
            "+0123456789",
            "()-",
            "😀",
        ] {
            assert_eq!(in_country("44", text), Err(ValueFault::InvalidPhone), "{text:?}");
        }
        assert_eq!(abroad(" \u{200E} "), Err(ValueFault::Empty));
    }

    #[test]
    fn a_calling_code_has_one_to_three_digits() {
        for text in ["1", "+44", " 353 "] {
            assert_eq!(
                CallingCode::parse(text).unwrap().to_string(),
                text.trim().trim_start_matches('+')
            );
        }
        for text in ["0", "044", "1234", "+", "++1", "DE", "4 4"] {
            assert_eq!(CallingCode::parse(text), Err(ValueFault::UnknownCode), "{text:?}");
        }
        assert_eq!(CallingCode::parse(""), Err(ValueFault::Empty));
    }

    #[test]
    fn a_stored_number_reads_back_unchecked_and_prints_nothing() {
        let stored: PhoneNumber = serde_json::from_str(r#""ask at the desk""#).unwrap();
        assert_eq!(stored.reveal(), "ask at the desk");
        assert_eq!(format!("{stored:?}"), "PhoneNumber((personal))");
    }
}
