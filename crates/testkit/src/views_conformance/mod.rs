//! Do databases of read models keep the ports' promises? One suite of small functions, run by every adapter.
//!
//! An adapter's `tests/views_conformance.rs` has one function that opens a fresh registry and one line:
//!
//! ```text
//! async fn fresh_registry() -> praxis_testkit::conformance::Outcome<RegistryUnderTest> { … }
//! praxis_testkit::views_conformance!(fresh_registry);
//! ```
#![allow(
    missing_docs,
    reason = "the name of each function is the promise that it checks"
)]

use std::any::Any;
use std::num::NonZeroU32;
use std::sync::Arc;

use praxis_events::ids::LogId;
use praxis_events::recorded::RecordedEvent;
use praxis_read_models::reads::Reads;
use praxis_read_models::registry::Registry;
use praxis_read_models::views::{Checkpoint, Views, ViewsTransaction};
use uuid::Uuid;

use crate::conformance::Outcome;
use crate::history::history;
use crate::rows::Rows;

pub mod checkpoints;
pub mod generations;
pub mod lists;
pub mod many_names;
pub mod order;
pub mod parking;
pub mod rows;
pub mod search;
pub mod slices;

/// A registry just created, empty, used by nobody else.
pub struct RegistryUnderTest {
    /// The registry, and the way to its generations.
    pub registry: Arc<dyn Registry>,
    /// What must live as long: a directory, schemas that are dropped.
    pub guard: Box<dyn Any + Send + Sync>,
}

/// How many partitions the generations of these tests have.
pub const PARTITIONS: NonZeroU32 = NonZeroU32::new(3).expect("not zero");

/// The log that checkpoints of these tests are of.
pub const LOG: LogId = LogId(Uuid::from_u128(77));

/// A generation open both ways.
pub struct Open {
    /// For writing.
    pub views: Arc<dyn Views>,
    /// For reading.
    pub reads: Arc<dyn Reads>,
    _guard: Box<dyn Any + Send + Sync>,
}

impl Open {
    /// A new generation, its partitions started at position 0.
    pub async fn fresh(under: RegistryUnderTest) -> Outcome<Self> {
        let generation = under.registry.register(PARTITIONS, 1).await?;
        let open = Self {
            views: under.registry.open_views(generation.number).await?,
            reads: under.registry.open_reads(generation.number).await?,
            _guard: under.guard,
        };
        let starts: Vec<Checkpoint> = (0..PARTITIONS.get())
            .map(|partition| checkpoint(partition, 0))
            .collect();
        open.views.start_partitions(&starts).await?;
        Ok(open)
    }

    /// A new generation with the rows of a history in it.
    pub async fn filled(under: RegistryUnderTest, events: &[RecordedEvent]) -> Outcome<(Self, Rows)> {
        let (open, rows) = (Self::fresh(under).await?, Rows::of(events));
        open.save(&rows).await?;
        Ok((open, rows))
    }

    /// Saves and commits rows.
    pub async fn save(&self, rows: &Rows) -> Outcome {
        let mut tx = self.views.begin().await?;
        save(tx.as_mut(), rows).await?;
        Ok(tx.commit().await?)
    }
}

/// A checkpoint in epoch 1 whose leaf hash is made of its position.
pub fn checkpoint(partition: u32, position: u64) -> Checkpoint {
    let mut leaf_hash = [0; 32];
    leaf_hash[24..].copy_from_slice(&position.to_be_bytes());
    Checkpoint {
        partition,
        position,
        epoch: 1,
        log_id: LOG,
        leaf_hash,
    }
}

/// The history that most of these tests are about.
pub fn usual_history() -> Vec<RecordedEvent> {
    history(21, 1_200)
}

/// Saves rows of every model.
pub async fn save(tx: &mut dyn ViewsTransaction, rows: &Rows) -> Outcome {
    tx.save_patients(&rows.patients.values().cloned().collect::<Vec<_>>())
        .await?;
    tx.save_practitioners(&rows.practitioners.values().cloned().collect::<Vec<_>>())
        .await?;
    tx.save_locations(&rows.locations.values().cloned().collect::<Vec<_>>())
        .await?;
    tx.save_appointments(&rows.appointments.values().cloned().collect::<Vec<_>>())
        .await?;
    tx.save_threads(&rows.threads.values().cloned().collect::<Vec<_>>())
        .await?;
    tx.save_messages(&rows.messages.values().cloned().collect::<Vec<_>>())
        .await?;
    Ok(())
}

/// Loads the rows with the keys of `rows`, of every model.
pub async fn load(tx: &mut dyn ViewsTransaction, rows: &Rows) -> Outcome<Rows> {
    macro_rules! loaded {
        ($load:ident, $rows:ident) => {
            tx.$load(&rows.$rows.keys().copied().collect::<Vec<_>>())
                .await?
                .into_iter()
                .map(|row| (row.id, row))
                .collect()
        };
    }
    Ok(Rows {
        patients: loaded!(load_patients, patients),
        practitioners: loaded!(load_practitioners, practitioners),
        locations: loaded!(load_locations, locations),
        appointments: loaded!(load_appointments, appointments),
        threads: loaded!(load_threads, threads),
        messages: loaded!(load_messages, messages),
    })
}

