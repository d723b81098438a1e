//! What is a patient found by, and how is it asked for?

use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::search::PatientCriteria;

use praxis_read_models::views::ViewsError;

use super::conn::{number, views_error};
use crate::packed::Packed;
use crate::session::Statement;

/// Whoever has a key in a range, by id. The documents are read for the page only.
const SEARCH_BY_ONE: &str = "-- store_mysql::views::search::search_by_one
SELECT p.document
FROM (
    SELECT DISTINCT k.patient_id
    FROM patient_keys AS k FORCE INDEX (patient_keys_by_value)
    WHERE k.kind = ? AND k.value >= ? AND k.value < ? AND k.patient_id > ?
    ORDER BY k.patient_id LIMIT ?) AS found
STRAIGHT_JOIN patients AS p FORCE INDEX (PRIMARY) ON p.id = found.patient_id
ORDER BY p.id";

/// The same, and every other range is tested on what the first finds.
const SEARCH_BY_SEVERAL: &str = "-- store_mysql::views::search::search_by_several
WITH asked AS (
    SELECT DISTINCT n.i, n.kind, SUBSTR(p.v, n.at, n.a) AS from_value, SUBSTR(p.v, n.at + n.a, n.b) AS to_value
    FROM (SELECT ? AS f, ? AS v UNION ALL SELECT document, document FROM locations WHERE FALSE) AS p
    STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
        i FOR ORDINALITY,
        kind TINYINT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
        at INT UNSIGNED PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
        a INT UNSIGNED PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR,
        b INT UNSIGNED PATH '$[3]' ERROR ON EMPTY ERROR ON ERROR)) AS n)
SELECT p.document
FROM (
    SELECT DISTINCT k.patient_id
    FROM patient_keys AS k FORCE INDEX (patient_keys_by_value)
    WHERE k.kind = ? AND k.value >= ? AND k.value < ? AND k.patient_id > ?
        AND NOT EXISTS (
            SELECT 1 FROM asked AS a
            WHERE NOT EXISTS (
                SELECT 1 FROM patient_keys AS o FORCE INDEX (PRIMARY)
                WHERE o.patient_id = k.patient_id AND o.kind = a.kind
                    AND o.value >= a.from_value AND o.value < a.to_value))
    ORDER BY k.patient_id LIMIT ?) AS found
STRAIGHT_JOIN patients AS p FORCE INDEX (PRIMARY) ON p.id = found.patient_id
ORDER BY p.id";

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
}

impl KeyKind {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::RecordNumber => 1,
            Self::NameWord => 2,
            Self::BirthDate => 3,
            Self::Identifier => 4,
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

/// Stored keys of one kind from a value up to, but without, another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyRange {
    pub(super) kind: KeyKind,
    pub(super) from: Vec<u8>,
    pub(super) to: Vec<u8>,
}

impl KeyRange {
    fn exactly(kind: KeyKind, value: &str) -> Self {
        Self::up_to(kind, value, 0)
    }

    /// No byte of a UTF-8 text is 0xff.
    fn beginning(kind: KeyKind, value: &str) -> Self {
        Self::up_to(kind, value, 0xff)
    }

    fn up_to(kind: KeyKind, value: &str, last_byte: u8) -> Self {
        let from = cut(value);
        let to = [from.as_slice(), &[last_byte]].concat();
        Self { kind, from, to }
    }
}

/// From a year and month on, a birth date leaves fewer candidates than the beginning of a name.
const SELECTIVE_DATE_BYTES: usize = 7;

/// The criteria as ranges of stored keys, every one of which must hold: that with the fewest candidates first.
pub(super) fn ranges(criteria: &PatientCriteria) -> Vec<KeyRange> {
    let mut ranges = Vec::new();
    let identifier = criteria.identifier.iter();
    ranges.extend(identifier.map(|value| KeyRange::exactly(KeyKind::Identifier, value.reveal())));
    let record_number = criteria.record_number.iter();
    ranges.extend(record_number.map(|value| KeyRange::exactly(KeyKind::RecordNumber, &value.to_string())));
    let birth_date = criteria
        .birth_date
        .as_ref()
        .map(|date| KeyRange::beginning(KeyKind::BirthDate, date.reveal()));
    let (selective, broad): (Vec<_>, Vec<_>) = birth_date
        .into_iter()
        .partition(|range| range.from.len() >= SELECTIVE_DATE_BYTES);
    ranges.extend(selective);
    let names = criteria.name_tokens.iter();
    ranges.extend(names.map(|value| KeyRange::beginning(KeyKind::NameWord, value.reveal())));
    ranges.extend(broad);
    ranges
}

/// The statement that finds whom the criteria mean; `None` where nothing is asked for.
pub(super) fn statement(
    criteria: &PatientCriteria,
    after: Vec<u8>,
    limit: u32,
) -> Result<Option<Statement<'static>>, ViewsError> {
    let mut ranges = ranges(criteria).into_iter();
    let Some(first) = ranges.next() else {
        return Ok(None);
    };
    let mut others = Packed::default();
    for range in ranges {
        let numbers = [
            i64::from(range.kind.byte()),
            others.varying_offset().map_err(views_error)?,
            number(range.from.len())?,
            number(range.to.len())?,
        ];
        others.row(&[], &[&range.from, &range.to], &numbers);
    }
    let statement = if others.rows() == 0 {
        sqlx::query(SEARCH_BY_ONE)
    } else {
        others.bind(SEARCH_BY_SEVERAL)
    };
    let statement = statement
        .bind(first.kind.byte())
        .bind(first.from)
        .bind(first.to)
        .bind(after)
        .bind(limit);
    Ok(Some(statement))
}
