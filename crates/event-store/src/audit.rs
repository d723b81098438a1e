//! Is the log what it was? Every row's leaf hash computed anew, every place counted, the root compared with roots kept
//! outside.
//!
//! Rows are read in slices and let go: the memory taken does not grow with the log. That a stream's versions are dense
//! and in order is asked of the index, event by event: the one before it must be there, and earlier.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;

use crate::port::{Head, RelayState, StoreError, StoredEvent};
use crate::record::frontier::Frontier;
use crate::record::hash::{HASH_LEN, Hash};
use crate::record::leaf::{LeafRowError, recomputed_leaf_hash};

/// Rows read at once: at the limit of 256 KiB an event that is 64 MiB.
const SLICE_ROWS_MAX: u32 = 256;

/// Where a log says that it ends, and where its rows end, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// What the head row says.
    pub head: Head,
    /// How many rows lie before position 1, where none may be.
    pub rows_before_first: u64,
    /// The position of the last row; 0 without rows.
    pub last: u64,
}

/// A row as it stands, whatever is wrong with it.
#[derive(Debug)]
pub struct AuditRow {
    /// Its position.
    pub position: u64,
    /// Where the event one version before it in its stream is, if there is one.
    pub predecessor: Option<u64>,
    /// The rest, or what of it cannot be read.
    pub event: Result<StoredEvent, &'static str>,
}

/// Reading a log of which nothing is believed.
#[async_trait]
pub trait AuditReader: Send + Sync {
    /// Where it ends.
    async fn extent(&self) -> Result<Extent, StoreError>;

    /// Rows after a position in order of position, holes and damage and all.
    async fn rows(&self, after_position: u64, limit: u32) -> Result<Vec<AuditRow>, StoreError>;

    /// How far the relay has come, and the frontier it keeps.
    async fn relay_row(&self) -> Result<RelayState, StoreError>;
}

/// A root that somebody kept out of the log's reach: of its first `size` events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// How many events.
    pub size: u64,
    /// Their Merkle root.
    pub root: Hash,
}

/// A text that names no size and root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a size and a root: SIZE:ROOT with 64 hexadecimal digits, or a line that the leader has logged")]
pub struct NotExpected;

impl FromStr for Expected {
    type Err = NotExpected;

    /// `SIZE:ROOT`, or a line of the leader's output in either of its forms: `… merkle root size=7 root="…"`, and
    /// `{…"message":"merkle root","size":7,"root":"…"…}`.
    fn from_str(text: &str) -> Result<Self, NotExpected> {
        let text = text.trim();
        let (size, root) = match text.split_once(':') {
            Some((size, root)) if !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit()) => {
                (size, root)
            }
            Some(_) | None => {
                let (_, fields) = text.split_once("merkle root").ok_or(NotExpected)?;
                (value_of(fields, "size")?, value_of(fields, "root")?)
            }
        };
        Ok(Self {
            size: size.parse().map_err(|_| NotExpected)?,
            root: hash_of(root)?,
        })
    }
}

/// What follows a field's name, past what either form puts between: `=`, `:`, quotes.
fn value_of<'a>(fields: &'a str, name: &str) -> Result<&'a str, NotExpected> {
    let is_between = |c: char| ['"', '=', ':', ' '].contains(&c);
    let starts = |place: &(usize, &str)| fields[..place.0].ends_with(is_between);
    let (place, _) = fields.match_indices(name).find(starts).ok_or(NotExpected)?;
    let rest = fields[place + name.len()..].trim_start_matches(is_between);
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(rest.len());
    Ok(&rest[..end])
}

fn hash_of(digits: &str) -> Result<Hash, NotExpected> {
    if digits.len() != 2 * HASH_LEN || !digits.is_ascii() {
        return Err(NotExpected);
    }
    let mut hash = [0; HASH_LEN];
    for (index, byte) in hash.iter_mut().enumerate() {
        let pair = &digits[2 * index..2 * index + 2];
        if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NotExpected);
        }
        *byte = u8::from_str_radix(pair, 16).map_err(|_| NotExpected)?;
    }
    Ok(hash)
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.size)?;
        self.root.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What is wrong. The codes are stable; values of rows are never told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultCode {
    /// No row is at these positions.
    PositionMissing,
    /// Rows lie before position 1.
    RowsBeforeFirst,
    /// Rows lie after the head's position.
    RowsBeyondHead,
    /// A column is not what the schema promises.
    RowUnreadable,
    /// The leaf's format is of a later version of this program.
    LeafFormatUnknown,
    /// A type is no name: nothing ever wrote it.
    TypeUnreadable,
    /// The row is not what its leaf hash was computed of.
    LeafDiffers,
    /// The version before it in its stream is not there, or comes later.
    StreamOutOfOrder,
    /// It was recorded before the event that precedes it.
    RecordedAtWentBack,
    /// The head's time is not that of the last event.
    HeadTimeDiffers,
    /// The root of the first so many events is another than expected.
    RootDiffers,
    /// The log has not so many events as a root is expected of.
    EndsBeforeExpected,
    /// The root cannot be computed, because a position is missing before it.
    RootUnknown,
    /// The frontier that the relay keeps is not that of the events, or cannot be read.
    FrontierDiffers,
    /// The relay says that it has published what the log does not have.
    RelayBeyondHead,
}