/// Expands to one test for each promise. `$open` names an `async fn() -> Outcome<RegistryUnderTest>` in scope.
#[macro_export]
macro_rules! views_conformance {
    ($open:ident) => {
        $crate::views_conformance_tests! { $open;
            rows {
                every_row_comes_back_as_it_was_saved,
                a_row_saved_again_is_replaced,
                rows_that_are_not_there_are_left_out,
                no_keys_load_nothing_and_no_rows_save_nothing,
                erased_rows_come_back_erased,
                any_text_comes_back_as_it_was,
                five_thousand_rows_are_one_batch,
                extreme_values_come_back_as_they_were,
                rows_too_large_for_one_statement_are_saved,
                rows_are_seen_only_after_commit,
                looking_does_not_wait_for_a_transaction,
                a_dropped_transaction_leaves_nothing,
            }
            checkpoints {
                partitions_are_started_once,
                a_checkpoint_moves_from_where_it_is,
                a_checkpoint_does_not_move_from_elsewhere,
                several_checkpoints_move_together,
                a_partition_that_was_not_started_does_not_move,
                checkpoints_move_with_the_rows_or_not_at_all,
                who_moved_first_wins,
            }
            parking {
                parked_events_are_listed_in_order,
                an_event_parked_again_stays_as_it_was,
                parked_streams_are_found_among_others,
                a_stream_comes_back_up_to_a_position,
                parked_events_are_seen_by_readers,
                a_kind_of_stream_not_known_is_kept,
                extreme_positions_are_kept,
                a_dropped_transaction_parks_nothing,
            }
            lists {
                single_records_are_found,
                what_is_not_there_is_not_found,
                records_are_paged_by_id,
                a_day_of_a_practitioner_is_by_start,
                a_patients_bookings_are_by_start,
                names_are_joined_as_they_are_now,
                names_that_are_not_there_are_none,
                names_of_the_erased_are_erased,
                a_participants_threads_are_by_last_activity,
                a_threads_messages_are_in_order,
            }
            order {
                bookings_that_start_at_once_are_listed_once_each,
                conversations_active_at_once_are_listed_once_each,
                a_day_ends_at_midnight_on_the_wall,
                a_moved_booking_leaves_the_lists_it_was_in,
                a_conversation_is_listed_for_its_participants_only,
                a_conversation_moves_up_when_it_goes_on,
            }
            search {
                search_finds_whom_the_criteria_mean,
                searches_are_paged_by_id,
                a_corrected_patient_is_found_by_the_new_name_only,
                an_erased_patient_is_found_by_the_record_number_only,
                wildcards_are_letters_like_any_other,
            }
            many_names {
                search_agrees_with_the_criteria_in_every_script,
            }
            slices {
                any_slicing_of_batches_gives_equal_rows,
            }
            generations {
                generations_are_numbered_and_begin_building,
                a_generations_state_moves_from_where_it_is,
                generations_are_kept_apart,
                a_generation_that_is_not_there_cannot_be_opened,
                a_retired_generation_cannot_be_opened,
                the_newest_ready_generation_is_read,
                of_callers_at_once_one_registers,
                nothing_is_registered_after_any_but_the_newest,
                a_generation_is_removed_when_it_was_retired_for_long_enough,
            }
        }
    };
}

/// Expands to one test for each named function of each named area.
#[doc(hidden)]
#[macro_export]
macro_rules! views_conformance_tests {
    ($open:ident; $($area:ident { $($promise:ident),+ $(,)? })+) => { $(
        $crate::views_conformance_tests! { @area $open; $area { $($promise),+ } }
    )+ };
    (@area $open:ident; $area:ident { $($promise:ident),+ }) => {
        mod $area { $(
            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() -> $crate::conformance::Outcome {
                $crate::views_conformance::$area::$promise(super::$open().await?).await
            }
        )+ }
    };
}

#[cfg(test)]
mod tests {
    /// Every area with the functions it declares.
    const AREAS: [(&str, &str); 9] = [
        ("checkpoints", include_str!("checkpoints.rs")),
        ("generations", include_str!("generations.rs")),
        ("lists", include_str!("lists.rs")),
        ("many_names", include_str!("many_names.rs")),
        ("order", include_str!("order.rs")),
        ("parking", include_str!("parking.rs")),
        ("rows", include_str!("rows.rs")),
        ("search", include_str!("search.rs")),
        ("slices", include_str!("slices.rs")),
    ];

    #[test]
    fn every_promise_is_in_the_macro() {
        let this = include_str!("mod.rs");
        for (area, source) in AREAS {
            let (_, from_area) = this
                .split_once(&format!("            {area} {{"))
                .expect("the area is in the macro");
            let (list, _) = from_area.split_once('}').expect("the list ends");
            for declared in source
                .lines()
                .filter_map(|line| line.strip_prefix("pub async fn "))
            {
                let (promise, _) = declared.split_once('(').expect("a function has arguments");
                assert!(
                    list.contains(&format!(" {promise},")),
                    "{area}::{promise} is never run"
                );
            }
        }
        let areas = this.lines().filter(|line| line.starts_with("pub mod ")).count();
        assert_eq!(areas, AREAS.len(), "an area is not in this list");
    }
}
