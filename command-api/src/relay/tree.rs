//! By what can somebody else tell that the log was changed? The root of its Merkle tree, which the leader keeps up with
//! the log and writes to the log output.

use std::fmt::Write as _;

use praxis_event_store::port::LogReader;
use praxis_event_store::record::frontier::Frontier;

use super::TermEnd;

/// Events read at once.
const READ_EVENTS_MAX: u32 = 1_000;

/// An event's place and hash in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) position: u64,
    pub(super) leaf_hash: [u8; 32],
}

/// The frontier, which has a place of its own in the log.
pub(super) struct Tree {
    frontier: Frontier,
    size_saved: u64,
}

impl Tree {
    /// As it was saved; of no bytes, that of an empty log.
    pub(super) fn try_from_bytes(bytes: &[u8]) -> Result<Self, TermEnd> {
        let frontier = if bytes.is_empty() {
            Frontier::default()
        } else {
            Frontier::try_from_bytes(bytes)
                .map_err(|_| TermEnd::Frontier("the stored frontier cannot be read"))?
        };
        let size_saved = frontier.size();
        Ok(Self { frontier, size_saved })
    }

    /// The last position in it.
    pub(super) const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Whether it grew since it was saved.
    pub(super) const fn moved(&self) -> bool {
        self.frontier.size() != self.size_saved
    }

    /// Its bytes, to be saved.
    pub(super) fn bytes_to_save(&mut self) -> Vec<u8> {
        self.size_saved = self.frontier.size();
        self.frontier.to_bytes()
    }

    /// Takes those leaves that come next.
    pub(super) fn take(&mut self, leaves: Vec<Leaf>) {
        for leaf in leaves {
            // Others it has, or will read.
            let _ = self.frontier.append(leaf.position, leaf.leaf_hash);
        }
    }

    /// Takes the next leaves from the log.
    pub(super) async fn read_on(&mut self, reader: &dyn LogReader) -> Result<(), TermEnd> {
        for event in reader.read_log(self.size(), READ_EVENTS_MAX).await? {
            self.frontier
                .append(event.position, event.leaf_hash)
                .map_err(|_| TermEnd::Frontier("the log has a gap"))?;
        }
        Ok(())
    }

    /// Out of the database's reach: whoever keeps this output can tell a log that was changed since. After a restore the
    /// roots of the former epoch hold up to where it ended, so the epoch is said too.
    pub(super) fn write_root(&self, epoch: u32) {
        let mut root = String::new();
        for byte in self.frontier.root() {
            // Writing to a string does not fail.
            let _ = write!(root, "{byte:02x}");
        }
        tracing::info!(epoch, size = self.frontier.size(), root, "merkle root");
    }
}
