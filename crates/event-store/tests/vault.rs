//! Whose key seals, whose key opens, and what becomes of both when a person is erased.
#![allow(
    clippy::disallowed_methods,
    reason = "the runtime of each test owns its tasks, and ends them"
)]

mod support;

#[cfg(test)]
mod keeping {
    use std::collections::HashSet;
    use std::sync::Arc;
    use std::time::Duration;

    use praxis_event_store::append::Conflict;
    use praxis_event_store::codec::Codec;
    use praxis_event_store::port::{StoreError, StoredEvent};
    use praxis_event_store::record::keys::UnwrapError;
    use praxis_event_store::sequencer::{AppendError, Sequencer, SequencerLimits, sequencer};
    use praxis_event_store::vault::{FoundKey, VaultError};
    use praxis_events::event::Event;
    use praxis_events::ids::SubjectId;
    use uuid::Uuid;

    use crate::support::sealing::{
        PERSON, append_of, fixture, keys_of, prepared, process, process_with, ring, write,
    };
    use crate::support::{MemoryLog, append, stream};

    const ANOTHER: SubjectId = SubjectId(Uuid::from_u128(0xbea));

    fn event() -> Event {
        fixture("thread.message-sent", 1).event()
    }

    fn start(log: &MemoryLog) -> Sequencer {
        let (handle, task) = sequencer(Arc::new(log.clone()), SequencerLimits::default());
        tokio::spawn(task.run());
        handle
    }

    fn key_reads(log: &MemoryLog) -> usize {
        log.tables.lock().unwrap().key_reads
    }

    fn head_reads(log: &MemoryLog) -> usize {
        log.tables.lock().unwrap().head_reads
    }

    async fn is_erased(process: &Codec, row: &StoredEvent) -> bool {
        let read = process.decode(std::slice::from_ref(row)).await.unwrap().remove(0);
        read.unwrap().event.to_document().unwrap()["body"] == "erased"
    }

    #[tokio::test]
    async fn two_first_uses_at_once_make_two_keys_and_both_are_accepted() {
        let log = MemoryLog::default();
        let (one, other) = (process(&log), process(&log));
        let (keys, more_keys) = (keys_of(&one, PERSON).await, keys_of(&other, PERSON).await);
        assert_ne!(keys.new_keys[0].key_id, more_keys.new_keys[0].key_id);
        let sequencer = start(&log);
        let (first, first_event) = prepared(&one, &event(), 1, &keys);
        let (second, second_event) = prepared(&other, &event(), 2, &more_keys);
        let appended = tokio::join!(
            sequencer.append(append_of(first, first_event, &keys)),
            sequencer.append(append_of(second, second_event, &more_keys)),
        );
        assert!(appended.0.is_ok() && appended.1.is_ok(), "{appended:?}");
        let (rows, stored) = {
            let tables = log.tables.lock().unwrap();
            (tables.events.clone(), tables.keys.clone())
        };
        let created: Vec<u64> = stored.iter().map(|key| key.created_position).collect();
        assert_eq!(created, [1, 2]);
        for read in process(&log).decode(&rows).await.unwrap() {
            assert_eq!(read.unwrap().event, event());
        }
        let next = keys_of(&process(&log), PERSON).await;
        assert!(next.new_keys.is_empty());
        assert_eq!(next.by_subject[&PERSON.0].id(), stored[1].key_id, "the newest");
    }

    #[tokio::test]
    async fn a_key_is_remembered_only_once_its_append_is_in_the_log() {
        let log = MemoryLog::default();
        let process = process(&log);
        let refused = keys_of(&process, PERSON).await;
        let made_again = keys_of(&process, PERSON).await;
        assert_ne!(refused.new_keys[0].key_id, made_again.new_keys[0].key_id);
        process.vault().keep(&made_again);
        let reads = key_reads(&log);
        let kept = keys_of(&process, PERSON).await;
        assert!(kept.new_keys.is_empty());
        assert_eq!(kept.by_subject[&PERSON.0].id(), made_again.new_keys[0].key_id);
        assert_eq!(key_reads(&log), reads, "without asking the store");
    }

