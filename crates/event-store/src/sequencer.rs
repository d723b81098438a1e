//! How appends become positions: one task takes whatever waits and commits it as one transaction under the head lock.
//!
//! A refused member contributes nothing and spoils nothing. A commit whose answer was lost is settled by command key,
//! under the head lock of a new connection, so nothing is acknowledged that is not there and nothing is done twice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use crate::append::{Append, Appended, Conflict, EVENT_BYTES_MAX};
use crate::judge::{Judgement, Scrutiny, Verdict, judge, lookup_for};
use crate::known::Known;
use crate::port::{CommitError, Facts, Head, LogTransaction, LogWriter, StoreError, WriteError};

/// The sequencer's bounds.
#[derive(Clone, Copy, Debug)]
pub struct SequencerLimits {
    /// Appends that may wait; one more is refused as overloaded.
    pub queue_members_max: usize,
    /// Bytes that may wait.
    pub queue_bytes_max: usize,
    /// Appends in one transaction.
    pub batch_members_max: usize,
    /// So many waiting appends, or fewer, are taken together. Of more, half is taken: while those commit, the callers
    /// answered before prepare what comes next, so that neither the database nor the callers wait for the other.
    pub batch_whole_max: usize,
    /// Bytes in one transaction.
    pub batch_bytes_max: usize,
    /// How long a batch waits for a head that another writer holds, in tries of the store's lock wait.
    pub busy_max: Duration,
    /// How long an unknown commit is tried to be settled before its members are told so.
    pub settle_max: Duration,
}

impl Default for SequencerLimits {
    fn default() -> Self {
        Self {
            queue_members_max: 8_192,
            queue_bytes_max: 64 * 1024 * 1024,
            batch_members_max: 1_024,
            batch_whole_max: 64,
            batch_bytes_max: 8 * 1024 * 1024,
            busy_max: Duration::from_secs(6),
            settle_max: Duration::from_secs(10),
        }
    }
}

/// Why an append is not acknowledged. Split by what the caller does next.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// Something stands in the way: reload and decide again, or tell the user.
    #[error("append conflicts with the log")]
    Refused(Vec<Conflict>),
    /// The queue is full: try again later.
    #[error("append queue is full")]
    Overloaded,
    /// An event is larger than the log takes.
    #[error("event of {bytes} bytes is larger than the log takes")]
    EventTooLarge {
        /// Payload and metadata together.
        bytes: usize,
    },
    /// The store cannot be reached; the append certainly did not happen.
    #[error("event store is unavailable")]
    Unavailable(#[source] Arc<StoreError>),
    /// The store cannot be reached and nobody knows whether the append happened: send it again with its key.
    #[error("outcome of the append is unknown")]
    OutcomeUnknown,
    /// The store refused this append for a reason that will last.
    #[error("event store refused the append")]
    Fault(#[source] Arc<StoreError>),
}

struct Member {
    append: Append,
    answer: oneshot::Sender<Answer>,
    _bytes: OwnedSemaphorePermit,
}

/// What a caller is told, and those it is to tell.
struct Answer {
    outcome: Result<Appended, AppendError>,
    others: Others,
}

/// Members of a batch that has ended, with their outcomes. Whoever drops this answers them: waking a caller costs more
/// than deciding the batch did, so the first one woken wakes the others, and the sequencer goes on.
#[derive(Default)]
struct Others(Vec<(Member, Result<Appended, AppendError>)>);

impl Others {
    /// Answers the first whose caller still waits, and leaves the others to it.
    fn answer(mut self) {
        while let Some((member, outcome)) = self.0.pop() {
            match member.answer.send(Answer {
                outcome,
                others: self,
            }) {
                Ok(()) => return,
                // That caller has gone; its outcome is kept under its key.
                Err(answer) => self = answer.others,
            }
        }
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        for (member, outcome) in self.0.drain(..) {
            let others = Self::default();
            // As above.
            let _ = member.answer.send(Answer { outcome, others });
        }
    }
}

/// Hands appends to the sequencer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sequencer {
    queue: mpsc::Sender<Member>,
    bytes: Arc<Semaphore>,
    position: watch::Receiver<u64>,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Member")
    }
}

/// The task behind a [`Sequencer`]; it ends when every handle is gone and the queue is empty.
pub struct SequencerTask {
    writer: Arc<dyn LogWriter>,
    queue: mpsc::Receiver<Member>,
    position: watch::Sender<u64>,
    limits: SequencerLimits,
    known: Known,
}

