//! How a patient is found: what is written of a name, number or date, and what is asked, brought to one form.

use praxis_events::personal::Personal;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Words of a name that are looked for; further ones are ignored.
pub const QUERY_TOKENS_MAX: usize = 8;

/// From a year and month on, a birth date leaves fewer candidates than the beginning of a name.
const SELECTIVE_DATE_BYTES: usize = 7;

/// From three letters on, the beginning of a name leaves fewer candidates than a year of birth.
const SELECTIVE_WORD_CHARS: usize = 3;

/// What a patient is found by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchKeys {
    /// Words of the names, folded, in order, without repetition.
    pub names: Vec<Personal<String>>,
    /// Birth date as written: YYYY, YYYY-MM or YYYY-MM-DD.
    pub birth_date: Option<Personal<String>>,
    /// Values of identifiers, folded, in order, without repetition.
    pub identifiers: Vec<Personal<String>>,
}

/// What is asked for; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatientQuery {
    /// Beginnings of words of the name, in any order and writing.
    pub name: Option<Personal<String>>,
    /// A birth date, or its year, or its year and month.
    pub birth_date: Option<Personal<String>>,
    /// The value of an identifier.
    pub identifier: Option<Personal<String>>,
    /// The record number's counter value, without its check digit.
    pub record_number: Option<u64>,
}

/// A [`PatientQuery`] in the form of the [`SearchKeys`] it is compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatientCriteria {
    /// Each must begin a word of the name; the longest first, because it leaves the fewest candidates.
    pub name_tokens: Vec<Personal<String>>,
    /// The birth date must begin with it.
    pub birth_date: Option<Personal<String>>,
    /// One identifier must equal it.
    pub identifier: Option<Personal<String>>,
    /// The record number must equal it.
    pub record_number: Option<u64>,
}

/// One of the criteria, as it is looked up among stored keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// An identifier equals it.
    Identifier(&'a Personal<String>),
    /// The record number equals it.
    RecordNumber(u64),
    /// The birth date begins with it.
    BirthDate(&'a Personal<String>),
    /// A word of the name begins with these two letters or more.
    Name(&'a Personal<String>),
    /// A word of the name begins with this letter.
    Initial(&'a Personal<String>),
}

impl Condition<'_> {
    /// How few candidates it leaves, the fewest first. A year is a hundredth of all patients, two letters may be as
    /// many, one letter a third.
    fn rank(&self) -> u8 {
        match self {
            Self::Identifier(_) => 0,
            Self::RecordNumber(_) => 1,
            Self::BirthDate(date) if date.reveal().len() >= SELECTIVE_DATE_BYTES => 2,
            Self::Name(word) if word.reveal().chars().count() >= SELECTIVE_WORD_CHARS => 3,
            Self::BirthDate(_) => 4,
            Self::Name(_) => 5,
            Self::Initial(_) => 6,
        }
    }
}

impl SearchKeys {
    /// The first letters of the words of the names, in order, without repetition: a single letter begins too many
    /// words to be looked for among them.
    pub fn initials(&self) -> Vec<Personal<String>> {
        let firsts = self.names.iter().filter_map(|name| name.reveal().chars().next());
        let mut initials: Vec<_> = firsts.map(|letter| Personal::new(letter.to_string())).collect();
        // Words in order have their first letters in order.
        initials.dedup();
        initials
    }
}

impl PatientQuery {
    /// The criteria, or `None` if nothing is asked for (an empty name, a name of punctuation): nobody is found.
    pub fn criteria(&self) -> Option<PatientCriteria> {
        let mut name_tokens = name_tokens(&self.name);
        name_tokens.sort_by(|a, b| b.reveal().len().cmp(&a.reveal().len()).then_with(|| a.cmp(b)));
        name_tokens.truncate(QUERY_TOKENS_MAX);
        let unanswerable = self.name.is_some() && name_tokens.is_empty();
        let identifier = self.identifier.as_ref().map(fold_identifier);
        let criteria = PatientCriteria {
            name_tokens,
            birth_date: self.birth_date.clone(),
            identifier,
            record_number: self.record_number,
        };
        (!unanswerable && criteria != PatientCriteria::default()).then_some(criteria)
    }
}

impl PatientCriteria {
    /// Every condition, that which leaves the fewest candidates first.
    pub fn conditions(&self) -> Vec<Condition<'_>> {
        let mut conditions: Vec<Condition<'_>> = self.identifier.iter().map(Condition::Identifier).collect();
        conditions.extend(self.record_number.map(Condition::RecordNumber));
        conditions.extend(self.birth_date.iter().map(Condition::BirthDate));
        conditions.extend(self.name_tokens.iter().map(|word| {
            if word.reveal().chars().nth(1).is_some() {
                Condition::Name(word)
            } else {
                Condition::Initial(word)
            }
        }));
        conditions.sort_by_key(Condition::rank);
        conditions
    }

    /// Whether a patient with those keys is meant: what every adapter's query must agree with.
    pub fn is_met_by(&self, keys: &SearchKeys, record_number: u64) -> bool {
        let begins = |token: &Personal<String>| {
            keys.names
                .iter()
                .any(|name| name.reveal().starts_with(token.reveal()))
        };
        self.name_tokens.iter().all(begins)
            && self.birth_date.as_ref().is_none_or(|asked| {
                keys.birth_date
                    .as_ref()
                    .is_some_and(|known| known.reveal().starts_with(asked.reveal()))
            })
            && self
                .identifier
                .as_ref()
                .is_none_or(|asked| keys.identifiers.contains(asked))
            && self.record_number.is_none_or(|asked| asked == record_number)
    }
}

/// The words of names: folded, in order, without repetition.
pub fn name_tokens<'a>(names: impl IntoIterator<Item = &'a Personal<String>>) -> Vec<Personal<String>> {
    let mut tokens: Vec<Personal<String>> = names
        .into_iter()
        .flat_map(|name| fold_words(name.reveal()))
        .map(Personal::new)
        .collect();
    tokens.sort();
    tokens.dedup();
    tokens
}

