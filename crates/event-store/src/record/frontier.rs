//! What must be remembered of a log to know its Merkle root and to go on: the roots of its complete subtrees.
//!
//! RFC 9162 section 2.1. Inclusion and consistency proofs need the leaf hashes and are not here.

use super::hash::{HASH_LEN, Hash, sha256_of_parts};

/// RFC 9162 section 2.1.1: what a node's hash input begins with. A leaf's begins with 0x00.
const NODE_PREFIX: u8 = 0x01;

const FRONTIER_FORMAT: u8 = 1;
const HEADER_LEN: usize = 1 + 8;

/// The frontier of a Merkle tree of `size` leaves: one root per set bit of `size`, the largest subtree first.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

/// A leaf that does not come next; appending it would give a wrong root for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the frontier awaits position {expected}, found {found}")]
pub struct FrontierGap {
    /// The position that comes next.
    pub expected: u64,
    /// The position offered.
    pub found: u64,
}

/// Stored bytes that are no frontier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    /// Written by a newer version.
    #[error("frontier format {0} is not known to this version")]
    UnknownFormat(u8),
    /// The length does not fit the size: the bytes are damaged.
    #[error("a frontier's length does not fit its size")]
    Malformed,
}

impl Frontier {
    /// The frontier of an empty log.
    pub const fn new() -> Self {
        Self {
            size: 0,
            peaks: Vec::new(),
        }
    }

    /// How many leaves it covers, which is the position of the last one.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Takes the leaf hash of the event at `position` (tree index = position − 1), which must come next.
    pub fn append(&mut self, position: u64, leaf_hash: Hash) -> Result<(), FrontierGap> {
        if position.checked_sub(1) != Some(self.size) {
            return Err(FrontierGap {
                expected: self.size.saturating_add(1),
                found: position,
            });
        }
        let completed = self.size.trailing_ones();
        let mut subtree = leaf_hash;
        for _ in 0..completed {
            if let Some(left) = self.peaks.pop() {
                subtree = node_hash(&left, &subtree);
            }
        }
        self.peaks.push(subtree);
        self.size = position;
        Ok(())
    }

    /// The Merkle tree hash of all leaves; of none it is the hash of nothing (RFC 9162).
    pub fn root(&self) -> Hash {
        let mut smallest_first = self.peaks.iter().rev();
        match smallest_first.next() {
            None => sha256_of_parts(&[]),
            Some(smallest) => smallest_first.fold(*smallest, |right, left| node_hash(left, &right)),
        }
    }

