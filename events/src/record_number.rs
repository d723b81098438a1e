//! Which record is meant by a number that people read out and type?

use std::fmt;

use serde::{Deserialize, Serialize};

/// The fewest digits shown before the check digit; a greater counter shows more.
pub const DIGITS_MIN: usize = 7;

/// A patient's record number: a counter's value, shown with a check digit as `P-0001234-0`.
///
/// The check digit is Damm's (H. M. Damm, *Total anti-symmetrische Quasigruppen*, 2004): every single wrong digit and every
/// swap of neighbours is noticed, the check digit included, without a letter as ISO 7064 MOD 11-2 needs. Leading zeros do
/// not change it, so it stays right when the counter outgrows [`DIGITS_MIN`].
///
/// Open, not personal: counter-issued, never reused. Events store the counter's value, which always reads; the text form is
/// for people, and its check digit is verified wherever it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordNumber(u64);

/// Why a text is no record number. Never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordNumberFault {
    /// There are only hyphens and blanks, or nothing.
    #[error("must not be empty")]
    Empty,
    /// Not of the form of a record number.
    #[error("is not a record number")]
    Form,
    /// Mistyped.
    #[error("has a wrong check digit")]
    CheckDigit,
}

impl RecordNumber {
    /// The record number of a counter's value.
    pub const fn new(counter: u64) -> Self {
        Self(counter)
    }

    /// The counter's value, as events store it.
    pub const fn counter(self) -> u64 {
        self.0
    }

    /// Reads the text form. The letter may be lower-case, hyphens and blanks may be missing; zeros may not, and none may be
    /// too many, so that a digit lost or doubled at the front is noticed as well.
    ///
    /// # Errors
    /// [`RecordNumberFault::Empty`], [`RecordNumberFault::Form`], [`RecordNumberFault::CheckDigit`].
    pub fn parse(text: &str) -> Result<Self, RecordNumberFault> {
        let written: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        if written.is_empty() {
            return Err(RecordNumberFault::Empty);
        }
        let digits = written.strip_prefix(['P', 'p']).ok_or(RecordNumberFault::Form)?;
        let too_few = digits.len() <= DIGITS_MIN;
        let padded_too_far = digits.len() > DIGITS_MIN + 1 && digits.starts_with('0');
        if too_few || padded_too_far || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(RecordNumberFault::Form);
        }
        let (counter, _) = digits.split_at(digits.len() - 1);
        let counter: u64 = counter.parse().map_err(|_| RecordNumberFault::Form)?;
        if damm(digits) != 0 {
            return Err(RecordNumberFault::CheckDigit);
        }
        Ok(Self(counter))
    }
}

impl fmt::Display for RecordNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counter = format!("{:0width$}", self.0, width = DIGITS_MIN);
        write!(f, "P-{counter}-{}", damm(&counter))
    }
}

impl TryFrom<String> for RecordNumber {
    type Error = RecordNumberFault;

    fn try_from(text: String) -> Result<Self, RecordNumberFault> {
        Self::parse(&text)
    }
}

impl From<RecordNumber> for String {
    fn from(number: RecordNumber) -> Self {
        number.to_string()
    }
}