/// An identifier's value without what people leave out or add: case, spaces, punctuation.
pub fn fold_identifier(value: &Personal<String>) -> Personal<String> {
    Personal::new(fold_words(value.reveal()).concat())
}

/// Words without accents and case. Upper case comes first, because it is where `ß` and `ss` meet; marks are taken away
/// after decomposition, so that `é` and `e` meet.
fn fold_words(text: &str) -> Vec<String> {
    let plain: String = text
        .to_uppercase()
        .nfkd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
        .collect();
    plain
        .replace(['\'', '\u{2019}'], "")
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn personal(text: &str) -> Personal<String> {
        Personal::new(text.to_owned())
    }

    fn folded(text: &str) -> Vec<String> {
        name_tokens([&personal(text)])
            .into_iter()
            .map(Personal::into_revealed)
            .collect()
    }

    fn keys(names: &str) -> SearchKeys {
        SearchKeys {
            names: name_tokens([&personal(names)]),
            birth_date: Some(personal("1970-03-01")),
            identifiers: vec![fold_identifier(&personal("AB 12-34"))],
        }
    }

    fn named(name: &str) -> PatientQuery {
        PatientQuery {
            name: Some(personal(name)),
            ..PatientQuery::default()
        }
    }

    fn finds(query: &PatientQuery, keys: &SearchKeys) -> bool {
        query
            .criteria()
            .is_some_and(|criteria| criteria.is_met_by(keys, 7))
    }

    #[test]
    fn accents_case_and_punctuation_do_not_matter() {
        assert_eq!(folded("MÜLLER-Lüdenscheidt"), ["ludenscheidt", "muller"]);
        assert_eq!(folded("O\u{2019}Brien"), folded("obrien"));
        assert_eq!(folded("Strauß"), folded("STRAUSS"));
        assert_eq!(folded("Jose\u{301}"), folded("José"));
        assert_eq!(folded(" ,. "), Vec::<String>::new());
    }

    #[test]
    fn beginnings_of_words_are_found_in_any_order() {
        let keys = keys("García Márquez Gabriel");
        assert!(finds(&named("gab marq"), &keys));
        assert!(!finds(&named("gab quez"), &keys));
    }

    #[test]
    fn every_criterion_must_hold() {
        let keys = keys("Ada");
        let query = PatientQuery {
            name: Some(personal("ada")),
            birth_date: Some(personal("1970")),
            identifier: Some(personal("ab1234")),
            record_number: Some(7),
        };
        assert!(finds(&query, &keys));
        assert!(!finds(
            &PatientQuery {
                birth_date: Some(personal("1971")),
                ..query.clone()
            },
            &keys
        ));
        assert!(!finds(
            &PatientQuery {
                identifier: Some(personal("ab123")),
                ..query.clone()
            },
            &keys
        ));
        assert!(!finds(
            &PatientQuery {
                record_number: Some(8),
                ..query
            },
            &keys
        ));
    }

    #[test]
    fn a_query_without_letters_finds_nobody() {
        assert_eq!(named(" - ").criteria(), None);
        assert_eq!(PatientQuery::default().criteria(), None);
        let with_date = PatientQuery {
            birth_date: Some(personal("1970")),
            ..named(" - ")
        };
        assert_eq!(with_date.criteria(), None);
    }

    #[test]
    fn the_longest_words_are_kept_when_there_are_too_many() {
        let criteria = named("a bb ccc d e f g h i longest").criteria().expect("words");
        assert_eq!(criteria.name_tokens.len(), QUERY_TOKENS_MAX);
        assert_eq!(criteria.name_tokens[0], personal("longest"));
    }

    #[test]
    fn what_leaves_the_fewest_candidates_is_looked_up_first() {
        let query = PatientQuery {
            name: Some(personal("al x andr")),
            birth_date: Some(personal("1970")),
            identifier: Some(personal("ab1234")),
            record_number: Some(7),
        };
        let criteria = query.criteria().expect("something is asked for");
        assert_eq!(
            criteria.conditions(),
            [
                Condition::Identifier(&personal("ab1234")),
                Condition::RecordNumber(7),
                Condition::Name(&personal("andr")),
                Condition::BirthDate(&personal("1970")),
                Condition::Name(&personal("al")),
                Condition::Initial(&personal("x")),
            ]
        );
        let born = PatientQuery {
            birth_date: Some(personal("1970-03")),
            ..named("andr")
        };
        let criteria = born.criteria().expect("something is asked for");
        assert_eq!(
            criteria.conditions()[0],
            Condition::BirthDate(&personal("1970-03"))
        );
    }

    #[test]
    fn initials_are_letters_whatever_their_bytes_and_not_repeated() {
        assert_eq!(
            keys("Émile Étienne Ødegård 李 7").initials(),
            ["7", "e", "ø", "李"].map(personal)
        );
    }
}