    #[tokio::test]
    async fn keys_are_as_of_the_oldest_answer_among_them() {
        let log = MemoryLog::default();
        let process = process(&log);
        write(&log, &process, &event(), 1).await;
        log.tables.lock().unwrap().destroy_keys_of(PERSON.0, 4);
        // The process has not yet heard of it, and does when it asks for somebody it does not know.
        assert_eq!(keys_of(&process, PERSON).await.as_of, 0);
        let both = HashSet::from([PERSON.0, ANOTHER.0]);
        assert_eq!(process.vault().sealing_keys(&both).await.unwrap().as_of, 0);
        assert_eq!(keys_of(&process, ANOTHER).await.as_of, 4);
    }

    #[tokio::test]
    async fn an_event_sealed_under_a_key_destroyed_since_is_refused() {
        let log = MemoryLog::default();
        let process = process(&log);
        write(&log, &process, &event(), 1).await;
        let keys = keys_of(&process, PERSON).await;
        let (stream, event) = prepared(&process, &event(), 2, &keys);
        log.tables.lock().unwrap().destroy_keys_of(PERSON.0, 1);
        let outcome = start(&log).append(append_of(stream, event, &keys)).await;
        let Err(AppendError::Refused(conflicts)) = outcome else {
            panic!("{outcome:?}")
        };
        let subject_id = PERSON.0;
        assert_eq!(conflicts, [Conflict::Erased { subject_id }]);
        assert_eq!(log.tables.lock().unwrap().events.len(), 1);
    }

