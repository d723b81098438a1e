//! Do folds keep their promises: slices and repetition change nothing, erasure changes only what is sealed.

use praxis_events::recorded::RecordedEvent;
use praxis_read_models::fold::{Place, ReadModel, fold_all};
use praxis_read_models::models::appointments::Appointments;
use praxis_read_models::models::patients::{PatientStatus, Patients};
use praxis_read_models::models::threads::Threads;
use praxis_testkit::history::{history, redact};
use praxis_testkit::rows::Rows;
use proptest::prelude::*;

const LEN: usize = 300;

/// Slices of a history in order, each as likely as not to be folded twice, and to begin before the last one ended.
fn slices() -> impl Strategy<Value = Vec<(usize, usize, bool)>> {
    prop::collection::vec((1_usize..40, 0_usize..15, any::<bool>()), 1..60)
}

fn fold_in_slices(events: &[RecordedEvent], slices: &[(usize, usize, bool)]) -> Rows {
    let mut rows = Rows::default();
    let mut done = 0_usize;
    for (len, overlap, again) in slices {
        let slice = &events[done.saturating_sub(*overlap)..events.len().min(done + len)];
        rows.fold(slice);
        if *again {
            rows.fold(slice);
        }
        done = events.len().min(done + len);
    }
    rows.fold(&events[done..]);
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slices_overlaps_and_repetition_change_nothing(seed in any::<u64>(), slices in slices()) {
        let events = history(seed, LEN);
        prop_assert_eq!(fold_in_slices(&events, &slices), Rows::of(&events));
    }

    #[test]
    fn erased_events_make_the_same_rows_but_for_what_was_sealed(seed in any::<u64>(), len in 3..LEN) {
        let events = history(seed, len);
        let redacted: Vec<_> = events.iter().map(redact).collect();
        prop_assert_eq!(Rows::of(&redacted), Rows::of(&events).redacted());
    }

    #[test]
    fn rows_that_hold_a_stream_are_at_its_last_event(seed in any::<u64>(), len in 3..LEN) {
        let events = history(seed, len);
        let rows = Rows::of(&events);
        for event in &events {
            let last = events.iter().rfind(|other| other.stream == event.stream).expect("itself at least");
            let place = Place::of(last);
            let id = event.stream.id;
            prop_assert!(rows.patients.values().all(|row| row.id.0 != id || row.place == place));
            prop_assert!(rows.practitioners.values().all(|row| row.id.0 != id || row.place == place));
            prop_assert!(rows.locations.values().all(|row| row.id.0 != id || row.place == place));
            prop_assert!(rows.appointments.values().all(|row| row.id.0 != id || row.place == place));
            prop_assert!(rows.threads.values().all(|row| row.id.0 != id || row.place == place));
        }
    }

    #[test]
    fn unread_is_what_others_wrote_and_was_neither_read_nor_retracted(seed in any::<u64>(), len in 3..LEN) {
        let rows = Rows::of(&history(seed, len));
        for thread in rows.threads.values() {
            for known in &thread.participants {
                let unread = rows.messages.values().filter(|message| {
                    message.thread_id == thread.id
                        && message.author != known.participant
                        && message.retracted_at.is_none()
                        && message.receipts.iter().all(|receipt| receipt.reader != known.participant)
                });
                prop_assert_eq!(thread.unread_count(known.participant), unread.count());
            }
        }
    }

    #[test]
    fn a_stream_alone_makes_the_row_that_the_whole_log_makes(seed in any::<u64>(), len in 3..LEN) {
        let events = history(seed, len);
        let rows = Rows::of(&events);
        let stream_of = |id| events.iter().filter(move |event| event.stream.id == id);
        for row in rows.patients.values() {
            prop_assert_eq!(fold_all::<Patients>(row.id, stream_of(row.id.0)), Some(row.clone()));
        }
        for row in rows.appointments.values() {
            prop_assert_eq!(fold_all::<Appointments>(row.id, stream_of(row.id.0)), Some(row.clone()));
        }
        for row in rows.threads.values() {
            prop_assert_eq!(fold_all::<Threads>(row.id, stream_of(row.id.0)), Some(row.clone()));
        }
    }
}

#[test]
fn histories_exercise_every_event_type() {
    let events = history(1, 2_000);
    let happened: std::collections::BTreeSet<_> =
        events.iter().map(|event| event.event.event_type().name).collect();
    let known = praxis_events::ids::StreamType::ALL
        .into_iter()
        .flat_map(praxis_events::event::Event::types);
    for event_type in known {
        assert!(
            happened.contains(event_type.name),
            "no {} in 2,000 events",
            event_type.name
        );
    }
}

#[test]
fn a_death_outlasts_being_set_inactive() {
    let rows = Rows::of(&history(2, 2_000));
    for row in rows.patients.values() {
        assert_eq!(row.death.is_some(), row.status == PatientStatus::Deceased);
    }
    assert!(rows.patients.values().any(|row| row.death.is_some()));
}

#[test]
fn an_event_about_a_row_that_is_not_there_makes_none() {
    let events = history(3, 500);
    for event in events.iter().filter(|event| event.stream_version > 1) {
        for key in Patients::keys(event) {
            assert_eq!(fold_all::<Patients>(key, [event]), None);
        }
        for key in Threads::keys(event) {
            assert_eq!(fold_all::<Threads>(key, [event]), None);
        }
    }
}

#[test]
fn an_erased_patient_is_found_by_nothing() {
    let events: Vec<_> = history(4, 50).iter().map(redact).collect();
    for row in Rows::of(&events).patients.values() {
        assert_eq!(
            row.search_keys(),
            praxis_read_models::search::SearchKeys::default()
        );
    }
}
