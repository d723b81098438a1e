//! What is the normal form of a text that people type, and which characters may it hold?

use unicode_normalization::UnicodeNormalization;

use super::fault::ValueFault;

/// Declares a validated text of a person: transparent in JSON, redacted when printed, not validated when deserialised
/// (stored events must always be readable).
macro_rules! personal_text {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(praxis_events::personal::Personal<String>);

        impl $name {
            /// The text in its normal form; each call is a place to review.
            pub fn reveal(&self) -> &str {
                self.0.reveal()
            }
        }

        impl From<$name> for praxis_events::personal::Personal<String> {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}
pub(super) use personal_text;

/// A one-line text: Unicode NFC, trimmed, every run of blanks one space, 1 to `chars_max` characters (Unicode scalar
/// values, counted after normalisation).
///
/// Control characters are refused, and so are the invisible ones that reorder the text around them (a name must not be
/// able to disguise the words it is shown among). The joiners and direction marks that names are written with are kept.
pub(crate) fn one_line(text: &str, chars_max: usize) -> Result<String, ValueFault> {
    let text = text.trim();
    if text.chars().any(|c| c.is_control() || is_reordering(c)) {
        return Err(ValueFault::ControlCharacter);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    bounded(words.join(" ").nfc().collect(), chars_max)
}

/// The text itself when it has 1 to `chars_max` characters, one of them visible.
pub(super) fn bounded(text: String, chars_max: usize) -> Result<String, ValueFault> {
    if text.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
        return Err(ValueFault::Empty);
    }
    if text.chars().count() > chars_max {
        return Err(ValueFault::TooLong);
    }
    Ok(text)
}

/// Characters that show nothing: soft hyphen, direction marks, zero-width blanks and joiners, byte order mark.
pub(super) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}'
    ) || is_reordering(c)
}

/// The embeddings, overrides and isolates of the bidirectional algorithm (UAX #9).
const fn is_reordering(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::one_line;
    use crate::values::fault::ValueFault;

    #[test]
    fn blanks_are_trimmed_and_their_runs_become_one_space() {
        assert_eq!(
            one_line("  van \u{A0}\u{3000} der  Berg\n", 100).unwrap(),
            "van der Berg"
        );
    }

    #[test]
    fn a_combining_character_is_composed_before_counting() {
        assert_eq!(one_line("e\u{301}", 1).unwrap(), "é");
        assert_eq!(one_line("x\u{301}", 1), Err(ValueFault::TooLong));
        assert_eq!(one_line("x\u{301}", 2).unwrap(), "x\u{301}");
    }

    #[test]
    fn right_to_left_text_with_its_marks_and_joiners_is_kept() {
        for name in ["שרה כהן", "محمد", "عبد\u{200C}الله", "\u{200F}שרה"] {
            assert_eq!(one_line(name, 100).unwrap(), name);
        }
    }

    #[test]
    fn control_and_reordering_characters_are_refused() {
        for text in [
            "a\0b",
            "a\tb",
            "a\nb",
            "a\u{7F}b",
            "a\u{85}b",
            "\u{202E}abc",
            "a\u{2066}b",
        ] {
            assert_eq!(one_line(text, 100), Err(ValueFault::ControlCharacter), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_empty() {
        for text in ["", " ", "\u{A0}\n", "\u{200B}", "\u{200F} \u{FEFF}", "\u{AD}"] {
            assert_eq!(one_line(text, 100), Err(ValueFault::Empty), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_normal_form_is_its_own_normal_form(text in any::<String>()) {
            if let Ok(normal) = one_line(&text, 100) {
                prop_assert_eq!(one_line(&normal, 100), Ok(normal));
            }
        }
    }
}
