//! Does an event store keep the port's promises? One suite of small functions, run by every adapter.
//!
//! An adapter's `tests/conformance.rs` has one function that opens a fresh log and one line:
//!
//! ```text
//! async fn fresh_log() -> praxis_testkit::conformance::Outcome<LogUnderTest> { … }
//! praxis_testkit::event_store_conformance!(fresh_log);
//! ```

use std::sync::Arc;

use async_trait::async_trait;
use praxis_event_store::audit::AuditReader;
use praxis_event_store::outcomes::OutcomeStore;
use praxis_event_store::port::{LogReader, LogWriter, RelayStore};
use praxis_event_store::restore::RestoredLog;
use praxis_events::ids::LogId;
use uuid::Uuid;

pub mod atomicity;
pub mod bytes;
pub mod claims;
pub mod judged;
pub mod keys;
pub mod look_ups;
pub mod numbers;
pub mod order;
pub mod outcomes;
pub mod reading;
pub mod relay;
pub mod restored;
pub mod sample;
pub mod spans;
pub mod uniqueness;

/// What a conformance function answers: an error is a fault of the store, a failed assertion a broken promise.
pub type Outcome<T = ()> = anyhow::Result<T>;

/// A log just created, empty, used by nobody else.
pub struct LogUnderTest {
    /// The identity it was created with; its epoch is 1.
    pub log_id: LogId,
    /// Appends to it.
    pub writer: Arc<dyn LogWriter>,
    /// Appends to the same log through connections of its own, as a second process would.
    pub other_writer: Arc<dyn LogWriter>,
    /// Reads it, through connections other than the writers'.
    pub reader: Arc<dyn LogReader>,
    /// Keeps the lease and progress of its relay.
    pub relay: Arc<dyn RelayStore>,
    /// Forgets what commands were answered.
    pub outcomes: Arc<dyn OutcomeStore>,
    /// Reads it without believing it.
    pub audit: Arc<dyn AuditReader>,
    /// Begins another life of it.
    pub restored: Arc<dyn RestoredLog>,
    /// What must live as long as the log: a directory, a schema that is dropped.
    pub place: Box<dyn Place>,
}

/// Where a log is kept, and what may be done to it there behind the adapter's back.
#[async_trait]
pub trait Place: Send + Sync {
    /// Takes the event at that position out of its table.
    async fn lose_event(&self, position: u64) -> Outcome;

    /// Destroys a person's keys, as their erasure at that position does.
    async fn erase(&self, subject: Uuid, at_position: u64) -> Outcome;

    /// Adds a byte to the payload of the event at that position.
    async fn change_payload(&self, position: u64) -> Outcome;

    /// Puts another number into that column of the event at that position; both schemas name their columns alike.
    async fn change_number(&self, position: u64, column: &str, to: i64) -> Outcome;

    /// The same log as a process that begins now opens it.
    async fn open_again(&self) -> Outcome<OpenedAgain>;
}

/// A log opened by one that remembers nothing of it.
pub struct OpenedAgain {
    /// Appends to it.
    pub writer: Arc<dyn LogWriter>,
    /// Reads it.
    pub reader: Arc<dyn LogReader>,
    /// Keeps the lease and progress of its relay.
    pub relay: Arc<dyn RelayStore>,
    /// Begins another life of it.
    pub restored: Arc<dyn RestoredLog>,
}