    /// Format byte, size u64 big-endian, then the subtree roots, the largest subtree first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LEN + self.peaks.len() * HASH_LEN);
        out.push(FRONTIER_FORMAT);
        out.extend_from_slice(&self.size.to_be_bytes());
        for peak in &self.peaks {
            out.extend_from_slice(peak);
        }
        out
    }

    /// The frontier those bytes are of. Its roots cannot be checked here, only against a kept checkpoint.
    pub fn try_from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let (format, rest) = bytes.split_first().ok_or(FrontierError::Malformed)?;
        if *format != FRONTIER_FORMAT {
            return Err(FrontierError::UnknownFormat(*format));
        }
        let (size, roots) = rest.split_first_chunk::<8>().ok_or(FrontierError::Malformed)?;
        let size = u64::from_be_bytes(*size);
        let (peaks, remainder) = roots.as_chunks::<HASH_LEN>();
        if !remainder.is_empty() || u32::try_from(peaks.len()) != Ok(size.count_ones()) {
            return Err(FrontierError::Malformed);
        }
        Ok(Self {
            size,
            peaks: peaks.to_vec(),
        })
    }
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256_of_parts(&[&[NODE_PREFIX], left, right])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Frontier, FrontierError, FrontierGap, node_hash};
    use crate::record::hash::{Hash, sha256, sha256_of_parts};

    /// MTH as RFC 9162 section 2.1.1 writes it: split at the largest power of two below n.
    fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sha256(b""),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(&naive_root(&leaves[..split]), &naive_root(&leaves[split..]))
            }
        }
    }

    fn leaf_hash(data: &[u8]) -> Hash {
        sha256_of_parts(&[&[0], data])
    }

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
    }

    fn frontier_of(leaves: &[Hash]) -> Frontier {
        let mut frontier = Frontier::new();
        for leaf in leaves {
            frontier
                .append(frontier.size() + 1, *leaf)
                .expect("the next position");
        }
        frontier
    }

    #[test]
    fn roots_of_up_to_seventy_leaves_are_those_of_the_definition() {
        let all = leaves(70);
        for size in 0..=all.len() {
            assert_eq!(
                frontier_of(&all[..size]).root(),
                naive_root(&all[..size]),
                "size {size}"
            );
        }
    }

    #[test]
    fn roots_are_those_that_certificate_transparency_publishes() {
        let inputs: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let hashes = inputs.map(leaf_hash);
        let root = frontier_of(&hashes).root();
        let published: Hash = [
            0x5d, 0xc9, 0xda, 0x79, 0xa7, 0x06, 0x59, 0xa9, 0xad, 0x55, 0x9c, 0xb7, 0x01, 0xde, 0xd9, 0xa2,
            0xab, 0x9d, 0x82, 0x3a, 0xad, 0x2f, 0x49, 0x60, 0xcf, 0xe3, 0x70, 0xef, 0xf4, 0x60, 0x43, 0x28,
        ];
        assert_eq!(root, published);
    }

    #[test]
    fn a_leaf_out_of_turn_is_refused_and_changes_nothing() {
        let mut frontier = frontier_of(&leaves(5));
        let before = frontier.clone();
        for found in [0, 1, 5, 7, u64::MAX] {
            assert_eq!(
                frontier.append(found, [9; 32]),
                Err(FrontierGap { expected: 6, found })
            );
        }
        assert_eq!(frontier, before);
        assert_eq!(frontier.append(6, [9; 32]), Ok(()));
    }

    #[test]
    fn damaged_bytes_are_no_frontier() {
        let bytes = frontier_of(&leaves(6)).to_bytes();
        assert_eq!(bytes.len(), 1 + 8 + 2 * 32);
        assert_eq!(Frontier::try_from_bytes(&[]), Err(FrontierError::Malformed));
        for len in 1..bytes.len() {
            assert_eq!(
                Frontier::try_from_bytes(&bytes[..len]),
                Err(FrontierError::Malformed),
                "{len} bytes"
            );
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Frontier::try_from_bytes(&longer), Err(FrontierError::Malformed));
        let newer = [&[2], &bytes[1..]].concat();
        assert_eq!(
            Frontier::try_from_bytes(&newer),
            Err(FrontierError::UnknownFormat(2))
        );
    }

    #[test]
    fn a_frontier_at_the_last_position_takes_no_more() {
        let full = [vec![1], u64::MAX.to_be_bytes().to_vec(), vec![7; 64 * 32]].concat();
        let mut frontier = Frontier::try_from_bytes(&full).expect("64 roots for 64 bits");
        assert!(frontier.append(u64::MAX, [1; 32]).is_err());
        assert!(frontier.append(0, [1; 32]).is_err());
    }

    proptest! {
        #[test]
        fn a_frontier_kept_and_read_back_goes_on_to_the_same_root(
            hashes in proptest::collection::vec(any::<Hash>(), 0..300),
            kept in any::<prop::sample::Index>(),
        ) {
            let kept = kept.index(hashes.len() + 1);
            let stored = frontier_of(&hashes[..kept]).to_bytes();
            let mut frontier = Frontier::try_from_bytes(&stored).expect("what was written");
            prop_assert_eq!(frontier.root(), naive_root(&hashes[..kept]));
            for leaf in &hashes[kept..] {
                frontier.append(frontier.size() + 1, *leaf).expect("the next position");
            }
            prop_assert_eq!(frontier.root(), naive_root(&hashes));
        }
    }
}
