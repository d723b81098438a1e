use praxis_event_store::bus::LogLife;
use praxis_events::recorded::RecordedEvent;
use praxis_testkit::history::history;
use praxis_testkit::plain::stored;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const LOG: LogId = LogId(Uuid::nil());

fn checkpoint(position: u64) -> Checkpoint {
    Checkpoint {
        partition: 0,
        position,
        epoch: 2,
        log_id: LOG,
        leaf_hash: [7; 32],
    }
}

fn watermark(prev: u64, position: u64) -> BusMessage {
    BusMessage {
        partition: 0,
        life: LogLife {
            log_id: LOG,
            epoch: 2,
        },
        prev,
        content: BusContent::Watermark {
            position,
            leaf_hash: [7; 32],
        },
    }
}

fn event_message(prev: u64, event: &RecordedEvent) -> BusMessage {
    BusMessage {
        content: BusContent::Event(Box::new(stored(event))),
        ..watermark(prev, 0)
    }
}

#[test]
fn what_is_at_or_before_the_checkpoint_is_skipped() {
    assert_eq!(step(&checkpoint(10), &watermark(8, 9)), Ok(Step::Skip));
    assert_eq!(step(&checkpoint(10), &watermark(9, 10)), Ok(Step::Skip));
}

#[test]
fn what_follows_the_checkpoint_is_folded() {
    assert_eq!(step(&checkpoint(10), &watermark(10, 11)), Ok(Step::Apply));
    assert_eq!(step(&checkpoint(10), &watermark(3, 25)), Ok(Step::Apply));
    assert_eq!(step(&checkpoint(0), &watermark(0, 1)), Ok(Step::Apply));
}

#[test]
fn what_has_something_unseen_before_it_is_a_gap() {
    assert_eq!(step(&checkpoint(10), &watermark(11, 12)), Ok(Step::Gap));
    assert_eq!(step(&checkpoint(0), &watermark(1, 2)), Ok(Step::Gap));
}

#[test]
fn an_earlier_life_of_the_log_is_skipped_and_a_later_one_stops() {
    let of_epoch = |epoch| BusMessage {
        life: LogLife { log_id: LOG, epoch },
        ..watermark(10, 11)
    };
    assert_eq!(step(&checkpoint(10), &of_epoch(1)), Ok(Step::Skip));
    assert_eq!(
        step(&checkpoint(10), &of_epoch(3)),
        Err(LogMismatch::OtherEpoch {
            partition: 0,
            known: 2,
            found: 3
        })
    );
}

#[test]
fn another_log_stops() {
    let found = LogId(Uuid::max());
    let message = BusMessage {
        life: LogLife {
            log_id: found,
            epoch: 1,
        },
        ..watermark(10, 11)
    };
    assert_eq!(
        step(&checkpoint(10), &message),
        Err(LogMismatch::OtherLog {
            partition: 0,
            known: LOG,
            found
        })
    );
}

#[test]
fn another_event_at_the_checkpoint_stops() {
    let message = BusMessage {
        content: BusContent::Watermark {
            position: 10,
            leaf_hash: [8; 32],
        },
        ..watermark(9, 10)
    };
    assert_eq!(
        step(&checkpoint(10), &message),
        Err(LogMismatch::OtherLeaf {
            partition: 0,
            position: 10
        })
    );
}

#[test]
fn behind_a_gap_messages_only_say_how_far_to_read() {
    let checkpoints = BTreeMap::from([(0, checkpoint(10))]);
    let plan = plan(
        &checkpoints,
        &BTreeMap::new(),
        &[watermark(10, 12), watermark(14, 15), watermark(12, 18)],
    );
    let plan = plan.expect("one log");
    assert_eq!(plan.moved[&0].position, 12);
    assert_eq!(plan.gaps, BTreeMap::from([(0, 18)]));
}

#[test]
fn a_lagging_partition_is_not_moved_by_messages() {
    let checkpoints = BTreeMap::from([(0, checkpoint(10))]);
    let plan = plan(&checkpoints, &BTreeMap::from([(0, 15)]), &[watermark(10, 12)]).expect("one log");
    assert!(plan.moved.is_empty());
    assert_eq!(plan.gaps, BTreeMap::from([(0, 12)]));
}

#[test]
fn a_message_of_a_partition_without_a_checkpoint_stops() {
    let checkpoints = BTreeMap::from([(0, checkpoint(10))]);
    let beyond = BusMessage {
        partition: 1,
        ..watermark(0, 1)
    };
    assert_eq!(
        plan(&checkpoints, &BTreeMap::new(), &[watermark(10, 12), beyond]),
        Err(LogMismatch::UnknownPartition { partition: 1 })
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a feed repeats or leaves out, what is folded is the log from the checkpoint on without a hole, up to the
    /// first gap that is told.
    #[test]
    fn nothing_is_folded_twice_or_over_a_hole(start in 0_u64..20, picks in prop::collection::vec(0_usize..40, 0..80)) {
        let events = history(11, 40);
        let messages: Vec<BusMessage> =
            picks.iter().map(|pick| event_message(events[*pick].position - 1, &events[*pick])).collect();
        let at = if start == 0 { [0; 32] } else { stored(&events[usize::try_from(start).unwrap() - 1]).leaf_hash };
        let checkpoints = BTreeMap::from([(0, Checkpoint { leaf_hash: at, ..checkpoint(start) })]);
        let plan = plan(&checkpoints, &BTreeMap::new(), &messages).expect("one log");
        let folded: Vec<u64> = plan.events.iter().map(|event| event.position).collect();
        let end = plan.moved.get(&0).map_or(start, |moved| moved.position);
        prop_assert_eq!(folded, (start + 1..=end).collect::<Vec<_>>());
        let highest = messages.iter().map(BusMessage::position).max().unwrap_or(0);
        prop_assert_eq!(plan.gaps.get(&0).copied().unwrap_or(end).max(start), highest.max(start));
    }
}
