//! Views in memory: a transaction holds everything from its beginning to its end, works on a copy and swaps it in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use praxis_events::ids::{AppointmentId, LocationId, MessageId, PatientId, PractitionerId, ThreadId};
use praxis_read_models::models::appointments::AppointmentRow;
use praxis_read_models::models::locations::LocationRow;
use praxis_read_models::models::messages::MessageRow;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::models::practitioners::PractitionerRow;
use praxis_read_models::models::threads::ThreadRow;
use praxis_read_models::views::{Checkpoint, Move, ParkedEvent, Views, ViewsError, ViewsTransaction};
use praxis_testkit::rows::Rows;
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

/// What the views hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    pub rows: Rows,
    pub checkpoints: BTreeMap<u32, Checkpoint>,
    pub parked: BTreeMap<u64, ParkedEvent>,
}

/// Views that can lose commits.
#[derive(Default)]
pub struct MemoryViews {
    held: Arc<Mutex<Held>>,
    /// So many of the next commits fail, as if the process had died between fold and commit.
    pub lost_commits: Arc<AtomicU32>,
    /// How many transactions were committed.
    pub commits: Arc<AtomicU32>,
}

impl MemoryViews {
    pub async fn held(&self) -> Held {
        self.held.lock().await.clone()
    }

    pub async fn replace(&self, held: Held) {
        *self.held.lock().await = held;
    }
}

struct MemoryTransaction {
    held: OwnedMutexGuard<Held>,
    next: Held,
    lost_commits: Arc<AtomicU32>,
    commits: Arc<AtomicU32>,
}

#[async_trait]
impl Views for MemoryViews {
    async fn begin(&self) -> Result<Box<dyn ViewsTransaction>, ViewsError> {
        let held = Arc::clone(&self.held).lock_owned().await;
        let next = held.clone();
        let (lost_commits, commits) = (Arc::clone(&self.lost_commits), Arc::clone(&self.commits));
        Ok(Box::new(MemoryTransaction {
            held,
            next,
            lost_commits,
            commits,
        }))
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, ViewsError> {
        Ok(self.held().await.checkpoints.into_values().collect())
    }

    async fn start_partitions(&self, checkpoints: &[Checkpoint]) -> Result<(), ViewsError> {
        let mut held = self.held.lock().await;
        for checkpoint in checkpoints {
            held.checkpoints
                .entry(checkpoint.partition)
                .or_insert_with(|| checkpoint.clone());
        }
        Ok(())
    }

    async fn parked(&self, after_position: u64, limit: u32) -> Result<Vec<ParkedEvent>, ViewsError> {
        let held = self.held().await;
        let after = held
            .parked
            .range(after_position + 1..)
            .map(|(_, event)| event.clone());
        Ok(after.take(usize::try_from(limit).expect("small")).collect())
    }

    async fn parked_stream_count(&self) -> Result<u64, ViewsError> {
        let held = self.held().await;
        let streams: std::collections::BTreeSet<_> =
            held.parked.values().map(|event| event.stream_id).collect();
        Ok(u64::try_from(streams.len()).expect("few"))
    }
}

macro_rules! loads_and_saves {
    ($($load:ident, $save:ident, $rows:ident, $key:ty, $row:ty;)+) => {
        #[async_trait]
        impl ViewsTransaction for MemoryTransaction {
            $(
                async fn $load(&mut self, ids: &[$key]) -> Result<Vec<$row>, ViewsError> {
                    Ok(ids.iter().filter_map(|id| self.next.rows.$rows.get(id).cloned()).collect())
                }

                async fn $save(&mut self, rows: &[$row]) -> Result<(), ViewsError> {
                    self.next.rows.$rows.extend(rows.iter().map(|row| (row.id, row.clone())));
                    Ok(())
                }
            )+

            async fn move_checkpoints(&mut self, moves: &[Move]) -> Result<bool, ViewsError> {
                let place = |known: &Checkpoint| (known.position, known.epoch, known.log_id);
                for Move { from, to } in moves {
                    match self.next.checkpoints.get_mut(&from.partition) {
                        Some(known) if place(known) == place(from) => *known = to.clone(),
                        Some(_) | None => return Ok(false),
                    }
                }
                Ok(true)
            }

            async fn parked_among(&mut self, streams: &[Uuid]) -> Result<Vec<Uuid>, ViewsError> {
                let parked = |stream: &&Uuid| self.next.parked.values().any(|event| event.stream_id == **stream);
                Ok(streams.iter().filter(parked).copied().collect())
            }

            async fn park(&mut self, events: &[ParkedEvent]) -> Result<(), ViewsError> {
                for event in events {
                    self.next.parked.entry(event.position).or_insert_with(|| event.clone());
                }
                Ok(())
            }

            async fn unpark(&mut self, stream_id: Uuid, up_to_position: u64) -> Result<(), ViewsError> {
                self.next.parked.retain(|position, event| event.stream_id != stream_id || *position > up_to_position);
                Ok(())
            }

            async fn commit(mut self: Box<Self>) -> Result<(), ViewsError> {
                let lost = self.lost_commits.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
                if lost.is_ok() {
                    return Err(ViewsError::Unavailable("told to fail".into()));
                }
                self.commits.fetch_add(1, Ordering::SeqCst);
                *self.held = std::mem::take(&mut self.next);
                Ok(())
            }
        }
    };
}

loads_and_saves! {
    load_patients, save_patients, patients, PatientId, PatientRow;
    load_practitioners, save_practitioners, practitioners, PractitionerId, PractitionerRow;
    load_locations, save_locations, locations, LocationId, LocationRow;
    load_appointments, save_appointments, appointments, AppointmentId, AppointmentRow;
    load_threads, save_threads, threads, ThreadId, ThreadRow;
    load_messages, save_messages, messages, MessageId, MessageRow;
}
