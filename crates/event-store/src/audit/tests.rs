//! Logs in memory, sound but for one thing each.

use std::sync::Mutex;

use praxis_events::ids::LogId;
use uuid::Uuid;

use super::*;

/// Rows, head and relay as they stand.
struct Log {
    rows: Vec<StoredEvent>,
    unreadable: Vec<u64>,
    head: Head,
    relay: RelayState,
    slices: Mutex<u32>,
}

const LOG_ID: LogId = LogId(Uuid::from_u128(9));

/// As many events of three streams in turn.
fn log(len: u64) -> Log {
    let rows: Vec<StoredEvent> = (1..=len).map(event).collect();
    let mut frontier = Frontier::new();
    for row in &rows {
        frontier.append(row.position, row.leaf_hash).unwrap();
    }
    Log {
        head: Head {
            log_id: LOG_ID,
            epoch: 1,
            position: len,
            recorded_at: rows.last().map_or(0, |row| row.recorded_at),
            tombstone_position: 0,
        },
        rows,
        unreadable: Vec::new(),
        relay: RelayState {
            term: 1,
            position: len,
            partitions: Vec::new(),
            frontier: frontier.to_bytes(),
        },
        slices: Mutex::new(0),
    }
}

fn event(position: u64) -> StoredEvent {
    let mut event = StoredEvent {
        position,
        event_id: Uuid::from_u128(u128::from(position)),
        stream_type: "patient".to_owned(),
        stream_id: Uuid::from_u128(u128::from((position - 1) % 3)),
        stream_version: 1 + (position - 1) / 3,
        event_type: "something-happened".to_owned(),
        schema_version: 1,
        recorded_at: 1_000 + i64::try_from(position / 2).unwrap(),
        subject_id: None,
        metadata: b"{}".to_vec(),
        payload: position.to_string().into_bytes(),
        leaf_format: 1,
        leaf_hash: [0; 32],
    };
    rehash(&mut event);
    event
}

fn rehash(event: &mut StoredEvent) {
    event.leaf_hash = recomputed_leaf_hash(LOG_ID.0, event).unwrap();
}

#[async_trait]
impl AuditReader for Log {
    async fn extent(&self) -> Result<Extent, StoreError> {
        Ok(Extent {
            head: self.head.clone(),
            rows_before_first: 0,
            last: self.rows.last().map_or(0, |row| row.position),
        })
    }

    async fn rows(&self, after_position: u64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        *self.slices.lock().unwrap() += 1;
        let after = self.rows.iter().filter(|row| row.position > after_position);
        let row = |event: &StoredEvent| AuditRow {
            position: event.position,
            predecessor: self
                .rows
                .iter()
                .find(|other| {
                    other.stream_id == event.stream_id && other.stream_version + 1 == event.stream_version
                })
                .map(|other| other.position),
            event: if self.unreadable.contains(&event.position) {
                Err("a column has another type")
            } else {
                Ok(event.clone())
            },
        };
        Ok(after.take(limit.try_into().unwrap()).map(row).collect())
    }

    async fn relay_row(&self) -> Result<RelayState, StoreError> {
        Ok(self.relay.clone())
    }
}

async fn told(log: &Log, expected: &[Expected]) -> (Audited, Vec<String>) {
    let mut faults = Vec::new();
    let audited = audit(log, expected, &mut |fault| faults.push(fault.to_string()))
        .await
        .unwrap();
    (audited, faults)
}

async fn faults(log: &Log) -> Vec<String> {
    told(log, &[]).await.1
}

#[tokio::test]
async fn a_sound_log_of_any_size_has_no_fault_and_its_root() {
    for len in [0, 1, 2, 255, 256, 257, 1_000] {
        let log = log(len);
        let (audited, faults) = told(&log, &[]).await;
        assert_eq!(faults, [""; 0], "{len}");
        let root = audited.root().unwrap();
        let frontier = Frontier::try_from_bytes(&log.relay.frontier).unwrap();
        assert_eq!((root.size, root.root), (len, frontier.root()));
    }
}

#[tokio::test]
async fn a_log_is_read_in_slices() {
    let log = log(1_000);
    told(&log, &[]).await;
    assert_eq!(*log.slices.lock().unwrap(), 5);
}

#[tokio::test]
async fn each_change_of_a_row_is_named_by_its_position() {
    let mut payload = log(10);
    payload.rows[4].payload.push(b' ');
    assert_eq!(faults(&payload).await, ["5 leaf-differs", "10 frontier-differs"]);

    let mut unreadable = log(10);
    unreadable.unreadable.push(5);
    let told = faults(&unreadable).await;
    assert_eq!(told, ["5 row-unreadable", "10 frontier-differs"]);

    let mut later = log(10);
    later.rows[4].leaf_format = 2;
    assert_eq!(faults(&later).await, ["5 leaf-format-unknown"]);

    let mut nameless = log(10);
    nameless.rows[4].event_type.clear();
    assert_eq!(faults(&nameless).await, ["5 type-unreadable"]);
}