/// Makes a sequencer over a store, and the task that someone must run.
pub fn sequencer(writer: Arc<dyn LogWriter>, limits: SequencerLimits) -> (Sequencer, SequencerTask) {
    let (sender, receiver) = mpsc::channel(limits.queue_members_max);
    let (position_sender, position) = watch::channel(0);
    let handle = Sequencer {
        queue: sender,
        bytes: Arc::new(Semaphore::new(limits.queue_bytes_max)),
        position,
    };
    (
        handle,
        SequencerTask {
            writer,
            queue: receiver,
            position: position_sender,
            limits,
            known: Known::default(),
        },
    )
}

impl Sequencer {
    /// Appends, and answers when it is durable.
    ///
    /// # Errors
    /// [`AppendError`]; only after `OutcomeUnknown` can the append have happened.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        for event in append.writes.iter().flat_map(|write| &write.events) {
            let bytes = event.payload.len() + event.metadata.len();
            if bytes > EVENT_BYTES_MAX {
                return Err(AppendError::EventTooLarge { bytes });
            }
        }
        if let Some(foreign) = append.foreign_release() {
            // Refused before it is queued: no state of the log makes it right, so it needs neither the lock nor the
            // company of others. Dropping the release instead would acknowledge a command that was half done.
            tracing::error!(error = %foreign, "append is faulty");
            return Err(AppendError::Fault(Arc::new(StoreError::Refused(Box::new(
                foreign,
            )))));
        }
        let size = u32::try_from(append.bytes()).map_err(|_| AppendError::Overloaded)?;
        let permit = Arc::clone(&self.bytes)
            .try_acquire_many_owned(size)
            .map_err(|_| AppendError::Overloaded)?;
        let queued_at = Instant::now();
        let (answer, answered) = oneshot::channel();
        let member = Member {
            append,
            answer,
            _bytes: permit,
        };
        self.queue.try_send(member).map_err(|refused| match refused {
            TrySendError::Full(_) => AppendError::Overloaded,
            TrySendError::Closed(_) => AppendError::Unavailable(Arc::new(StoreError::Unavailable(
                "the sequencer has ended".into(),
            ))),
        })?;
        metrics::gauge!("praxis_append_queue_members").set(depth(&self.queue));
        let Ok(Answer { outcome, others }) = answered.await else {
            return Err(AppendError::OutcomeUnknown);
        };
        drop(others);
        metrics::histogram!("praxis_append_duration_seconds").record(queued_at.elapsed());
        outcome
    }

    /// The last position this process committed; changes wake whoever tails the log here.
    pub fn position(&self) -> watch::Receiver<u64> {
        self.position.clone()
    }
}

fn depth(queue: &mpsc::Sender<Member>) -> f64 {
    let waiting = queue.max_capacity() - queue.capacity();
    f64::from(u32::try_from(waiting).unwrap_or(u32::MAX))
}

/// What became of one try to commit a batch.
enum Tried {
    /// Every member has its verdict.
    Judged(Vec<Verdict>),
    /// An index was violated under optimistic judgement, or the whole must be tried again with look-ups.
    LookUp,
    /// The commit's answer was lost.
    Unknown,
    /// The store cannot be reached; nothing happened.
    Unavailable(StoreError),
    /// The store refused a statement for good.
    Fault(StoreError),
}

impl SequencerTask {
    /// Runs until every [`Sequencer`] is dropped and all they queued is answered.
    pub async fn run(mut self) {
        // Told before it happens: a counter that appears with its first fault has no increase that could alarm.
        metrics::counter!("praxis_append_unknown_outcomes_total").increment(0);
        let _empty = metrics::histogram!("praxis_append_head_wait_seconds");
        let mut batch = Vec::new();
        let mut answered = 0;
        loop {
            // Who was answered last prepares what comes next: of all who are under way half is taken.
            let share = (self.queue.len() + answered)
                .div_ceil(2)
                .max(self.limits.batch_whole_max);
            let members_max = share.min(self.limits.batch_members_max);
            if self.queue.recv_many(&mut batch, members_max).await == 0 {
                return;
            }
            let waiting = u32::try_from(self.queue.len()).unwrap_or(u32::MAX);
            metrics::gauge!("praxis_append_queue_members").set(f64::from(waiting));
            answered = batch.len();
            while !batch.is_empty() {
                let later = batch.split_off(self.fitting(&batch));
                let outcomes = self.settle(&batch).await;
                debug_assert_eq!(outcomes.len(), batch.len(), "a verdict for each member");
                let now = std::mem::replace(&mut batch, later);
                Others(now.into_iter().zip(outcomes).collect()).answer();
            }
        }
    }