impl FaultCode {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PositionMissing => "position-missing",
            Self::RowsBeforeFirst => "rows-before-first",
            Self::RowsBeyondHead => "rows-beyond-head",
            Self::RowUnreadable => "row-unreadable",
            Self::LeafFormatUnknown => "leaf-format-unknown",
            Self::TypeUnreadable => "type-unreadable",
            Self::LeafDiffers => "leaf-differs",
            Self::StreamOutOfOrder => "stream-out-of-order",
            Self::RecordedAtWentBack => "recorded-at-went-back",
            Self::HeadTimeDiffers => "head-time-differs",
            Self::RootDiffers => "root-differs",
            Self::EndsBeforeExpected => "ends-before-expected",
            Self::RootUnknown => "root-unknown",
            Self::FrontierDiffers => "frontier-differs",
            Self::RelayBeyondHead => "relay-beyond-head",
        }
    }

    /// Whether it is the relay's row that is at fault, which can be made anew from the events.
    pub const fn is_of_the_relay(self) -> bool {
        matches!(self, Self::FrontierDiffers | Self::RelayBeyondHead)
    }
}

/// Something that is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditFault {
    /// The first position it concerns; for a root the size.
    pub position: u64,
    /// The last.
    pub up_to: u64,
    /// What.
    pub code: FaultCode,
}

impl fmt::Display for AuditFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.position)?;
        if self.up_to > self.position {
            write!(f, "-{}", self.up_to)?;
        }
        write!(f, " {}", self.code.name())
    }
}

/// What was found of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// The head when the audit began, and up to which it went.
    pub head: Head,
    /// The frontier of all events; `None` where a position is missing.
    pub frontier: Option<Frontier>,
    /// How many expected roots were compared and are equal.
    pub roots_equal: u64,
}

impl Audited {
    /// Size and root.
    pub fn root(&self) -> Option<Expected> {
        self.frontier.as_ref().map(|frontier| Expected {
            size: frontier.size(),
            root: frontier.root(),
        })
    }
}

/// Reads the log from its first row to where it ended when this began, and tells every fault as it is found.
///
/// # Errors
/// [`StoreError`] when the log does not answer; that it is not sound is no error.
pub async fn audit(
    log: &dyn AuditReader,
    expected: &[Expected],
    found: &mut (dyn FnMut(AuditFault) + Send),
) -> Result<Audited, StoreError> {
    // In this order: the relay's row was at or before the head when it was read.
    let relay = log.relay_row().await?;
    let Extent {
        head,
        rows_before_first,
        last,
    } = log.extent().await?;
    if rows_before_first > 0 {
        found(fault(0, FaultCode::RowsBeforeFirst));
    }
    if last > head.position {
        found(AuditFault {
            position: head.position.saturating_add(1),
            up_to: last,
            code: FaultCode::RowsBeyondHead,
        });
    }
    let mut scan = Scan::new(&head, expected);
    let kept = Frontier::try_from_bytes(&relay.frontier).ok();
    let mut is_kept_met = relay.frontier.is_empty() || kept.as_ref().is_some_and(|kept| kept.size() == 0);
    scan.compare_roots(found);
    'log: loop {
        let rows = log.rows(scan.position, SLICE_ROWS_MAX).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.position > head.position {
                break 'log;
            }
            scan.take(&row, found);
            if let (Some(kept), Some(frontier)) = (&kept, &scan.frontier)
                && kept.size() == frontier.size()
            {
                is_kept_met = kept == frontier;
            }
        }
    }
    scan.end(found);
    if !is_kept_met {
        let size = kept.map_or(0, |kept| kept.size());
        found(fault(size, FaultCode::FrontierDiffers));
    }
    if relay.position > head.position {
        found(fault(relay.position, FaultCode::RelayBeyondHead));
    }
    let Scan {
        frontier,
        roots_equal,
        ..
    } = scan;
    Ok(Audited {
        head,
        frontier,
        roots_equal,
    })
}

