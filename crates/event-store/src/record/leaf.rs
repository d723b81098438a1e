//! What one stored event is in the Merkle log: its canonical bytes and its leaf hash.
//!
//! The byte table is in `docs/adr/0002-leaf-entries-and-the-merkle-log.md`.

use uuid::Uuid;

use super::hash::{HASH_LEN, Hash, sha256, sha256_of_parts};
use super::names::{NAME_LEN_MAX, NameError, RecordName, put_prefixed};
use crate::port::StoredEvent;

/// What every entry begins with.
const LEAF_MAGIC: &[u8; 11] = b"praxis-leaf";

/// RFC 9162 section 2.1.1: what a leaf's hash input begins with. A node's begins with 0x01.
const LEAF_PREFIX: u8 = 0x00;

const FIXED_LEN: usize = LEAF_MAGIC.len() + 1 + 16 + 8 + 8 + 16 + 8 + 16 + 4 + 1 + HASH_LEN + HASH_LEN;

/// Longest entry: both names at their limit, a subject present.
pub const LEAF_ENTRY_LEN_MAX: usize = FIXED_LEN + 16 + 2 * (4 + NAME_LEN_MAX);

/// Which fields an entry has, as kept beside each event (`leaf_format`). A later column means a later format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeafFormat {
    /// The first: exactly the fields of [`LeafEntry`].
    V1,
}

/// A leaf format that this version does not know: written by a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("leaf format {0} is not known to this version")]
pub struct UnknownLeafFormat(pub u8);

impl LeafFormat {
    /// The format new events are written in.
    pub const CURRENT: Self = Self::V1;

    /// The byte stored in `leaf_format` and hashed in the entry.
    pub const fn byte(self) -> u8 {
        match self {
            Self::V1 => 1,
        }
    }
}

impl TryFrom<u8> for LeafFormat {
    type Error = UnknownLeafFormat;

    fn try_from(byte: u8) -> Result<Self, Self::Error> {
        match byte {
            1 => Ok(Self::V1),
            unknown => Err(UnknownLeafFormat(unknown)),
        }
    }
}

/// All that the log vouches for of one event, as read from its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafEntry<'a> {
    /// The format of this entry.
    pub format: LeafFormat,
    /// The log it belongs to.
    pub log_id: Uuid,
    /// Its place in the one order, from 1.
    pub position: u64,
    /// When it was recorded, microseconds since 1970-01-01T00:00:00Z.
    pub recorded_at_us: i64,
    /// The stream it belongs to.
    pub stream_id: Uuid,
    /// Its place in that stream, as stored.
    pub stream_version: u64,
    /// Its own id.
    pub event_id: Uuid,
    /// The schema version it was written in, never an upcast one.
    pub schema_version: u32,
    /// The kind of stream, as stored.
    pub stream_type: RecordName<'a>,
    /// The event type, as stored.
    pub event_type: RecordName<'a>,
    /// Whom it is chiefly about, or nobody. The nil id is somebody.
    pub subject_id: Option<Uuid>,
    /// SHA-256 of the stored metadata bytes.
    pub metadata_hash: Hash,
    /// SHA-256 of the stored payload bytes, boxes in their text form.
    pub payload_hash: Hash,
}

impl LeafEntry<'_> {
    /// The canonical bytes; different entries have different bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LEAF_ENTRY_LEN_MAX);
        self.put(&mut out);
        out
    }

    /// The RFC 9162 leaf hash: SHA-256(0x00 ‖ entry). Computed under the head lock, as it holds position and time.
    pub fn leaf_hash(&self) -> Hash {
        let mut input = Vec::with_capacity(1 + LEAF_ENTRY_LEN_MAX);
        input.push(LEAF_PREFIX);
        self.put(&mut input);
        sha256_of_parts(&[&input])
    }

    /// The leaf's index in the tree, position − 1; `None` for position 0, which no event has.
    pub const fn tree_index(&self) -> Option<u64> {
        self.position.checked_sub(1)
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(LEAF_MAGIC);
        out.push(self.format.byte());
        out.extend_from_slice(self.log_id.as_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
        out.extend_from_slice(&self.recorded_at_us.to_be_bytes());
        out.extend_from_slice(self.stream_id.as_bytes());
        out.extend_from_slice(&self.stream_version.to_be_bytes());
        out.extend_from_slice(self.event_id.as_bytes());
        out.extend_from_slice(&self.schema_version.to_be_bytes());
        put_prefixed(out, self.stream_type.as_bytes());
        put_prefixed(out, self.event_type.as_bytes());
        match &self.subject_id {
            None => out.push(0),
            Some(subject_id) => {
                out.push(1);
                out.extend_from_slice(subject_id.as_bytes());
            }
        }
        out.extend_from_slice(&self.metadata_hash);
        out.extend_from_slice(&self.payload_hash);
    }
}

