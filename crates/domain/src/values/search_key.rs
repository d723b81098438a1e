//! Under which key is a name found, whatever its accents, case and punctuation?

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// The key of a name: compatibility-decomposed (NFKD), lower-case, without accents and vowel points, letters and digits
/// only. Letters that Unicode does not decompose are folded as registers do (`ß` ss, `ø` o, `ł` l, `æ` ae …).
///
/// Empty for a text without letters and digits. A key of a key is itself. It stays as personal as the name it is made from.
/// Scripts whose vowels are signs of their own (Devanagari, Thai) keep them; languages that write `ä` as `ae` are not
/// catered for here, that is a matter of similarity.
pub fn search_key(name: &str) -> String {
    let lower = name.nfkd().collect::<String>().to_lowercase();
    let mut key = String::with_capacity(lower.len());
    for c in lower.nfkd() {
        match folded(c) {
            Some(letters) => key.push_str(letters),
            None if is_accent(c) || !c.is_alphanumeric() => {}
            None => key.push(c),
        }
    }
    key
}

/// What a mark changes about its letter rather than being one; the Arabic tatweel only stretches.
fn is_accent(c: char) -> bool {
    canonical_combining_class(c) != 0 || c == '\u{640}'
}

/// Letters with a stroke, ligatures and final forms, lower-case, as plain letters.
const fn folded(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ŧ' => "t",
        'ς' => "σ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::search_key;

    #[test]
    fn names_that_differ_in_accents_case_and_punctuation_share_a_key() {
        for (one, other) in [
            ("José", "JOSE\u{301}"),
            ("Nguyễn", "nguyen"),
            ("O'Brien-Smith", "OBrien Smith"),
            ("Łukasz", "lukasz"),
            ("Straße", "STRASSE"),
            ("Sørensen", "Sorensen"),
            ("İnci Işık", "inci isik"),
            ("Æsir", "aesir"),
            ("ﬁnn", "Finn"),
            ("Ｓａｔｏ", "sato"),
            ("ΝΙΚΟΣ", "Νίκος"),
            ("שָׂרָה", "שרה"),
            ("أحمد", "احمد"),
            ("مُحَمَّد", "محمـــد"),
            ("عبد\u{200C}الله", "عبد الله"),
        ] {
            assert_eq!(search_key(one), search_key(other), "{one} {other}");
        }
    }

    #[test]
    fn keys_hold_plain_letters_and_digits() {
        assert_eq!(search_key(" Ångström-O’Neil 3rd. "), "angstromoneil3rd");
        assert_eq!(search_key("Kuhn96"), "kuhn96");
        assert_eq!(search_key("-’. \u{301}"), "");
    }

    #[test]
    fn different_letters_keep_different_keys() {
        for (one, other) in [
            ("Meier", "Maier"),
            ("कि", "का"),
            ("김", "금"),
            ("李", "王"),
            ("שרה", "שרי"),
        ] {
            assert_ne!(search_key(one), search_key(other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn a_key_of_a_key_is_itself(name in any::<String>()) {
            let key = search_key(&name);
            prop_assert_eq!(search_key(&key), key);
        }

        #[test]
        fn a_key_does_not_depend_on_the_form_of_normalisation(name in any::<String>()) {
            use unicode_normalization::UnicodeNormalization;
            let (composed, decomposed): (String, String) = (name.nfc().collect(), name.nfd().collect());
            prop_assert_eq!(search_key(&composed), search_key(&decomposed));
        }
    }
}