/// Damm's totally anti-symmetric quasigroup of order 10, with zeros on the diagonal: a number followed by its own check
/// digit gives 0.
const QUASIGROUP: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// The check digit of ASCII digits; 0 when their last is the check digit of the others.
fn damm(digits: &str) -> u8 {
    digits.bytes().fold(0, |interim, digit| {
        QUASIGROUP[usize::from(interim)][usize::from(digit - b'0')]
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{QUASIGROUP, RecordNumber, RecordNumberFault, damm};

    #[test]
    fn the_published_example_has_its_check_digit() {
        assert_eq!(damm("572"), 4);
    }

    #[test]
    fn the_quasigroup_notices_every_single_error_and_every_swap() {
        for (left, row) in QUASIGROUP.iter().enumerate() {
            assert_eq!(row[left], 0);
            for x in 0..10 {
                for y in (0..10).filter(|y| *y != x) {
                    assert_ne!(row[x], row[y], "a wrong digit");
                    assert_ne!(
                        QUASIGROUP[usize::from(row[x])][y],
                        QUASIGROUP[usize::from(row[y])][x],
                        "a swap"
                    );
                }
            }
        }
    }

    #[test]
    fn a_number_is_shown_with_seven_digits_or_more() {
        for (counter, text) in [
            (0, "P-0000000-0"),
            (572, "P-0000572-4"),
            (1_234, "P-0001234-0"),
            (9_999_999, "P-9999999-2"),
        ] {
            assert_eq!(RecordNumber::new(counter).to_string(), text);
        }
        assert!(
            RecordNumber::new(10_000_000)
                .to_string()
                .starts_with("P-10000000-")
        );
        assert!(
            RecordNumber::new(u64::MAX)
                .to_string()
                .starts_with("P-18446744073709551615-")
        );
    }

    #[test]
    fn letter_case_hyphens_and_blanks_do_not_matter() {
        for text in ["P-0000572-4", "p-0000572-4", "P00005724", " P 0000572 4 "] {
            assert_eq!(RecordNumber::parse(text), Ok(RecordNumber::new(572)), "{text:?}");
        }
    }

    #[test]
    fn what_has_another_form_is_refused() {
        for text in [
            "0000572-4",
            "P-572-4",
            "P-000572-4",
            "P-00000572-4",
            "P-0000572",
            "P-000057a-4",
            "Q-0000572-4",
            "PP-0000572-4",
            "P-٠٠٠٠٥٧٢-٤",
            "P",
            "P-18446744073709551616-0",
        ] {
            assert_eq!(
                RecordNumber::parse(text),
                Err(RecordNumberFault::Form),
                "{text:?}"
            );
        }
        assert_eq!(RecordNumber::parse(" - "), Err(RecordNumberFault::Empty));
        assert_eq!(
            RecordNumber::parse("P-0000572-5"),
            Err(RecordNumberFault::CheckDigit)
        );
    }

    #[test]
    fn json_is_the_text_form() {
        let number = RecordNumber::new(572);
        assert_eq!(serde_json::to_string(&number).unwrap(), r#""P-0000572-4""#);
        assert_eq!(
            serde_json::from_str::<RecordNumber>(r#""P-0000572-4""#).unwrap(),
            number
        );
    }

    proptest! {
        #[test]
        fn a_shown_number_reads_back(counter in any::<u64>()) {
            let number = RecordNumber::new(counter);
            prop_assert_eq!(RecordNumber::parse(&number.to_string()), Ok(number));
        }

        #[test]
        fn one_wrong_digit_is_noticed(counter in any::<u64>(), place in any::<prop::sample::Index>(), shift in 1u8..10) {
            let mut typed = RecordNumber::new(counter).to_string().into_bytes();
            let places: Vec<usize> = (0..typed.len()).filter(|at| typed[*at].is_ascii_digit()).collect();
            let at = *place.get(&places);
            typed[at] = b'0' + (typed[at] - b'0' + shift) % 10;
            prop_assert!(RecordNumber::parse(&String::from_utf8(typed).unwrap()).is_err());
        }

        #[test]
        fn two_swapped_neighbours_are_noticed(counter in any::<u64>(), place in any::<prop::sample::Index>()) {
            let mut typed = RecordNumber::new(counter).to_string().replace('-', "").into_bytes();
            let places: Vec<usize> = (1..typed.len() - 1).filter(|at| typed[*at] != typed[at + 1]).collect();
            prop_assume!(!places.is_empty());
            let at = *place.get(&places);
            typed.swap(at, at + 1);
            prop_assert!(RecordNumber::parse(&String::from_utf8(typed).unwrap()).is_err());
        }
    }
}
