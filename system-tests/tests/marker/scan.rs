//! What marks the personal values of this test, and are there any in these bytes?

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// In lower case: what each personal value is known by. Words carry the first; dates and numbers cannot. All are long
/// enough not to be in a sealed box by chance.
pub const MARKS: [&str; 6] = [
    "zqxvkwj",
    "1931-07-19",
    "446681877",
    "668 18 77",
    "03:04:05.678901",
    "1767323045678901",
];

/// Those that reads show to who may see them.
pub const MARKS_SHOWN: [&str; 4] = ["zqxvkwj", "1931-07-19", "446681877", "03:04:05.678901"];

/// The longest piece of text that is shown around a mark.
const AROUND: usize = 60;

/// The marks that occur in these bytes, whatever the case.
pub fn marks_in(bytes: &[u8]) -> Vec<&'static str> {
    let lower = bytes.to_ascii_lowercase();
    let marks = MARKS.into_iter();
    marks.filter(|mark| contains(&lower, mark.as_bytes())).collect()
}

/// Panics if a mark occurs in what was written to that place, and shows where.
#[track_caller]
pub fn assert_clean(place: &str, bytes: &[u8]) {
    let lower = bytes.to_ascii_lowercase();
    for mark in MARKS {
        if let Some(at) = find(&lower, mark.as_bytes()) {
            let around = at.saturating_sub(AROUND)..(at + AROUND).min(lower.len());
            panic!(
                "{place} holds {mark}: {}",
                String::from_utf8_lossy(&bytes[around])
            );
        }
    }
}

/// Whether these bytes contain those.
pub fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    find(bytes, wanted).is_some()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// A text as it is, and as what it says in base64url.
pub fn with_decoded(text: &[u8]) -> Vec<u8> {
    let mut both = text.to_vec();
    both.push(b'\n');
    both.extend(URL_SAFE_NO_PAD.decode(text).unwrap_or_default());
    both.push(b'\n');
    both
}

#[test]
fn a_mark_is_found_whatever_its_case_and_place() {
    assert_eq!(marks_in(b"... \"Mr ZqXvKwJ-Family\" ..."), ["zqxvkwj"]);
    assert_eq!(
        marks_in(b"born 1931-07-19, +41446681877"),
        ["1931-07-19", "446681877"]
    );
    assert_eq!(marks_in(b"born 1931-07-18"), Vec::<&str>::new());
    let hidden = URL_SAFE_NO_PAD.encode("a zqxvkwj in metadata");
    assert_eq!(marks_in(hidden.as_bytes()), Vec::<&str>::new());
    assert_eq!(marks_in(&with_decoded(hidden.as_bytes())), ["zqxvkwj"]);
}
