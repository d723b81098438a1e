//! What the sequencer promises, whatever the store beneath it does.
#![allow(
    clippy::disallowed_methods,
    reason = "the runtime of each test owns its tasks, and ends them"
)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::sync::Arc;

use praxis_event_store::append::{Appended, Conflict, EVENT_BYTES_MAX, Layer, StreamRead};
use praxis_event_store::sequencer::{AppendError, Sequencer, SequencerLimits, sequencer};
use support::{Fault, MemoryLog, append, claim, span, stream};

fn start(log: &MemoryLog, limits: SequencerLimits) -> Sequencer {
    let (handle, task) = sequencer(Arc::new(log.clone()), limits);
    tokio::spawn(task.run());
    handle
}

fn with_fault(fault: Fault) -> MemoryLog {
    let log = MemoryLog::default();
    log.tables.lock().unwrap().faults.push_back(fault);
    log
}

fn positions(log: &MemoryLog) -> Vec<u64> {
    log.tables
        .lock()
        .unwrap()
        .events
        .iter()
        .map(|event| event.position)
        .collect()
}

/// Queues all appends before the sequencer runs, so that they are one batch.
async fn in_one_batch(
    log: &MemoryLog,
    appends: Vec<praxis_event_store::append::Append>,
) -> Vec<Result<Appended, AppendError>> {
    let (handle, task) = sequencer(Arc::new(log.clone()), SequencerLimits::default());
    let waiting: Vec<_> = appends
        .into_iter()
        .map(|append| {
            let handle = handle.clone();
            tokio::spawn(async move { handle.append(append).await })
        })
        .collect();
    tokio::task::yield_now().await;
    tokio::spawn(task.run());
    let mut outcomes = Vec::new();
    for one in waiting {
        outcomes.push(one.await.unwrap());
    }
    outcomes
}

#[tokio::test]
async fn a_batch_is_one_transaction_with_dense_positions() {
    let log = MemoryLog::default();
    let outcomes = in_one_batch(
        &log,
        (0..50).map(|n| append(n, stream(u128::from(n)), 0)).collect(),
    )
    .await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(positions(&log), (1..=50).collect::<Vec<u64>>());
    assert_eq!(log.tables.lock().unwrap().transactions, 1);
}

#[tokio::test]
async fn of_many_that_wait_half_is_taken_and_few_are_taken_whole() {
    let log = MemoryLog::default();
    let outcomes = in_one_batch(
        &log,
        (0..200).map(|n| append(n, stream(u128::from(n)), 0)).collect(),
    )
    .await;
    let positions: Vec<u64> = outcomes.into_iter().map(|one| one.unwrap().position).collect();
    assert_eq!(
        positions,
        (1..=200).collect::<Vec<u64>>(),
        "in the order of the queue"
    );
    // The second hundred is half again: those answered before are expected back.
    let halves = [100, 100];
    assert_eq!(log.tables.lock().unwrap().transactions, halves.len());
}

#[tokio::test]
async fn nothing_is_taken_without_an_event() {
    let log = MemoryLog::default();
    let handle = start(&log, SequencerLimits::default());
    let eventless = || {
        let mut append = append(1, stream(1), 0);
        append.writes.clear();
        append
    };
    let (mut claiming, mut booking) = (eventless(), eventless());
    claiming.claims.taken.push(claim("a", 1, stream(1)));
    booking.spans.taken.push(span(1, Layer::Normal, 0, 1, stream(1)));
    for append in [claiming, booking] {
        assert!(matches!(handle.append(append).await, Err(AppendError::Fault(_))));
    }
    assert_eq!(log.tables.lock().unwrap().transactions, 0);
    assert!(
        handle.append(eventless()).await.is_ok(),
        "a no-op keeps its answer"
    );
}

#[tokio::test]
async fn recorded_at_never_goes_back_when_the_clock_does() {
    let log = MemoryLog::default();
    let handle = start(&log, SequencerLimits::default());
    log.tables.lock().unwrap().clock = 1_000;
    let first = handle.append(append(1, stream(1), 0)).await.unwrap();
    log.tables.lock().unwrap().clock = 10;
    let second = handle.append(append(2, stream(2), 0)).await.unwrap();
    assert_eq!((first.recorded_at, second.recorded_at), (1_000, 1_000));
}

