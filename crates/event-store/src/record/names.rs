//! Which names may enter the record's bytes, and how a field of varying length is framed.

use std::fmt;

/// Longest name in bytes. Raising it changes no stored byte.
pub const NAME_LEN_MAX: usize = 64;

/// A stored event type, stream type, box label or claim resource: 1 to [`NAME_LEN_MAX`] bytes of ASCII letters,
/// digits, `.`, `_`, `-` and `/`, so that one name has one spelling in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordName<'a>(&'a str);

/// The text cannot be a name of the record. The text itself is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or longer than [`NAME_LEN_MAX`].
    #[error("a record name has 1 to {NAME_LEN_MAX} bytes, found {len}")]
    Length {
        /// The length found, in bytes.
        len: usize,
    },
    /// A byte that is not an ASCII letter, digit, `.`, `_`, `-` or `/`.
    #[error("byte {index} of a record name is no ASCII letter, digit, '.', '_', '-' or '/'")]
    Character {
        /// Where the first such byte stands, from 0.
        index: usize,
    },
}

impl<'a> RecordName<'a> {
    /// The name, if it is one.
    pub fn try_new(text: &'a str) -> Result<Self, NameError> {
        if text.is_empty() || text.len() > NAME_LEN_MAX {
            return Err(NameError::Length { len: text.len() });
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/');
        match text.bytes().position(|byte| !allowed(byte)) {
            Some(index) => Err(NameError::Character { index }),
            None => Ok(Self(text)),
        }
    }

    /// The name as text.
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// The name as the bytes that are hashed.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for RecordName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

/// Appends a field of varying length: its length as u32 big-endian, then its bytes.
///
/// One width everywhere. Fields are ids, names and request lines; the saturation is out of reach (4 GiB) and only
/// there because this function cannot fail.
pub(super) fn put_prefixed(out: &mut Vec<u8>, field: &[u8]) {
    let len = u32::try_from(field.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(field);
}

#[cfg(test)]
mod tests {
    use praxis_events::event::Event;
    use praxis_events::ids::StreamType;

    use super::{NAME_LEN_MAX, NameError, RecordName, put_prefixed};

    #[test]
    fn names_of_both_limits_are_accepted_and_beyond_them_refused() {
        let longest = "a".repeat(NAME_LEN_MAX);
        let too_long = "a".repeat(NAME_LEN_MAX + 1);
        assert_eq!(RecordName::try_new("a").expect("one byte").as_str(), "a");
        assert_eq!(
            RecordName::try_new(&longest).expect("longest").as_bytes().len(),
            NAME_LEN_MAX
        );
        assert_eq!(RecordName::try_new(""), Err(NameError::Length { len: 0 }));
        assert_eq!(
            RecordName::try_new(&too_long),
            Err(NameError::Length {
                len: NAME_LEN_MAX + 1
            })
        );
    }

    #[test]
    fn only_plain_ascii_is_a_name() {
        assert!(RecordName::try_new("appointment.checked-in_2/X").is_ok());
        for (text, index) in [("a b", 1), ("é", 0), ("a\0", 1), ("name:", 4), ("a\n", 1)] {
            assert_eq!(
                RecordName::try_new(text),
                Err(NameError::Character { index }),
                "{text:?}"
            );
        }
    }

    #[test]
    fn every_name_of_the_contract_obeys_the_rule_and_labels_are_distinct() {
        for kind in StreamType::ALL {
            assert!(RecordName::try_new(kind.name()).is_ok(), "{}", kind.name());
            for event_type in Event::types(kind) {
                assert!(
                    RecordName::try_new(event_type.name).is_ok(),
                    "{}",
                    event_type.name
                );
                let mut labels = event_type.sealed.to_vec();
                labels.sort_unstable();
                labels.dedup();
                assert_eq!(
                    labels.len(),
                    event_type.sealed.len(),
                    "labels of {}",
                    event_type.name
                );
                assert!(
                    labels.into_iter().all(|label| RecordName::try_new(label).is_ok()),
                    "labels of {}",
                    event_type.name
                );
            }
        }
    }

    #[test]
    fn a_prefix_keeps_neighbours_apart() {
        let framed = |fields: &[&[u8]]| {
            let mut out = Vec::new();
            for field in fields {
                put_prefixed(&mut out, field);
            }
            out
        };
        assert_eq!(framed(&[b"ab"]), [0, 0, 0, 2, b'a', b'b']);
        assert_ne!(framed(&[b"ab", b"c"]), framed(&[b"a", b"bc"]));
        assert_ne!(framed(&[b"", b"a"]), framed(&[b"a", b""]));
    }
}
