//! Which language does a person speak?

use praxis_events::personal::Personal;

use super::fault::ValueFault;
use super::text::personal_text;

/// The most characters of a tag: what RFC 5646 section 4.4.1 shows to be enough.
pub const CHARS_MAX: usize = 35;

personal_text! {
    /// A language as a well-formed BCP 47 tag (RFC 5646), such as `de-CH` or `zh-Hant`; whether its subtags are registered
    /// is not checked, because the registry grows.
    ///
    /// Normal form: the conventional case of RFC 5646 section 2.1.1. Personal, because it tells of a person's origin.
    LanguageTag
}

impl LanguageTag {
    /// Reads a tag of any case.
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::TooLong`], [`ValueFault::InvalidLanguage`].
    pub fn parse(text: &str) -> Result<Self, ValueFault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ValueFault::Empty);
        }
        if text.len() > CHARS_MAX {
            return Err(ValueFault::TooLong);
        }
        let tag =
            oxilangtag::LanguageTag::parse_and_normalize(text).map_err(|_| ValueFault::InvalidLanguage)?;
        Ok(Self(Personal::new(tag.into_inner())))
    }
}

#[cfg(test)]
mod tests {
    use super::LanguageTag;
    use crate::values::fault::ValueFault;

    #[test]
    fn a_tag_gets_its_conventional_case() {
        for (text, tag) in [
            ("DE-ch", "de-CH"),
            (" en ", "en"),
            ("zh-hant-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("ARB", "arb"),
        ] {
            assert_eq!(LanguageTag::parse(text).unwrap().reveal(), tag);
        }
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for text in [
            "e",
            "de_CH",
            "english language",
            "en-",
            "-en",
            "en--us",
            "müsli",
            "123",
        ] {
            assert_eq!(
                LanguageTag::parse(text),
                Err(ValueFault::InvalidLanguage),
                "{text:?}"
            );
        }
        assert_eq!(LanguageTag::parse(""), Err(ValueFault::Empty));
    }

    #[test]
    fn a_tag_has_at_most_35_characters() {
        let longest = "en-x-abcdefgh-abcdefgh-abcdefgh-abc";
        assert_eq!(longest.len(), 35);
        assert!(LanguageTag::parse(longest).is_ok());
        assert_eq!(
            LanguageTag::parse(&format!("{longest}d")),
            Err(ValueFault::TooLong)
        );
    }

    #[test]
    fn a_stored_tag_reads_back_unchecked_and_prints_nothing() {
        let stored: LanguageTag = serde_json::from_str(r#""klingon?""#).unwrap();
        assert_eq!(stored.reveal(), "klingon?");
        assert_eq!(format!("{stored:?}"), "LanguageTag((personal))");
    }
}