#[tokio::test]
async fn a_refused_member_spoils_nothing() {
    let log = MemoryLog::default();
    start(&log, SequencerLimits::default())
        .append(append(9, stream(5), 0))
        .await
        .unwrap();
    let outcomes = in_one_batch(
        &log,
        vec![
            append(1, stream(1), 0),
            append(2, stream(5), 0),
            append(3, stream(2), 0),
        ],
    )
    .await;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    let Err(AppendError::Refused(conflicts)) = &outcomes[1] else {
        panic!("{:?}", outcomes[1])
    };
    assert_eq!(
        conflicts,
        &[Conflict::Version {
            stream: stream(5),
            expected: 0,
            actual: 1
        }]
    );
    assert_eq!(positions(&log), [1, 2, 3]);
}

#[tokio::test]
async fn the_same_key_twice_in_a_batch_gets_one_answer() {
    let log = MemoryLog::default();
    let outcomes = in_one_batch(&log, vec![append(1, stream(1), 0), append(1, stream(2), 0)]).await;
    let (first, second) = (outcomes[0].as_ref().unwrap(), outcomes[1].as_ref().unwrap());
    assert_eq!(
        (first.position, first.id, first.replayed),
        (second.position, second.id, false)
    );
    assert!(second.replayed);
    assert_eq!(positions(&log), [1]);
}

#[tokio::test]
async fn the_same_key_later_gets_the_first_answer() {
    let log = MemoryLog::default();
    let handle = start(&log, SequencerLimits::default());
    let first = handle.append(append(1, stream(1), 0)).await.unwrap();
    handle.append(append(2, stream(1), 1)).await.unwrap();
    let again = handle.append(append(1, stream(1), 0)).await.unwrap();
    assert_eq!(
        again,
        Appended {
            replayed: true,
            ..first
        }
    );
}

#[tokio::test]
async fn the_same_key_for_another_request_is_refused() {
    let log = MemoryLog::default();
    let handle = start(&log, SequencerLimits::default());
    handle.append(append(1, stream(1), 0)).await.unwrap();
    let mut other = append(1, stream(2), 0);
    other.command.request = [99; 33];
    let refused = handle.append(other).await.unwrap_err();
    assert!(matches!(refused, AppendError::Refused(conflicts) if conflicts == [Conflict::KeyReused]));
}

#[tokio::test]
async fn a_retry_is_answered_before_any_refusal() {
    let log = MemoryLog::default();
    let handle = start(&log, SequencerLimits::default());
    let mut taking = append(1, stream(1), 0);
    taking.claims.taken.push(claim("x", 1, stream(1)));
    let first = handle.append(taking).await.unwrap();
    // The route gave the retry a new id, so its claim is now another's.
    let mut retry = append(1, stream(2), 0);
    retry.claims.taken.push(claim("x", 1, stream(2)));
    assert_eq!(handle.append(retry).await.unwrap().id, first.id);
}

#[tokio::test]
async fn a_moved_read_is_a_conflict() {
    let log = MemoryLog::default();
    let mut reader = append(2, stream(2), 0);
    reader.reads.push(StreamRead {
        stream: stream(1),
        expected_version: 0,
    });
    let outcomes = in_one_batch(&log, vec![append(1, stream(1), 0), reader]).await;
    let Err(AppendError::Refused(conflicts)) = &outcomes[1] else {
        panic!("{:?}", outcomes[1])
    };
    assert_eq!(
        conflicts,
        &[Conflict::Version {
            stream: stream(1),
            expected: 0,
            actual: 1
        }]
    );
}

#[tokio::test]
async fn every_conflict_is_answered() {
    let log = MemoryLog::default();
    let mut first = append(1, stream(1), 0);
    first.claims.taken.push(claim("x", 1, stream(1)));
    first.spans.taken.push(span(1, Layer::Normal, 0, 10, stream(1)));
    let mut second = append(2, stream(2), 0);
    second.claims.taken.push(claim("x", 1, stream(2)));
    second.spans.taken.push(span(1, Layer::Normal, 9, 12, stream(2)));
    second.reads.push(StreamRead {
        stream: stream(1),
        expected_version: 0,
    });
    let outcomes = in_one_batch(&log, vec![first, second]).await;
    let Err(AppendError::Refused(conflicts)) = &outcomes[1] else {
        panic!("{:?}", outcomes[1])
    };
    assert_eq!(conflicts.len(), 3, "{conflicts:?}");
    assert!(
        conflicts
            .iter()
            .any(|conflict| matches!(conflict, Conflict::Claim { owners, .. } if owners == &[stream(1).id]))
    );
}

