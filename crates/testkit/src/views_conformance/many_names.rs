//! Does search agree with the criteria over hundreds of patients with names from many scripts?

use praxis_events::ids::PatientId;
use praxis_events::patient::{Demographics, Identifier};
use praxis_events::personal::Personal;
use praxis_events::sealed::Sealed;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::search::PatientQuery;

use super::{Open, RegistryUnderTest, usual_history};
use crate::conformance::{Outcome, sample};
use crate::rows::Rows;

const PATIENTS: u64 = 400;
const QUERIES: usize = 600;
const LIMIT: u32 = 1_000;

/// Accents, marks that stand alone, apostrophes, letters that change their number when folded, scripts without case,
/// and letters beyond the first plane, with case (Deseret) and without (Gothic, Han).
const WORDS: [&str; 24] = [
    "Åse",
    "Aseel",
    "Ana-Lucía",
    "Ana",
    "O\u{2019}Neill",
    "Oneida",
    "Strauß",
    "Strauss",
    "Straub",
    "Nguyễn",
    "Nguye\u{302}\u{303}n",
    "Müller",
    "Mulleres",
    "İpek",
    "ﬁona",
    "Соколова",
    "Соколов",
    "Παπαδόπουλος",
    "山田",
    "𠮷田",
    "𐌰𐌱𐌲",
    "𐐁𐐢𐐮𐑅",
    "𐐩𐑊𐐮𐑅𐐨𐑌",
    "Zz%_",
];

/// Numbers that look random and are the same in every run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound).expect("a small bound");
        usize::try_from((mixed ^ (mixed >> 31)) % bound).expect("below a small bound")
    }

    fn word(&mut self) -> String {
        WORDS[self.below(WORDS.len())].to_owned()
    }

    fn names(&mut self, count_max: usize) -> String {
        let count = 1 + self.below(count_max);
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    fn date(&mut self) -> String {
        let (year, month, day) = (1960 + self.below(4), 1 + self.below(12), 1 + self.below(28));
        let full = format!("{year}-{month:02}-{day:02}");
        full[..[4, 7, 10][self.below(3)]].to_owned()
    }

    fn identifier(&mut self) -> String {
        let parts = ["AB ", "ab-", "É", "№", "", "7/", "𐐁"];
        format!("{}{}", parts[self.below(parts.len())], self.below(60))
    }

    /// The beginning of a text, in any case.
    fn beginning(&mut self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let begun: String = chars[..=self.below(chars.len())].iter().collect();
        if self.below(2) == 0 {
            begun.to_uppercase()
        } else {
            begun
        }
    }
}

fn personal(text: String) -> Personal<String> {
    Personal::new(text)
}

fn patients(seeded: &mut Seeded) -> Rows {
    let pattern = Rows::of(&usual_history());
    let pattern = pattern.patients.into_values().next().expect("a patient");
    let mut rows = Rows::default();
    for n in 1..=PATIENTS {
        let demographics = Demographics {
            family_name: personal(seeded.names(2)),
            given_names: (0..seeded.below(3)).map(|_| personal(seeded.names(2))).collect(),
            birth_date: (seeded.below(8) > 0).then(|| personal(seeded.date())),
            gender: personal("other".to_owned()),
            language: None,
        };
        let identifiers = (0..seeded.below(3))
            .map(|_| Identifier {
                system: personal("urn:example".to_owned()),
                value: personal(seeded.identifier()),
            })
            .collect();
        let row = PatientRow {
            id: PatientId(sample::id(u128::from(n))),
            record_number: n,
            demographics: Sealed::Value(demographics),
            identifiers: Sealed::Value(identifiers),
            ..pattern.clone()
        };
        rows.patients.insert(row.id, row);
    }
    rows
}

/// Any of: one to three beginnings of words, a birth date, an identifier, a record number.
fn query(seeded: &mut Seeded) -> PatientQuery {
    let mut query = PatientQuery::default();
    if seeded.below(3) > 0 {
        let words: Vec<String> = (0..=seeded.below(3))
            .map(|_| {
                let word = seeded.word();
                seeded.beginning(&word)
            })
            .collect();
        query.name = Some(personal(words.join(" ")));
    }
    if seeded.below(3) == 0 {
        query.birth_date = Some(personal(seeded.date()));
    }
    if seeded.below(4) == 0 {
        query.identifier = Some(personal(seeded.identifier()));
    }
    if seeded.below(8) == 0 {
        query.record_number = u64::try_from(1 + seeded.below(20)).ok();
    }
    query
}

pub async fn search_agrees_with_the_criteria_in_every_script(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let mut seeded = Seeded(29);
    let rows = patients(&mut seeded);
    open.save(&rows).await?;
    let (mut answered, mut hits) = (0, 0);
    for nth in 0..QUERIES {
        let query = query(&mut seeded);
        let Some(criteria) = query.criteria() else {
            continue;
        };
        let meant: Vec<PatientId> = rows
            .patients
            .values()
            .filter(|row| criteria.is_met_by(&row.search_keys(), row.record_number))
            .map(|row| row.id)
            .collect();
        let found = open.reads.search_patients(&criteria, None, LIMIT).await?;
        let found: Vec<PatientId> = found.iter().map(|row| row.id).collect();
        assert_eq!(found, meant, "query {nth} of the seed");
        answered += 1;
        hits += usize::from(!meant.is_empty());
    }
    assert!(
        answered > QUERIES / 2 && hits > QUERIES / 8,
        "{answered} queries ask for something, {hits} find someone"
    );
    Ok(())
}