    #[tokio::test]
    async fn the_erasure_of_another_person_refuses_nothing() {
        let log = MemoryLog::default();
        let process = process(&log);
        write(&log, &process, &event(), 1).await;
        let keys = keys_of(&process, PERSON).await;
        let (stream_2, sealed) = prepared(&process, &event(), 2, &keys);
        {
            let mut tables = log.tables.lock().unwrap();
            let mut anothers = tables.keys[0].clone();
            anothers.key_id = Uuid::from_u128(0xbeef);
            anothers.subject_id = ANOTHER.0;
            tables.keys.push(anothers);
            tables.destroy_keys_of(ANOTHER.0, 1);
        }
        let sequencer = start(&log);
        let appended = sequencer.append(append_of(stream_2, sealed, &keys)).await;
        assert!(appended.is_ok(), "{appended:?}");
        assert!(sequencer.append(append(3, stream(3), 0)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_erased_elsewhere_is_forgotten_with_every_key_within_a_second() {
        let log = MemoryLog::default();
        let (one, other) = (process(&log), process(&log));
        let keys = keys_of(&other, PERSON).await;
        let by_one = write(&log, &one, &event(), 1).await;
        // The other process made a key of its own at the same time.
        let (stream, sealed) = prepared(&other, &event(), 2, &keys);
        start(&log)
            .append(append_of(stream, sealed, &keys))
            .await
            .unwrap();
        let by_other = log.tables.lock().unwrap().events[1].clone();
        assert!(!is_erased(&one, &by_one).await && !is_erased(&one, &by_other).await);
        log.tables.lock().unwrap().destroy_keys_of(PERSON.0, 2);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(is_erased(&one, &by_one).await, "the key it sealed with");
        assert!(is_erased(&one, &by_other).await, "the key it only opened with");
        assert!(keys_of(&one, PERSON).await.erased.contains(&PERSON.0));
    }

    #[tokio::test(start_paused = true)]
    async fn while_nobody_is_erased_the_log_is_asked_once_a_second() {
        let log = MemoryLog::default();
        let process = process(&log);
        let row = write(&log, &process, &event(), 1).await;
        let (heads, keys) = (head_reads(&log), key_reads(&log));
        for _ in 0..10 {
            assert!(!is_erased(&process, &row).await);
            tokio::time::advance(Duration::from_millis(500)).await;
        }
        assert_eq!(key_reads(&log), keys);
        assert!((4..=6).contains(&(head_reads(&log) - heads)));
    }

    #[tokio::test]
    async fn nobody_makes_a_key_for_a_person_who_was_erased() {
        let log = MemoryLog::default();
        let (knowing, unknowing) = (process(&log), process(&log));
        write(&log, &knowing, &event(), 1).await;
        log.tables.lock().unwrap().destroy_keys_of(PERSON.0, 1);
        let keys = keys_of(&process(&log), PERSON).await;
        assert!(keys.new_keys.is_empty() && keys.by_subject.is_empty());
        assert_eq!(keys.erased, HashSet::from([PERSON.0]));
        // Nor is one accepted that was made before the erasure was known.
        let mut keys = keys_of(&unknowing, ANOTHER).await;
        keys.new_keys[0].subject_id = PERSON.0;
        let key = keys.by_subject.remove(&ANOTHER.0).unwrap();
        keys.by_subject.insert(PERSON.0, key);
        keys.as_of = 0;
        let (stream, sealed) = prepared(&unknowing, &event(), 2, &keys);
        let outcome = start(&log).append(append_of(stream, sealed, &keys)).await;
        assert!(matches!(outcome, Err(AppendError::Refused(_))), "{outcome:?}");
        assert_eq!(log.tables.lock().unwrap().keys.len(), 1);
    }

    #[tokio::test]
    async fn a_process_told_of_an_erasure_looks_again_at_once() {
        let log = MemoryLog::default();
        let process = process(&log);
        let row = write(&log, &process, &event(), 1).await;
        log.tables.lock().unwrap().destroy_keys_of(PERSON.0, 1);
        assert!(!is_erased(&process, &row).await, "still in memory");
        process.vault().look_again();
        assert!(is_erased(&process, &row).await);
    }

    #[tokio::test]
    async fn a_damaged_key_is_a_fault_and_not_replaced() {
        let log = MemoryLog::default();
        write(&log, &process(&log), &event(), 1).await;
        let damaged = {
            let mut tables = log.tables.lock().unwrap();
            let wrapped = tables.keys[0].wrapped_key.as_mut().unwrap();
            let last = wrapped.len() - 1;
            wrapped[last] ^= 1;
            tables.keys[0].key_id
        };
        let subjects = HashSet::from([PERSON.0, ANOTHER.0]);
        let outcome = process(&log).vault().sealing_keys(&subjects).await;
        assert!(
            matches!(outcome, Err(VaultError::Damaged { key_id }) if key_id == damaged),
            "{outcome:?}"
        );
    }

    #[tokio::test]
    async fn a_process_says_whether_it_has_the_key_encryption_keys_of_the_log() {
        let log = MemoryLog::default();
        let other_kek = || process_with(&log, ring(Uuid::from_u128(1)));
        assert!(
            other_kek().vault().check_keys().await.is_ok(),
            "nothing is sealed yet"
        );
        write(&log, &process(&log), &event(), 1).await;
        assert!(process(&log).vault().check_keys().await.is_ok());
        let outcome = other_kek().vault().check_keys().await;
        assert!(
            matches!(outcome, Err(VaultError::Unusable(UnwrapError::UnknownKek { .. }))),
            "{outcome:?}"
        );
        log.tables.lock().unwrap().keys[0].wrapped_key.as_mut().unwrap()[0] ^= 0xff;
        assert!(
            process(&log).vault().check_keys().await.is_ok(),
            "one damaged key is not the process's fault"
        );
        log.tables.lock().unwrap().destroy_keys_of(PERSON.0, 1);
        assert!(
            other_kek().vault().check_keys().await.is_ok(),
            "what was erased needs no key"
        );
    }

    #[tokio::test]
    async fn a_key_opens_from_memory_after_it_was_asked_for_once() {
        let log = MemoryLog::default();
        write(&log, &process(&log), &event(), 1).await;
        let key_id = log.tables.lock().unwrap().keys[0].key_id;
        let reader = process(&log);
        let reads = key_reads(&log);
        for _ in 0..3 {
            let found = reader
                .vault()
                .opening_keys(&HashSet::from([key_id]))
                .await
                .unwrap();
            assert!(matches!(found[&key_id], FoundKey::Open(_)));
        }
        assert_eq!(key_reads(&log), reads + 1);
    }

    #[tokio::test]
    async fn a_process_that_cannot_have_a_persons_key_makes_no_other() {
        let log = MemoryLog::default();
        write(&log, &process(&log), &event(), 1).await;
        let subjects = HashSet::from([PERSON.0]);
        let without_kek = process_with(&log, ring(Uuid::from_u128(1)));
        let outcome = without_kek.vault().sealing_keys(&subjects).await;
        assert!(
            matches!(outcome, Err(VaultError::Unusable(UnwrapError::UnknownKek { .. }))),
            "{outcome:?}"
        );
        log.tables.lock().unwrap().keys_unavailable = true;
        let outcome = process(&log).vault().sealing_keys(&subjects).await;
        assert!(
            matches!(outcome, Err(VaultError::Store(StoreError::Unavailable(_)))),
            "{outcome:?}"
        );
    }
}
