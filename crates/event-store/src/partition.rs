//! Which partition of the topic a stream belongs to: the same answer in the relay, the projector and every test.

use std::num::NonZeroU32;

use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;

/// The partition of a stream: the first 8 bytes of SHA-256(the 16 bytes of its id), big-endian, modulo the count.
///
/// The client library's own partitioner is not used: it differs between libraries and versions, and the gap rule
/// needs everyone to agree for as long as the topic lives.
pub fn partition_of(stream_id: Uuid, count: NonZeroU32) -> u32 {
    let hash = digest(&SHA256, stream_id.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_ref()[..8]);
    let remainder = u64::from_be_bytes(first) % u64::from(count.get());
    u32::try_from(remainder).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions(id: &str) -> [u32; 3] {
        let id = Uuid::parse_str(id).expect("a UUID");
        [1, 7, 12].map(|count| partition_of(id, NonZeroU32::new(count).expect("not zero")))
    }

    /// Computed with Python's hashlib; these numbers never change.
    #[test]
    fn partitions_are_those_of_the_test_vectors() {
        assert_eq!(partitions("00000000-0000-0000-0000-000000000000"), [0, 2, 9]);
        assert_eq!(partitions("0192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1b"), [0, 1, 11]);
        assert_eq!(partitions("ffffffff-ffff-ffff-ffff-ffffffffffff"), [0, 2, 9]);
    }

    #[test]
    fn the_count_may_be_as_large_as_its_type() {
        assert!(partition_of(Uuid::nil(), NonZeroU32::MAX) < u32::MAX);
    }
}
