//! What is a patient found by, and how is it asked for?

use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::search::{Condition, PatientCriteria};

use praxis_read_models::views::ViewsError;

use super::conn::{number, views_error};
use crate::packed::Packed;
use crate::session::Statement;

/// Whoever has a key, by id, of which the index `patient_keys_by_value` says where to look, and how. The documents are
/// read for the page only.
macro_rules! search {
    ($name:literal, $before:literal, $distinct:literal, $wanted:literal, $others:literal) => {
        concat!(
            "-- store_mysql::views::search::",
            $name,
            $before,
            "
SELECT p.document
FROM (
    SELECT ",
            $distinct,
            "k.patient_id
    FROM patient_keys AS k FORCE INDEX (patient_keys_by_value)
    WHERE k.kind = ? AND ",
            $wanted,
            " AND k.patient_id > ?",
            $others,
            "
    ORDER BY k.patient_id LIMIT ?) AS found
STRAIGHT_JOIN patients AS p FORCE INDEX (PRIMARY) ON p.id = found.patient_id
ORDER BY p.id"
        )
    };
    // By one condition.
    ($name:literal, $distinct:literal, $wanted:literal) => {
        search!($name, "", $distinct, $wanted, "")
    };
    // Every other range is tested on what the first condition finds, until there is a page.
    ($name:literal, $distinct:literal, $wanted:literal, and others) => {
        search!(
            $name,
            "
WITH asked AS (
    SELECT DISTINCT n.i, n.kind, SUBSTR(p.v, n.at, n.a) AS from_value, SUBSTR(p.v, n.at + n.a, n.b) AS to_value
    FROM (SELECT ? AS f, ? AS v UNION ALL SELECT document, document FROM locations WHERE FALSE) AS p
    STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
        i FOR ORDINALITY,
        kind TINYINT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
        at INT UNSIGNED PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
        a INT UNSIGNED PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR,
        b INT UNSIGNED PATH '$[3]' ERROR ON EMPTY ERROR ON ERROR)) AS n)",
            $distinct,
            $wanted,
            "
        AND NOT EXISTS (
            SELECT 1 FROM asked AS a
            WHERE NOT EXISTS (
                SELECT 1 FROM patient_keys AS o FORCE INDEX (PRIMARY)
                WHERE o.patient_id = k.patient_id AND o.kind = a.kind
                    AND o.value >= a.from_value AND o.value < a.to_value))"
        )
    };
}

const SEARCH_BY_RANGE: &str = search!("search_by_range", "DISTINCT ", "k.value >= ? AND k.value < ?");
const SEARCH_BY_RANGE_AND_OTHERS: &str = search!(
    "search_by_range_and_others",
    "DISTINCT ",
    "k.value >= ? AND k.value < ?",
    and others
);

/// Whoever has exactly that key: the index has them by id, and is read for the page only, too.
const SEARCH_BY_VALUE: &str = search!("search_by_value", "", "k.value = ?");
const SEARCH_BY_VALUE_AND_OTHERS: &str = search!("search_by_value_and_others", "", "k.value = ?", and others);

/// The longest value in an index, bytes; what is longer is stored and asked for without its end. The domain allows no
/// name or identifier that is as long when it is folded.
const VALUE_BYTES_MAX: usize = 2048;

/// What kind of thing a patient is found by; the byte is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    RecordNumber,
    NameWord,
    BirthDate,
    Identifier,
    Initial,
}

impl KeyKind {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::RecordNumber => 1,
            Self::NameWord => 2,
            Self::BirthDate => 3,
            Self::Identifier => 4,
            Self::Initial => 5,
        }
    }
}

/// Kind and folded value of everything a patient is found by. The kinds of which each patient has one come first, so
/// that a change of names moves the least rows.
pub(super) fn stored_keys(row: &PatientRow) -> Vec<(KeyKind, Vec<u8>)> {
    let keys = row.search_keys();
    let mut stored = vec![(KeyKind::RecordNumber, row.record_number.to_string().into_bytes())];
    stored.extend(
        keys.birth_date
            .iter()
            .map(|date| (KeyKind::BirthDate, cut(date.reveal()))),
    );
    stored.extend(
        keys.names
            .iter()
            .map(|name| (KeyKind::NameWord, cut(name.reveal()))),
    );
    stored.extend(
        keys.initials()
            .iter()
            .map(|letter| (KeyKind::Initial, cut(letter.reveal()))),
    );
    stored.extend(
        keys.identifiers
            .iter()
            .map(|value| (KeyKind::Identifier, cut(value.reveal()))),
    );
    stored
}

fn cut(value: &str) -> Vec<u8> {
    let bytes = value.as_bytes();
    bytes.get(..VALUE_BYTES_MAX).unwrap_or(bytes).to_vec()
}

/// Stored keys of one kind that a patient must have one of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    kind: KeyKind,
    value: Vec<u8>,
    /// Whether the key is the value, or begins with it.
    extent: Extent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Exactly,
    Beginning,
}

impl Wanted {
    fn by(condition: Condition<'_>) -> Self {
        let (kind, value, extent) = match condition {
            Condition::Identifier(value) => (KeyKind::Identifier, cut(value.reveal()), Extent::Exactly),
            Condition::RecordNumber(number) => {
                let value = number.to_string().into_bytes();
                (KeyKind::RecordNumber, value, Extent::Exactly)
            }
            Condition::Initial(letter) => (KeyKind::Initial, cut(letter.reveal()), Extent::Exactly),
            Condition::BirthDate(date) => (KeyKind::BirthDate, cut(date.reveal()), Extent::Beginning),
            Condition::Name(word) => (KeyKind::NameWord, cut(word.reveal()), Extent::Beginning),
        };
        Self { kind, value, extent }
    }

    /// The first value after those wanted. No byte of a UTF-8 text is 0xff.
    fn end(&self) -> Vec<u8> {
        let last_byte = match self.extent {
            Extent::Exactly => 0,
            Extent::Beginning => 0xff,
        };
        [self.value.as_slice(), &[last_byte]].concat()
    }
}

/// The statement that finds whom the criteria mean; `None` where nothing is asked for.
pub(super) fn statement(
    criteria: &PatientCriteria,
    after: Vec<u8>,
    limit: u32,
) -> Result<Option<Statement<'static>>, ViewsError> {
    let mut conditions = criteria.conditions().into_iter().map(Wanted::by);
    let Some(first) = conditions.next() else {
        return Ok(None);
    };
    let mut others = Packed::default();
    for wanted in conditions {
        let end = wanted.end();
        let numbers = [
            i64::from(wanted.kind.byte()),
            others.varying_offset().map_err(views_error)?,
            number(wanted.value.len())?,
            number(end.len())?,
        ];
        others.row(&[], &[&wanted.value, &end], &numbers);
    }
    let alone = others.rows() == 0;
    let statement = match (first.extent, alone) {
        (Extent::Exactly, true) => sqlx::query(SEARCH_BY_VALUE),
        (Extent::Exactly, false) => others.bind(SEARCH_BY_VALUE_AND_OTHERS),
        (Extent::Beginning, true) => sqlx::query(SEARCH_BY_RANGE),
        (Extent::Beginning, false) => others.bind(SEARCH_BY_RANGE_AND_OTHERS),
    };
    let end = first.end();
    let statement = statement.bind(first.kind.byte()).bind(first.value);
    let statement = match first.extent {
        Extent::Exactly => statement,
        Extent::Beginning => statement.bind(end),
    };
    Ok(Some(statement.bind(after).bind(limit)))
}