/// Why a row read back has no leaf hash to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafRowError {
    /// Written by a newer version: no fault of the row.
    #[error(transparent)]
    Format(#[from] UnknownLeafFormat),
    /// A type that is no name was never written: the row is damaged.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// The leaf hash that a row read back must carry: computed anew from its columns, in the format it names.
pub fn recomputed_leaf_hash(log_id: Uuid, row: &StoredEvent) -> Result<Hash, LeafRowError> {
    let entry = LeafEntry {
        format: LeafFormat::try_from(row.leaf_format)?,
        log_id,
        position: row.position,
        recorded_at_us: row.recorded_at,
        stream_id: row.stream_id,
        stream_version: row.stream_version,
        event_id: row.event_id,
        schema_version: row.schema_version,
        stream_type: RecordName::try_new(&row.stream_type)?,
        event_type: RecordName::try_new(&row.event_type)?,
        subject_id: row.subject_id,
        metadata_hash: sha256(&row.metadata),
        payload_hash: sha256(&row.payload),
    };
    Ok(entry.leaf_hash())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::{
        FIXED_LEN, LEAF_ENTRY_LEN_MAX, LeafEntry, LeafFormat, LeafRowError, UnknownLeafFormat,
        recomputed_leaf_hash,
    };
    use crate::port::StoredEvent;
    use crate::record::hash::sha256;
    use crate::record::names::RecordName;

    type Change = fn(&mut StoredEvent);

    /// Takes an entry's bytes apart again: that this is possible is what makes them unambiguous.
    struct Reader<'a>(&'a [u8]);

    impl<'a> Reader<'a> {
        fn take(&mut self, len: usize) -> &'a [u8] {
            let (head, tail) = self.0.split_at(len);
            self.0 = tail;
            head
        }

        fn array<const N: usize>(&mut self) -> [u8; N] {
            self.take(N).try_into().expect("as many bytes as asked")
        }

        fn uuid(&mut self) -> Uuid {
            Uuid::from_bytes(self.array())
        }

        fn name(&mut self) -> RecordName<'a> {
            let len = usize::try_from(u32::from_be_bytes(self.array())).expect("small");
            RecordName::try_new(std::str::from_utf8(self.take(len)).expect("ASCII")).expect("a name")
        }
    }

    fn parse(bytes: &[u8]) -> LeafEntry<'_> {
        let mut reader = Reader(bytes);
        assert_eq!(reader.take(11), b"praxis-leaf");
        let entry = LeafEntry {
            format: LeafFormat::try_from(reader.array::<1>()[0]).expect("known"),
            log_id: reader.uuid(),
            position: u64::from_be_bytes(reader.array()),
            recorded_at_us: i64::from_be_bytes(reader.array()),
            stream_id: reader.uuid(),
            stream_version: u64::from_be_bytes(reader.array()),
            event_id: reader.uuid(),
            schema_version: u32::from_be_bytes(reader.array()),
            stream_type: reader.name(),
            event_type: reader.name(),
            subject_id: match reader.array::<1>()[0] {
                0 => None,
                1 => Some(reader.uuid()),
                other => panic!("presence byte {other}"),
            },
            metadata_hash: reader.array(),
            payload_hash: reader.array(),
        };
        assert!(reader.0.is_empty(), "nothing follows the payload hash");
        entry
    }

    fn entry<'a>(stream_type: &'a str, event_type: &'a str) -> LeafEntry<'a> {
        LeafEntry {
            format: LeafFormat::CURRENT,
            log_id: Uuid::from_u128(1),
            position: 1,
            recorded_at_us: 0,
            stream_id: Uuid::from_u128(2),
            stream_version: 1,
            event_id: Uuid::from_u128(3),
            schema_version: 1,
            stream_type: RecordName::try_new(stream_type).expect("a name"),
            event_type: RecordName::try_new(event_type).expect("a name"),
            subject_id: None,
            metadata_hash: [4; 32],
            payload_hash: [5; 32],
        }
    }

    #[test]
    fn nobody_and_the_nil_subject_are_two_entries() {
        let nobody = entry("patient", "patient.registered");
        let nil = LeafEntry {
            subject_id: Some(Uuid::nil()),
            ..nobody
        };
        assert_eq!(nil.to_bytes().len(), nobody.to_bytes().len() + 16);
        assert_ne!(nil.leaf_hash(), nobody.leaf_hash());
    }

    #[test]
    fn a_letter_moved_between_the_two_types_is_another_entry() {
        assert_ne!(entry("ab", "c").to_bytes(), entry("a", "bc").to_bytes());
    }

    #[test]
    fn the_first_position_has_index_zero_and_position_zero_has_none() {
        let first = entry("patient", "patient.registered");
        assert_eq!(first.tree_index(), Some(0));
        assert_eq!(LeafEntry { position: 0, ..first }.tree_index(), None);
    }

    #[test]
    fn the_longest_entry_has_the_stated_length() {
        let name = "n".repeat(64);
        let longest = LeafEntry {
            subject_id: Some(Uuid::nil()),
            ..entry(&name, &name)
        };
        assert_eq!(longest.to_bytes().len(), LEAF_ENTRY_LEN_MAX);
        assert_eq!(entry("a", "b").to_bytes().len(), FIXED_LEN + 10);
    }

    #[test]
    fn a_row_read_back_has_the_leaf_hash_it_was_stored_with_until_any_column_changes() {
        let log_id = Uuid::from_u128(1);
        let row = StoredEvent {
            position: 5,
            event_id: Uuid::from_u128(2),
            stream_type: "patient".to_owned(),
            stream_id: Uuid::from_u128(3),
            stream_version: 4,
            event_type: "patient.registered".to_owned(),
            schema_version: 1,
            recorded_at: 1_700_000_000_000_000,
            subject_id: Some(Uuid::from_u128(3)),
            metadata: b"{}".to_vec(),
            payload: b"{\"a\":1}".to_vec(),
            leaf_format: 1,
            leaf_hash: [0; 32],
        };
        let stored = LeafEntry {
            log_id,
            position: 5,
            recorded_at_us: 1_700_000_000_000_000,
            stream_id: Uuid::from_u128(3),
            stream_version: 4,
            event_id: Uuid::from_u128(2),
            subject_id: Some(Uuid::from_u128(3)),
            metadata_hash: sha256(b"{}"),
            payload_hash: sha256(b"{\"a\":1}"),
            ..entry("patient", "patient.registered")
        }
        .leaf_hash();
        assert_eq!(recomputed_leaf_hash(log_id, &row), Ok(stored));
        let other = Uuid::from_u128(9);
        assert_ne!(recomputed_leaf_hash(other, &row), Ok(stored), "another log");
        let changes: [(&str, Change); 11] = [
            ("position", |row| row.position += 1),
            ("event_id", |row| row.event_id = Uuid::nil()),
            ("stream_type", |row| row.stream_type.push('s')),
            ("stream_id", |row| row.stream_id = Uuid::nil()),
            ("stream_version", |row| row.stream_version += 1),
            ("event_type", |row| row.event_type.push('s')),
            ("schema_version", |row| row.schema_version += 1),
            ("recorded_at", |row| row.recorded_at -= 1),
            ("subject_id", |row| row.subject_id = None),
            ("metadata", |row| row.metadata.push(b' ')),
            ("payload", |row| row.payload.push(b' ')),
        ];
        for (column, change) in changes {
            let mut altered = row.clone();
            change(&mut altered);
            assert_ne!(recomputed_leaf_hash(log_id, &altered), Ok(stored), "{column}");
        }
        let nameless = StoredEvent {
            event_type: String::new(),
            ..row.clone()
        };
        assert!(matches!(
            recomputed_leaf_hash(log_id, &nameless),
            Err(LeafRowError::Name(_))
        ));
        let newer = StoredEvent {
            leaf_format: 2,
            ..row
        };
        assert_eq!(
            recomputed_leaf_hash(log_id, &newer),
            Err(LeafRowError::Format(UnknownLeafFormat(2)))
        );
    }

    #[test]
    fn a_format_of_a_newer_version_is_named() {
        assert_eq!(
            LeafFormat::try_from(LeafFormat::CURRENT.byte()),
            Ok(LeafFormat::CURRENT)
        );
        assert_eq!(LeafFormat::try_from(0), Err(UnknownLeafFormat(0)));
        assert_eq!(LeafFormat::try_from(2), Err(UnknownLeafFormat(2)));
    }

    proptest! {
        #[test]
        fn every_entry_is_read_back_from_its_bytes(
            ids in any::<[u128; 3]>(),
            numbers in any::<(u64, i64, u64, u32)>(),
            stream_type in "[A-Za-z0-9._/-]{1,64}",
            event_type in "[A-Za-z0-9._/-]{1,64}",
            subject in any::<Option<u128>>(),
            hashes in any::<[[u8; 32]; 2]>(),
        ) {
            let entry = LeafEntry {
                format: LeafFormat::CURRENT,
                log_id: Uuid::from_u128(ids[0]),
                position: numbers.0,
                recorded_at_us: numbers.1,
                stream_id: Uuid::from_u128(ids[1]),
                stream_version: numbers.2,
                event_id: Uuid::from_u128(ids[2]),
                schema_version: numbers.3,
                stream_type: RecordName::try_new(&stream_type).expect("a name"),
                event_type: RecordName::try_new(&event_type).expect("a name"),
                subject_id: subject.map(Uuid::from_u128),
                metadata_hash: hashes[0],
                payload_hash: hashes[1],
            };
            let bytes = entry.to_bytes();
            prop_assert_eq!(parse(&bytes), entry);
        }
    }
}