    /// How many members, from the first, fit into one transaction; at least one.
    fn fitting(&self, members: &[Member]) -> usize {
        let mut bytes = 0;
        let mut count = 0;
        for member in members {
            bytes += member.append.bytes();
            if count > 0 && bytes > self.limits.batch_bytes_max {
                break;
            }
            count += 1;
        }
        count
    }

    /// Brings one batch to an end, whatever the store does.
    async fn settle(&mut self, members: &[Member]) -> Vec<Result<Appended, AppendError>> {
        let batch: Vec<&Append> = members.iter().map(|member| &member.append).collect();
        metrics::histogram!("praxis_append_batch_members")
            .record(f64::from(u32::try_from(batch.len()).unwrap_or(u32::MAX)));
        let mut scrutiny = Scrutiny::IndexesDecide;
        let mut unknown_since = None;
        let began = Instant::now();
        loop {
            match self.attempt(&batch, scrutiny).await {
                Tried::Judged(verdicts) => {
                    return verdicts.into_iter().map(outcome).collect();
                }
                Tried::LookUp if scrutiny == Scrutiny::IndexesDecide => scrutiny = Scrutiny::LookUpAll,
                Tried::LookUp => {
                    let fault = StoreError::Corrupt("a unique index disagrees with the rows it covers");
                    return self.singly(&batch, fault, unknown_since).await;
                }
                Tried::Unknown => {
                    scrutiny = Scrutiny::LookUpAll;
                    let since = *unknown_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > self.limits.settle_max {
                        return refuse_all(&batch, &AppendError::OutcomeUnknown);
                    }
                    metrics::counter!("praxis_append_unknown_outcomes_total").increment(1);
                    tracing::warn!(
                        members = batch.len(),
                        "commit outcome unknown, settling by command keys"
                    );
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Tried::Unavailable(StoreError::Busy) if began.elapsed() < self.limits.busy_max => {}
                Tried::Unavailable(error) => match unknown_since {
                    None => return refuse_all(&batch, &AppendError::Unavailable(Arc::new(error))),
                    Some(since) if since.elapsed() > self.limits.settle_max => {
                        return refuse_all(&batch, &AppendError::OutcomeUnknown);
                    }
                    Some(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
                Tried::Fault(error) => return self.singly(&batch, error, unknown_since).await,
            }
        }
    }

    /// After a lasting error: each member on its own, so that one does not spoil the others.
    async fn singly(
        &mut self,
        batch: &[&Append],
        error: StoreError,
        unknown_since: Option<Instant>,
    ) -> Vec<Result<Appended, AppendError>> {
        tracing::error!(members = batch.len(), error = %error, source = ?std::error::Error::source(&error), "batch refused by the store");
        let fault = Arc::new(error);
        if batch.len() == 1 {
            return refuse_all(batch, &AppendError::Fault(fault));
        }
        let mut outcomes = Vec::with_capacity(batch.len());
        for append in batch {
            let one = std::slice::from_ref(append);
            // A store that has gone would keep each of a thousand members waiting for its own refusal.
            if let Some(Err(gone @ (AppendError::Unavailable(_) | AppendError::OutcomeUnknown))) =
                outcomes.last()
            {
                outcomes.push(Err(gone.clone()));
                continue;
            }
            outcomes.push(match self.attempt(one, Scrutiny::LookUpAll).await {
                Tried::Judged(mut verdicts) => match verdicts.pop() {
                    Some(verdict) => outcome(verdict),
                    None => Err(AppendError::Fault(Arc::clone(&fault))),
                },
                Tried::LookUp => Err(AppendError::Fault(Arc::clone(&fault))),
                Tried::Unknown => Err(AppendError::OutcomeUnknown),
                Tried::Unavailable(_) if unknown_since.is_some() => Err(AppendError::OutcomeUnknown),
                Tried::Unavailable(error) => Err(AppendError::Unavailable(Arc::new(error))),
                Tried::Fault(error) => Err(AppendError::Fault(Arc::new(error))),
            });
        }
        outcomes
    }

    /// One transaction: lock, look up, judge, write, commit.
    async fn attempt(&mut self, batch: &[&Append], scrutiny: Scrutiny) -> Tried {
        let asked_at = Instant::now();
        let begun = self.writer.begin().await;
        // Also of a wait in vain, or a head that nobody gives back would not show.
        metrics::histogram!("praxis_append_head_wait_seconds").record(asked_at.elapsed());
        let mut transaction = match begun {
            Ok(transaction) => transaction,
            Err(error) => return tried(error),
        };
        // Given back only where it is certain what the log holds now.
        let mut known = std::mem::take(&mut self.known).if_still_at(transaction.head());
        let judgement = match judged(transaction.as_mut(), batch, scrutiny, &mut known).await {
            Ok(judgement) => judgement,
            Err(error) => return tried(error),
        };
        let Judgement { rows, verdicts } = judgement;
        if rows.commands.is_empty() {
            // Nothing to write: every member was refused or had its answer already. The rollback frees the head.
            if let Err(error) = transaction.rollback().await {
                tracing::debug!(error = %error, "rollback failed");
            }
            self.known = known;
            return Tried::Judged(verdicts);
        }
        match transaction.write(&rows).await {
            Ok(()) => {}
            Err(WriteError::Duplicate) => {
                if let Err(error) = transaction.rollback().await {
                    tracing::debug!(error = %error, "rollback failed");
                }
                return Tried::LookUp;
            }
            Err(WriteError::Store(error)) => return tried(error),
        }
        match transaction.commit().await {
            Ok(()) => {
                self.position.send_replace(rows.head_position);
                known.follow(&rows);
                self.known = known;
                metrics::counter!("praxis_events_appended_total")
                    .increment(u64::try_from(rows.events.len()).unwrap_or(u64::MAX));
                Tried::Judged(verdicts)
            }
            Err(CommitError::NotCommitted(error)) => tried(error),
            Err(CommitError::Unknown(_)) => Tried::Unknown,
        }
    }
}

fn tried(error: StoreError) -> Tried {
    match error {
        StoreError::Unavailable(_) | StoreError::Busy | StoreError::Unfit(_) => Tried::Unavailable(error),
        StoreError::Refused(_) | StoreError::Corrupt(_) => Tried::Fault(error),
    }
}

/// Judges a batch. If anyone is refused under optimistic judgement, everything is looked up and judged again, so that a
/// retry of an accepted command gets its first answer and a refusal names every conflict.
async fn judged(
    transaction: &mut dyn LogTransaction,
    batch: &[&Append],
    scrutiny: Scrutiny,
    known: &mut Known,
) -> Result<Judgement, StoreError> {
    let head = transaction.head().clone();
    let now_micros = transaction.now_micros();
    let first = judge_once(transaction, batch, &head, now_micros, scrutiny, known).await?;
    let refused = first
        .verdicts
        .iter()
        .any(|verdict| matches!(verdict, Verdict::Refused(_)));
    if refused && scrutiny == Scrutiny::IndexesDecide {
        return judge_once(transaction, batch, &head, now_micros, Scrutiny::LookUpAll, known).await;
    }
    Ok(first)
}

async fn judge_once(
    transaction: &mut dyn LogTransaction,
    batch: &[&Append],
    head: &Head,
    now_micros: i64,
    scrutiny: Scrutiny,
    known: &mut Known,
) -> Result<Judgement, StoreError> {
    let wanted = lookup_for(batch, head, scrutiny);
    let asked = match scrutiny {
        Scrutiny::IndexesDecide => known.missing(&wanted),
        Scrutiny::LookUpAll => wanted.clone(),
    };
    let found = if asked.is_empty() {
        Facts::default()
    } else {
        transaction.look_up(&asked).await?
    };
    let facts = match scrutiny {
        Scrutiny::IndexesDecide => {
            known.learn(&asked, &found);
            known.answer(&wanted, found)
        }
        Scrutiny::LookUpAll => found,
    };
    judge(batch, head, now_micros, facts, scrutiny)
        .map_err(|_| StoreError::Corrupt("an event type's name is not one the record allows"))
}

/// What a member is told. After a lost commit the log is asked, by key, what became of it, and the answer stays
/// `replayed`: another sending of the same command may have written it, so nothing this sending decided may be believed.
fn outcome(verdict: Verdict) -> Result<Appended, AppendError> {
    match verdict {
        Verdict::Accepted(appended) => Ok(appended),
        Verdict::Refused(conflicts) => Err(AppendError::Refused(conflicts)),
    }
}

fn refuse_all(batch: &[&Append], error: &AppendError) -> Vec<Result<Appended, AppendError>> {
    batch.iter().map(|_| Err(error.clone())).collect()
}
