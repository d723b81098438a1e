//! Whether two programs make the same rows: a short hash over all that decides it.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256};
use praxis_events::event::Event;
use praxis_events::ids::StreamType;

use crate::fold::ReadModel;

const FINGERPRINT_LEN: usize = 8;
const DOMAIN: &[u8] = b"praxis/fingerprint/1";

/// The first 8 bytes of SHA-256 over, each length-prefixed and in this order: name and fold version of every read
/// model; name and schema version of every event type of every kind of stream (what upcasters lift to); the text of
/// the views' SQL as the adapter gives it. Written as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; FINGERPRINT_LEN]);

/// A text that is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 16 hexadecimal digits")]
pub struct NotAFingerprint;

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let well_formed =
            text.len() == 2 * FINGERPRINT_LEN && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !well_formed {
            return Err(NotAFingerprint);
        }
        u64::from_str_radix(text, 16)
            .map(|number| Self(number.to_be_bytes()))
            .map_err(|_| NotAFingerprint)
    }
}

/// The fingerprint of this program over an adapter's SQL, in the adapter's order.
pub fn fingerprint(views_sql: &[&str]) -> Fingerprint {
    macro_rules! folds {
        ($($model:ty: $load:ident, $save:ident;)+) => { [$((<$model>::NAME, <$model>::FOLD_VERSION)),+] };
    }
    let folds = crate::for_each_read_model!(folds);
    let types: Vec<(&str, u32)> = StreamType::ALL
        .into_iter()
        .flat_map(Event::types)
        .map(|known| (known.name, known.schema_version))
        .collect();
    fingerprint_of(&folds, &types, views_sql)
}

fn fingerprint_of(folds: &[(&str, u32)], types: &[(&str, u32)], views_sql: &[&str]) -> Fingerprint {
    let mut context = Context::new(&SHA256);
    context.update(DOMAIN);
    for list in [folds, types] {
        context.update(&len_prefix(list.len()));
        for (name, version) in list {
            put(&mut context, name.as_bytes());
            put(&mut context, &version.to_be_bytes());
        }
    }
    for text in views_sql {
        put(&mut context, text.as_bytes());
    }
    let mut first = [0; FINGERPRINT_LEN];
    first.copy_from_slice(&context.finish().as_ref()[..FINGERPRINT_LEN]);
    Fingerprint(first)
}

fn put(context: &mut Context, bytes: &[u8]) {
    context.update(&len_prefix(bytes.len()));
    context.update(bytes);
}

/// Eight bytes on every machine, so that 32-bit and 64-bit builds agree.
fn len_prefix(len: usize) -> [u8; 8] {
    u64::try_from(len).unwrap_or(u64::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDS: &[(&str, u32)] = &[("patients", 1), ("threads", 1)];
    const TYPES: &[(&str, u32)] = &[("patient.registered", 1)];

    #[test]
    fn the_same_program_has_the_same_fingerprint() {
        assert_eq!(fingerprint(&["CREATE TABLE a"]), fingerprint(&["CREATE TABLE a"]));
    }

    #[test]
    fn anything_that_decides_rows_changes_it() {
        let before = fingerprint_of(FOLDS, TYPES, &["ab", "c"]);
        assert_ne!(
            fingerprint_of(&[("patients", 2), ("threads", 1)], TYPES, &["ab", "c"]),
            before
        );
        assert_ne!(fingerprint_of(&[("patients", 1)], TYPES, &["ab", "c"]), before);
        assert_ne!(
            fingerprint_of(FOLDS, &[("patient.registered", 2)], &["ab", "c"]),
            before
        );
        assert_ne!(fingerprint_of(FOLDS, TYPES, &["a", "bc"]), before);
    }

    #[test]
    fn its_text_is_read_back() {
        let fingerprint = fingerprint(&[]);
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!("".parse::<Fingerprint>(), Err(NotAFingerprint));
        assert_eq!("+123456789abcdef".parse::<Fingerprint>(), Err(NotAFingerprint));
    }
}
