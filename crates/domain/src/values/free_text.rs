//! What do people write in their own words?

use praxis_events::personal::Personal;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::fault::ValueFault;
use super::text::bounded;

/// A text of 1 to `CHARS_MAX` characters (Unicode scalar values after normalisation), on any number of lines.
///
/// Normal form: NFC, trimmed, lines end with LF, a tab is a space. Always taken for personal. Not validated when
/// deserialised, because stored events must always be readable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FreeText<const CHARS_MAX: usize>(Personal<String>);

impl<const CHARS_MAX: usize> FreeText<CHARS_MAX> {
    /// Reads a text. Unlike in one-line fields the controls of bidirectional text are kept: quoting across scripts needs
    /// them, and a text of its own disguises nothing around it.
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::TooLong`], [`ValueFault::ControlCharacter`].
    pub fn parse(text: &str) -> Result<Self, ValueFault> {
        let text = text
            .trim()
            .replace("\r\n", "\n")
            .replace('\r', "\n")
            .replace('\t', " ");
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(ValueFault::ControlCharacter);
        }
        bounded(text.nfc().collect(), CHARS_MAX)
            .map(Personal::new)
            .map(Self)
    }

    /// The text in its normal form; each call is a place to review.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

impl<const CHARS_MAX: usize> From<FreeText<CHARS_MAX>> for Personal<String> {
    fn from(text: FreeText<CHARS_MAX>) -> Self {
        text.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::FreeText;
    use crate::values::fault::ValueFault;

    fn parse(text: &str) -> Result<FreeText<10>, ValueFault> {
        FreeText::parse(text)
    }

    #[test]
    fn lines_and_inner_blanks_are_kept_in_one_form() {
        assert_eq!(parse("\n a\r\n\r\n b\tc\rd ").unwrap().reveal(), "a\n\n b c\nd");
    }

    #[test]
    fn length_is_counted_in_composed_characters() {
        assert_eq!(parse(&"o\u{308}".repeat(10)).unwrap().reveal(), "ö".repeat(10));
        assert_eq!(parse(&"o\u{308}".repeat(11)), Err(ValueFault::TooLong));
        assert_eq!(parse("   0123456789\n").unwrap().reveal(), "0123456789");
        assert_eq!(parse("0\n2345678\na"), Err(ValueFault::TooLong));
    }

    #[test]
    fn right_to_left_text_with_its_controls_is_kept() {
        assert_eq!(
            parse("שלום \u{2067}ab\u{2069}").unwrap().reveal(),
            "שלום \u{2067}ab\u{2069}"
        );
    }

    #[test]
    fn other_control_characters_and_nothing_are_refused() {
        for text in ["a\0", "a\u{1B}[0m", "a\u{8}b", "a\u{9F}b", "a\u{B}b"] {
            assert_eq!(parse(text), Err(ValueFault::ControlCharacter), "{text:?}");
        }
        for text in ["", " \r\n\t", "\u{200B}\n\u{200F}"] {
            assert_eq!(parse(text), Err(ValueFault::Empty), "{text:?}");
        }
    }

    #[test]
    fn a_stored_text_reads_back_unchecked_and_prints_nothing() {
        let stored: FreeText<3> = serde_json::from_str(r#""a\tlonger text""#).unwrap();
        assert_eq!(stored.reveal(), "a\tlonger text");
        assert_eq!(format!("{stored:?}"), "FreeText((personal))");
    }

    proptest! {
        #[test]
        fn the_normal_form_is_its_own_normal_form(text in any::<String>()) {
            if let Ok(normal) = FreeText::<100>::parse(&text) {
                prop_assert_eq!(FreeText::<100>::parse(normal.reveal()), Ok(normal));
            }
        }
    }
}