/// Whoever changes the leaf hash with the row, and the relay's frontier too, is found by a root kept outside alone.
#[tokio::test]
async fn a_change_that_fits_is_found_by_a_root_kept_outside() {
    let kept = told(&log(7), &[]).await.0.root().unwrap();
    let mut changed = log(10);
    changed.rows[4].payload.push(b' ');
    rehash(&mut changed.rows[4]);
    changed.relay.frontier.clear();
    assert_eq!(faults(&changed).await, [""; 0]);
    assert_eq!(told(&changed, &[kept]).await.1, ["7 root-differs"]);
}

#[tokio::test]
async fn what_is_removed_is_named_with_the_roots_that_nobody_can_tell() {
    let mut log = log(10);
    let kept = Expected {
        size: 4,
        root: [0; 32],
    };
    log.rows.drain(2..5);
    let told = told(&log, &[kept]).await.1;
    // Two streams have lost a version that another follows; the third event of the third has none before it now.
    assert_eq!(
        told,
        [
            "3-5 position-missing",
            "4 root-unknown",
            "6 stream-out-of-order",
            "7 stream-out-of-order",
            "8 stream-out-of-order",
            "10 frontier-differs"
        ]
    );
}

#[tokio::test]
async fn what_is_cut_off_is_told_by_the_head_and_by_what_was_expected() {
    let kept = told(&log(10), &[]).await.0.root().unwrap();
    let mut cut = log(10);
    cut.rows.truncate(8);
    let told_of_head = told(&cut, &[kept]).await.1;
    assert_eq!(
        told_of_head,
        [
            "9-10 position-missing",
            "10 root-unknown",
            "10 head-time-differs",
            "10 frontier-differs"
        ]
    );
    let shorter = log(8);
    assert_eq!(told(&shorter, &[kept]).await.1, ["10 ends-before-expected"]);
}

#[tokio::test]
async fn rows_beyond_the_head_and_a_relay_ahead_of_it_are_told() {
    let mut longer = log(10);
    longer.head = log(8).head;
    assert_eq!(
        faults(&longer).await,
        [
            "9-10 rows-beyond-head",
            "10 frontier-differs",
            "10 relay-beyond-head"
        ]
    );
}

#[tokio::test]
async fn time_and_versions_that_go_back_are_told() {
    let mut log = log(6);
    log.rows[3].recorded_at = 0;
    rehash(&mut log.rows[3]);
    log.rows[5].stream_version = 4;
    rehash(&mut log.rows[5]);
    log.relay.frontier.clear();
    assert_eq!(
        faults(&log).await,
        ["4 recorded-at-went-back", "6 stream-out-of-order"]
    );
}

#[tokio::test]
async fn every_root_that_was_kept_is_compared() {
    let log = log(300);
    let mut kept = Vec::new();
    for len in [0, 1, 255, 256, 300] {
        kept.push(told(&self::log(len), &[]).await.0.root().unwrap());
    }
    let (audited, faults) = told(&log, &kept).await;
    assert_eq!((audited.roots_equal, faults), (5, vec![]));
    kept[2].root[0] ^= 1;
    assert_eq!(told(&log, &kept).await.1, ["255 root-differs"]);
}

#[test]
fn a_root_is_read_in_every_form_it_is_written_in() {
    let expected = Expected {
        size: 17,
        root: [0xab; 32],
    };
    let root = "ab".repeat(32);
    for text in [
        format!("17:{root}"),
        format!(" 17:{root}\n"),
        format!(
            "2026-11-23T20:00:01.5Z  INFO praxis_command_api::relay::tree: merkle root epoch=1 size=17 root=\"{root}\""
        ),
        format!(
            r#"{{"timestamp":"2026-11-23T20:00:01.5Z","level":"INFO","message":"merkle root","epoch":1,"size":17,"root":"{root}","target":"t"}}"#
        ),
    ] {
        assert_eq!(text.parse(), Ok(expected), "{text}");
    }
    assert_eq!(expected.to_string().parse(), Ok(expected));
    for text in [
        "",
        "17",
        "17:",
        "17:abc",
        "-1:00",
        &format!("17:{root}0"),
        &format!("17:{}", "+a".repeat(32)),
        &format!("x:{root}"),
        "INFO merkle root size=17",
    ] {
        assert_eq!(text.parse::<Expected>(), Err(NotExpected), "{text}");
    }
}