#[tokio::test]
async fn a_limit_of_two_has_two_owners() {
    let log = MemoryLog::default();
    let appends = (1..=4).map(|n| {
        let mut one = append(n, stream(u128::from(n)), 0);
        one.claims.taken.push(claim("limit", 2, stream(u128::from(n))));
        one
    });
    let outcomes = in_one_batch(&log, appends.collect()).await;
    assert_eq!(
        outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, true, false, false]
    );
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_acknowledged_and_not_done_twice() {
    let log = with_fault(Fault::AnswerLost);
    let appended = start(&log, SequencerLimits::default())
        .append(append(1, stream(1), 0))
        .await
        .unwrap();
    assert_eq!((appended.position, appended.replayed), (1, true));
    assert_eq!(positions(&log), [1]);
}

#[tokio::test]
async fn a_replay_in_a_batch_whose_answer_was_lost_stays_a_replay() {
    let log = MemoryLog::default();
    let handle = start(&log, SequencerLimits::default());
    let first = handle.append(append(1, stream(1), 0)).await.unwrap();
    log.tables.lock().unwrap().faults.push_back(Fault::AnswerLost);
    let mut again = append(1, stream(1), 1);
    again.writes[0].events[0].event_id = uuid::Uuid::from_u128(0xa9);
    let outcomes = in_one_batch(&log, vec![again, append(2, stream(2), 0)]).await;
    let again = outcomes[0].as_ref().unwrap();
    assert_eq!(
        (again.position, again.version, again.replayed),
        (first.position, first.version, true)
    );
    assert_eq!(positions(&log), [1, 2]);
}

#[tokio::test]
async fn one_key_twice_in_a_batch_whose_answer_was_lost_is_believed_by_neither() {
    let log = with_fault(Fault::AnswerLost);
    let outcomes = in_one_batch(&log, vec![append(1, stream(1), 0), append(1, stream(1), 0)]).await;
    let replayed: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().unwrap().replayed)
        .collect();
    assert_eq!(replayed, [true, true]);
    assert_eq!(positions(&log), [1]);
}

#[tokio::test]
async fn a_store_that_goes_while_members_are_tried_singly_is_asked_once() {
    let log = MemoryLog::default();
    let faults = [Fault::RefuseMany, Fault::Unavailable, Fault::Unavailable];
    log.tables.lock().unwrap().faults.extend(faults);
    let mut many = append(1, stream(1), 0);
    let second = many.writes[0].events[0].clone();
    many.writes[0].events.push(second);
    let outcomes = in_one_batch(&log, vec![many, append(2, stream(2), 0), append(3, stream(3), 0)]).await;
    let gone = |outcome: &Result<Appended, AppendError>| matches!(outcome, Err(AppendError::Unavailable(_)));
    assert!(outcomes.iter().all(gone), "{outcomes:?}");
    assert_eq!(log.tables.lock().unwrap().faults.len(), 1);
}

#[tokio::test]
async fn a_sequencer_that_ended_is_unavailable_not_overloaded() {
    let (handle, task) = sequencer(Arc::new(MemoryLog::default()), SequencerLimits::default());
    drop(task);
    let outcome = handle.append(append(1, stream(1), 0)).await;
    assert!(matches!(outcome, Err(AppendError::Unavailable(_))));
}