const fn fault(position: u64, code: FaultCode) -> AuditFault {
    AuditFault {
        position,
        up_to: position,
        code,
    }
}

/// How far an audit has come.
struct Scan<'a> {
    head: &'a Head,
    position: u64,
    recorded_at: Option<i64>,
    frontier: Option<Frontier>,
    expected: BTreeMap<u64, Vec<Hash>>,
    roots_equal: u64,
}

impl<'a> Scan<'a> {
    fn new(head: &'a Head, expected: &[Expected]) -> Self {
        let mut by_size: BTreeMap<u64, Vec<Hash>> = BTreeMap::new();
        for known in expected {
            by_size.entry(known.size).or_default().push(known.root);
        }
        Self {
            head,
            position: 0,
            recorded_at: None,
            frontier: Some(Frontier::new()),
            expected: by_size,
            roots_equal: 0,
        }
    }

    fn take(&mut self, row: &AuditRow, found: &mut (dyn FnMut(AuditFault) + Send)) {
        self.miss(row.position - 1, found);
        self.position = row.position;
        if let Ok(event) = &row.event {
            let leaf_hash = self.judge(event, row.predecessor, found);
            let taken = self
                .frontier
                .as_mut()
                .map(|frontier| frontier.append(row.position, leaf_hash));
            if let Some(Err(_)) = taken {
                self.frontier = None;
            }
        } else {
            found(fault(row.position, FaultCode::RowUnreadable));
            self.frontier = None;
        }
        self.compare_roots(found);
    }

    /// What is wrong with one event; the leaf hash that its row has by right.
    fn judge(
        &mut self,
        event: &StoredEvent,
        predecessor: Option<u64>,
        found: &mut (dyn FnMut(AuditFault) + Send),
    ) -> Hash {
        let mut tell = |code| found(fault(event.position, code));
        if self.recorded_at.is_some_and(|before| event.recorded_at < before) {
            tell(FaultCode::RecordedAtWentBack);
        }
        self.recorded_at = Some(event.recorded_at);
        let is_in_order = match event.stream_version {
            0 => false,
            1 => true,
            _ => predecessor.is_some_and(|before| before < event.position),
        };
        if !is_in_order {
            tell(FaultCode::StreamOutOfOrder);
        }
        match recomputed_leaf_hash(self.head.log_id.0, event) {
            Ok(leaf_hash) => {
                if leaf_hash != event.leaf_hash {
                    tell(FaultCode::LeafDiffers);
                }
                return leaf_hash;
            }
            Err(LeafRowError::Format(_)) => tell(FaultCode::LeafFormatUnknown),
            Err(LeafRowError::Name(_)) => tell(FaultCode::TypeUnreadable),
        }
        event.leaf_hash
    }

    fn compare_roots(&mut self, found: &mut (dyn FnMut(AuditFault) + Send)) {
        let Some(roots) = self.expected.remove(&self.position) else {
            return;
        };
        let Some(frontier) = &self.frontier else {
            found(fault(self.position, FaultCode::RootUnknown));
            return;
        };
        let root = frontier.root();
        for expected in roots {
            if expected == root {
                self.roots_equal += 1;
            } else {
                found(fault(self.position, FaultCode::RootDiffers));
            }
        }
    }

    /// Everything up to a position is missing that was not met.
    fn miss(&mut self, up_to: u64, found: &mut (dyn FnMut(AuditFault) + Send)) {
        if up_to <= self.position {
            return;
        }
        found(AuditFault {
            position: self.position + 1,
            up_to,
            code: FaultCode::PositionMissing,
        });
        self.frontier = None;
        let later = self.expected.split_off(&(up_to + 1));
        for size in std::mem::replace(&mut self.expected, later).into_keys() {
            found(fault(size, FaultCode::RootUnknown));
        }
    }

    fn end(&mut self, found: &mut (dyn FnMut(AuditFault) + Send)) {
        self.miss(self.head.position, found);
        if self.recorded_at.is_some_and(|last| last != self.head.recorded_at) {
            found(fault(self.head.position, FaultCode::HeadTimeDiffers));
        }
        for size in std::mem::take(&mut self.expected).into_keys() {
            found(fault(size, FaultCode::EndsBeforeExpected));
        }
    }
}

#[cfg(test)]
mod tests;