/// Expands to one test for each promise. `$open` names an `async fn() -> Outcome<LogUnderTest>` in scope.
#[macro_export]
macro_rules! event_store_conformance {
    ($open:ident) => {
        $crate::conformance_tests! { $open;
            order {
                a_new_log_is_empty_at_position_zero_and_epoch_one,
                the_head_moves_with_each_batch,
                positions_are_dense_in_the_order_of_commits,
                a_batch_without_rows_changes_nothing,
                fifteen_hundred_events_are_one_batch,
                the_head_excludes_another_process_until_commit,
                the_head_excludes_another_task_until_commit,
                a_head_that_stays_held_is_busy,
                reading_does_not_wait_for_the_head,
                the_clock_counts_microseconds_and_does_not_go_back,
            }
            atomicity {
                rows_are_visible_only_after_commit,
                rollback_leaves_nothing,
                a_dropped_transaction_leaves_nothing,
                a_write_given_up_midway_leaves_nothing,
                a_begin_given_up_holds_nothing,
                a_commit_given_up_is_whole,
                a_refused_row_takes_its_batch_with_it,
            }
            uniqueness {
                a_stream_version_is_taken_once,
                a_stream_version_is_taken_once_within_a_batch,
                a_command_key_is_used_once,
                a_data_key_is_made_once,
                an_owner_holds_a_claim_once,
                normal_spans_of_a_calendar_do_not_start_at_once,
                bytes_decide_what_is_the_same,
            }
            look_ups {
                an_empty_look_up_answers_nothing,
                a_new_log_knows_nothing,
                versions_are_those_of_the_streams_asked_for,
                commands_are_those_asked_for,
                persons_with_a_destroyed_key_are_erased,
                all_kinds_are_answered_together,
                fifteen_hundred_questions_are_answered,
            }
            claims {
                a_member_has_the_owners_that_took_it,
                a_claim_is_released_by_its_owner_only,
                a_claim_changes_hands_within_a_batch,
                resource_and_member_are_kept_apart,
                the_longest_names_come_back_whole,
            }
            spans {
                touching_spans_do_not_overlap,
                one_microsecond_is_an_overlap,
                equal_contained_and_containing_spans_overlap,
                a_predecessor_far_back_is_found,
                what_lies_before_and_after_is_not_found,
                calendars_are_kept_apart,
                no_span_is_answered_twice,
                layer_and_owner_of_the_question_are_ignored,
                released_time_is_free,
                time_is_released_by_its_owner_only,
                time_changes_hands_within_a_batch,
                times_before_1970_and_far_ahead_are_kept,
                a_crowded_calendar_answers_as_comparing_every_pair_does,
            }
            reading {
                the_log_is_read_from_any_position,
                a_stream_is_read_in_order,
                a_stream_is_read_in_part,
                a_stream_is_a_kind_and_an_id,
                a_lost_event_is_a_fault,
                an_instant_is_a_position,
            }
            bytes {
                every_byte_is_kept,
                empty_documents_are_kept,
                documents_of_any_size_are_kept_apart,
                documents_are_not_rewritten,
                extreme_columns_are_kept,
                the_heads_time_is_kept,
                extreme_outcomes_are_kept,
                extreme_keys_are_kept,
            }
            keys {
                keys_are_found_by_id,
                the_newest_key_of_each_subject_is_used,
                a_destroyed_key_stands_for_its_person,
                subjects_may_be_none_or_repeated,
            }
            numbers {
                numbers_start_at_one_and_follow,
                counters_are_kept_apart,
                a_range_may_be_as_large_as_its_type,
                concurrent_ranges_never_meet,
            }
            outcomes {
                outcomes_older_than_an_instant_are_forgotten,
                a_page_of_outcomes_has_its_limit,
                a_forgotten_key_is_as_good_as_new,
                nothing_is_forgotten_while_another_holds_the_head,
            }
            relay {
                the_first_leader_starts_at_the_beginning,
                a_lease_excludes_others,
                renewing_keeps_the_term,
                an_expired_lease_is_taken_over,
                a_renewed_lease_lasts,
                progress_is_handed_over,
                saving_twice_is_saving,
                only_the_leader_of_the_term_saves,
                a_released_lease_is_free_at_once,
                only_the_leader_releases,
                one_of_many_leads,
            }
            restored {
                a_sound_log_is_found_sound,
                what_was_lost_or_changed_is_named,
                rows_outside_of_the_log_are_named,
                every_number_that_was_changed_is_named,
                what_the_relay_keeps_is_compared,
                another_life_has_another_epoch_and_no_leader,
                another_life_goes_on_where_the_relay_was,
                a_life_begun_twice_is_later,
                a_log_that_moved_begins_no_life,
                a_log_with_a_leader_begins_no_life,
            }
            judged {
                a_claim_is_taken_once_within_a_batch,
                a_claim_is_taken_once_over_batches,
                what_was_kept_under_an_older_claims_key_is_met,
                nothing_is_sealed_for_a_person_who_was_erased,
                a_claim_with_capacity_is_taken_that_often,
                time_is_booked_once,
                time_released_in_a_batch_can_be_booked_in_it,
                overbooked_time_frees_and_fills,
                a_stale_version_is_found_by_the_index_and_then_explained,
                a_command_key_gets_one_answer,
                a_stream_read_must_not_have_moved,
                the_leaf_of_a_stored_row_is_recomputed_from_it,
            }
        }
    };
}

/// Expands to one test for each named function of each named area.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($open:ident; $($area:ident { $($promise:ident),+ $(,)? })+) => { $(
        $crate::conformance_tests! { @area $open; $area { $($promise),+ } }
    )+ };
    (@area $open:ident; $area:ident { $($promise:ident),+ }) => {
        mod $area { $(
            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() -> $crate::conformance::Outcome {
                $crate::conformance::$area::$promise(super::$open().await?).await
            }
        )+ }
    };
}

#[cfg(test)]
mod tests {
    /// Every area with the functions it declares.
    const AREAS: [(&str, &str); 14] = [
        ("atomicity", include_str!("atomicity.rs")),
        ("bytes", include_str!("bytes.rs")),
        ("claims", include_str!("claims.rs")),
        ("judged", include_str!("judged.rs")),
        ("keys", include_str!("keys.rs")),
        ("look_ups", include_str!("look_ups.rs")),
        ("numbers", include_str!("numbers.rs")),
        ("order", include_str!("order.rs")),
        ("outcomes", include_str!("outcomes.rs")),
        ("reading", include_str!("reading.rs")),
        ("relay", include_str!("relay.rs")),
        ("restored", include_str!("restored.rs")),
        ("spans", include_str!("spans.rs")),
        ("uniqueness", include_str!("uniqueness.rs")),
    ];

    #[test]
    fn every_promise_is_in_the_macro() {
        let this = include_str!("mod.rs");
        for (area, source) in AREAS {
            let list = this
                .split_once(&format!("            {area} {{"))
                .unwrap()
                .1
                .split_once('}')
                .unwrap()
                .0;
            for declared in source
                .lines()
                .filter_map(|line| line.strip_prefix("pub async fn "))
            {
                let promise = declared.split_once('(').unwrap().0;
                assert!(
                    list.contains(&format!(" {promise},")),
                    "{area}::{promise} is never run"
                );
            }
        }
        let areas = this.lines().filter(|line| line.starts_with("pub mod ")).count() - 1;
        assert_eq!(areas, AREAS.len(), "an area is not in this list");
    }
}