#[tokio::test]
async fn a_commit_that_was_lost_on_the_way_is_done() {
    let log = with_fault(Fault::RequestLost);
    let appended = start(&log, SequencerLimits::default())
        .append(append(1, stream(1), 0))
        .await
        .unwrap();
    assert_eq!(appended.position, 1);
    assert_eq!(positions(&log), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_cannot_be_settled_is_said_to_be_unknown() {
    let log = with_fault(Fault::RequestLost);
    log.tables
        .lock()
        .unwrap()
        .faults
        .extend([Fault::Unavailable; 1_000]);
    let limits = SequencerLimits {
        settle_max: std::time::Duration::ZERO,
        ..SequencerLimits::default()
    };
    let outcome = start(&log, limits).append(append(1, stream(1), 0)).await;
    assert!(matches!(outcome, Err(AppendError::OutcomeUnknown)));
}

#[tokio::test]
async fn an_unavailable_store_refuses_and_appends_nothing() {
    let log = with_fault(Fault::Unavailable);
    let outcome = start(&log, SequencerLimits::default())
        .append(append(1, stream(1), 0))
        .await;
    assert!(matches!(outcome, Err(AppendError::Unavailable(_))));
    assert!(positions(&log).is_empty());
}

#[tokio::test]
async fn a_head_held_by_another_is_waited_for() {
    let log = with_fault(Fault::Busy);
    let appended = start(&log, SequencerLimits::default())
        .append(append(1, stream(1), 0))
        .await
        .unwrap();
    assert_eq!(appended.position, 1);
}

#[tokio::test]
async fn a_lasting_error_has_the_members_tried_singly() {
    let log = MemoryLog::default();
    log.tables.lock().unwrap().faults.extend([Fault::RefuseMany; 4]);
    let mut many = append(2, stream(2), 0);
    let second = many.writes[0].events[0].clone();
    many.writes[0].events.push(second);
    let outcomes = in_one_batch(&log, vec![append(1, stream(1), 0), many, append(3, stream(3), 0)]).await;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    assert!(matches!(outcomes[1], Err(AppendError::Fault(_))));
    assert_eq!(positions(&log), [1, 2]);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let log = MemoryLog::default();
    let limits = SequencerLimits {
        queue_members_max: 1,
        ..SequencerLimits::default()
    };
    let (handle, task) = sequencer(Arc::new(log.clone()), limits);
    let waiting = tokio::spawn({
        let handle = handle.clone();
        async move { handle.append(append(1, stream(1), 0)).await }
    });
    tokio::task::yield_now().await;
    assert!(matches!(
        handle.append(append(2, stream(2), 0)).await,
        Err(AppendError::Overloaded)
    ));
    tokio::spawn(task.run());
    assert!(waiting.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_queue_full_of_bytes_refuses_at_once() {
    let log = MemoryLog::default();
    let limits = SequencerLimits {
        queue_bytes_max: 10,
        ..SequencerLimits::default()
    };
    let outcome = start(&log, limits).append(append(1, stream(1), 0)).await;
    assert!(matches!(outcome, Err(AppendError::Overloaded)));
}

#[tokio::test]
async fn an_event_at_the_limit_is_taken_and_one_byte_more_is_not() {
    let log = MemoryLog::default();
    let handle = start(&log, SequencerLimits::default());
    let mut large = append(1, stream(1), 0);
    large.writes[0].events[0].payload = vec![b' '; EVENT_BYTES_MAX - 2];
    assert!(handle.append(large.clone()).await.is_ok());
    large.command.key = [2; 32];
    large.writes[0].events[0].payload.push(b' ');
    assert!(
        matches!(handle.append(large).await, Err(AppendError::EventTooLarge { bytes }) if bytes == EVENT_BYTES_MAX + 1)
    );
}

#[tokio::test]
async fn a_no_op_keeps_its_answer_and_takes_no_position() {
    let log = MemoryLog::default();
    let handle = start(&log, SequencerLimits::default());
    handle.append(append(1, stream(1), 0)).await.unwrap();
    let mut nothing = append(2, stream(1), 1);
    nothing.writes.clear();
    let first = handle.append(nothing.clone()).await.unwrap();
    let again = handle.append(nothing).await.unwrap();
    assert_eq!((first.version, first.position), (1, 1));
    assert_eq!(
        again,
        Appended {
            replayed: true,
            ..first
        }
    );
    assert_eq!(positions(&log), [1]);
}

#[tokio::test]
async fn what_was_queued_is_answered_after_the_last_handle_is_gone() {
    let log = MemoryLog::default();
    let (handle, task) = sequencer(Arc::new(log.clone()), SequencerLimits::default());
    let waiting = tokio::spawn(async move { handle.append(append(1, stream(1), 0)).await });
    tokio::task::yield_now().await;
    task.run().await;
    assert!(waiting.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_release_of_what_another_stream_owns_is_a_fault_and_spoils_nothing() {
    let log = MemoryLog::default();
    let handle = start(&log, SequencerLimits::default());
    let mut holder = append(1, stream(1), 0);
    holder.claims.taken.push(claim("x", 1, stream(1)));
    holder.spans.taken.push(span(1, Layer::Normal, 0, 10, stream(1)));
    handle.append(holder).await.unwrap();
    let mut claim_thief = append(2, stream(2), 0);
    claim_thief.claims.released.push(claim("x", 1, stream(1)));
    let mut span_thief = append(3, stream(2), 0);
    span_thief
        .spans
        .released
        .push(span(1, Layer::Normal, 0, 10, stream(1)));
    // Reading a stream gives no right to what it holds.
    let mut reader = append(4, stream(2), 0);
    reader.reads.push(StreamRead {
        stream: stream(1),
        expected_version: 1,
    });
    reader.claims.released.push(claim("x", 1, stream(1)));
    for thief in [claim_thief, span_thief, reader] {
        assert!(matches!(handle.append(thief).await, Err(AppendError::Fault(_))));
    }
    let tables = log.tables.lock().unwrap();
    assert_eq!(
        (tables.events.len(), tables.claims.len(), tables.spans.len()),
        (1, 1, 1)
    );
}
