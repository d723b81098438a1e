//! The loop: take what the feed brings, fold it, fill gaps from the log, begin again after every failure that passes.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use praxis_event_store::bus::BusMessage;
use praxis_event_store::decode::Decoder;
use praxis_event_store::feed::EventFeed;
use praxis_event_store::port::{Head, LogReader};
use praxis_read_models::views::{Checkpoint, Move, Views, ViewsError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::apply::{Applied, Opened, Work, open, write};
use crate::failure::{ProjectionError, SessionEnd};
use crate::gap::read_slice;
use crate::parked::{Retry, retry_parked};
use crate::rule::{LogMismatch, plan};
use crate::telemetry;
use crate::trace;
use crate::verify::verify;

/// Messages taken from the feed at once: one transaction.
const BATCH_MESSAGES_MAX: usize = 2_000;
/// Events read from the log at once when there is a gap: one transaction. While it is written the next are read.
const SLICE_EVENTS_MAX: u32 = 4_000;
/// How far rows may be behind the log when a session begins, or the feed behind the rows, events. Beyond it rows are
/// filled from the log, which is faster than a feed that brings it message by message.
pub(crate) const BEHIND_EVENTS_MAX: u64 = 20_000;
/// How often rows and log are compared while messages come, and while none do: then less often than the feed itself
/// looks into a silence, which it could not do if it were always called off before.
const VERIFY_PERIOD: Duration = Duration::from_secs(1);
const VERIFY_PERIOD_SILENT: Duration = Duration::from_secs(15);
/// How long the feed may wait while a gap is filled.
const FEED_WAITS_MAX: Duration = Duration::from_secs(1);
/// The pause after the first failure; it doubles with each that follows without a batch between.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What a projector's loop is made of: one generation of rows, and the log it follows.
pub struct Projection {
    /// The generation's number, for metrics.
    pub generation: u32,
    /// The rows.
    pub views: Arc<dyn Views>,
    /// The log, for gaps and comparisons.
    pub reader: Arc<dyn LogReader>,
    /// What opens events.
    pub decoder: Arc<dyn Decoder>,
    /// How many partitions the feed has; fixed for the life of the rows.
    pub partitions: NonZeroU32,
    /// The clock, microseconds UTC; only for metrics.
    pub now_micros: fn() -> i64,
    /// Told after each batch: every event at or before this position is in the rows, as far as this process knows.
    pub moved: watch::Sender<u64>,
}

/// What outlives a session, because the feed will not say it again soon.
#[derive(Default)]
struct Carried {
    /// What the feed gave and is not applied.
    pending: Vec<BusMessage>,
    /// Partitions with a gap, and up to where the log must be read.
    lagging: BTreeMap<u32, u64>,
    /// Where the rows were. A database restored since, rows and all, agrees with itself, but not with this.
    checkpoints: BTreeMap<u32, Checkpoint>,
    /// Whether parked streams were tried since the start.
    retried: bool,
    /// Whether something was applied since the last pause.
    progressed: bool,
}

/// What a session knows.
struct Session {
    checkpoints: BTreeMap<u32, Checkpoint>,
    /// Partitions with a gap, and up to where the log must be read.
    lagging: BTreeMap<u32, u64>,
    /// When the feed was last asked.
    feed_asked_at: Instant,
    /// The work after that in progress, while a gap is filled.
    ahead: Option<Opened>,
    /// When rows and log were last compared.
    verified_at: Instant,
    /// Where the log is known to reach.
    head_position: u64,
}

/// Begins rows at the beginning of a log.
pub(crate) async fn start(views: &dyn Views, log: &Head, partitions: NonZeroU32) -> Result<(), ViewsError> {
    let beginning = |partition| Checkpoint {
        partition,
        position: 0,
        epoch: log.epoch,
        log_id: log.log_id,
        leaf_hash: [0; 32],
    };
    let beginnings: Vec<Checkpoint> = (0..partitions.get()).map(beginning).collect();
    views.start_partitions(&beginnings).await
}

impl Projection {
    /// Runs until `stop` is cancelled, and then ends after the batch in progress. Unreachable databases, brokers and
    /// keys are waited for.
    ///
    /// # Errors
    /// [`ProjectionError`] when going on would skip events, or cannot succeed without someone's help.
    pub async fn run(
        &self,
        feed: &mut dyn EventFeed,
        stop: &CancellationToken,
    ) -> Result<(), ProjectionError> {
        let (reader, views) = (self.reader.as_ref(), self.views.as_ref());
        tokio::select! {
            ended = self.follow(feed, stop) => ended?,
            never = telemetry::tell_lag(self.generation, reader, views) => match never {},
        }
        telemetry::lag_ended(self.generation, self.partitions);
        Ok(())
    }

    /// Session after session.
    async fn follow(
        &self,
        feed: &mut dyn EventFeed,
        stop: &CancellationToken,
    ) -> Result<(), ProjectionError> {
        let mut carried = Carried::default();
        let mut pause = PAUSE_MIN;
        loop {
            match self.session(feed, stop, &mut carried).await {
                Ok(()) => return Ok(()),
                Err(SessionEnd::Lasting(error)) => return Err(error),
                Err(SessionEnd::Passing(error)) => {
                    telemetry::interrupted(self.generation);
                    let source = error.source().map(ToString::to_string);
                    tracing::warn!(generation = self.generation, error = %error, source, "projection is interrupted");
                }
            }
            if std::mem::take(&mut carried.progressed) {
                pause = PAUSE_MIN;
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = sleep(pause) => {}
            }
            pause = PAUSE_MAX.min(pause * 2);
        }
    }

    /// One session: from comparing rows and log to the next failure.
    async fn session(
        &self,
        feed: &mut dyn EventFeed,
        stop: &CancellationToken,
        carried: &mut Carried,
    ) -> Result<(), SessionEnd> {
        let mut session = self.begin(carried).await?;
        if !carried.retried {
            self.retry_parked().await?;
            carried.retried = true;
        }
        self.publish_parked().await?;
        loop {
            self.publish(&session);
            carried.lagging.clone_from(&session.lagging);
            carried.checkpoints.clone_from(&session.checkpoints);
            if stop.is_cancelled() {
                return Ok(());
            }
            if session.verified_at.elapsed() >= VERIFY_PERIOD {
                let known: Vec<&Checkpoint> = session.checkpoints.values().collect();
                verify(self.reader.as_ref(), &known).await?;
                session.verified_at = Instant::now();
            }
            let filling = !session.lagging.is_empty() && session.feed_asked_at.elapsed() < FEED_WAITS_MAX;
            if carried.pending.is_empty() && !filling {
                session.feed_asked_at = Instant::now();
                carried.pending = tokio::select! {
                    biased;
                    () = stop.cancelled() => return Ok(()),
                    taken = feed.next(BATCH_MESSAGES_MAX) => taken?,
                    // A gap is filled from the log meanwhile, but the feed is never left waiting for long.
                    () = std::future::ready(()), if !session.lagging.is_empty() => Vec::new(),
                    () = sleep(VERIFY_PERIOD_SILENT) => Vec::new(),
                };
            }
            if !carried.pending.is_empty() {
                self.take_messages(&mut session, &carried.pending).await?;
                if is_far_behind(&carried.pending, &session.checkpoints) {
                    // What is new would come after all that is known.
                    self.follow_head(&mut session, 0).await?;
                }
                carried.lagging.clone_from(&session.lagging);
                carried.pending.clear();
                carried.progressed = true;
                feed.applied().await?;
            }
            if !session.lagging.is_empty() {
                self.fill_gaps(&mut session).await?;
                carried.progressed = true;
            }
        }
    }

    async fn begin(&self, carried: &Carried) -> Result<Session, SessionEnd> {
        if self.views.checkpoints().await?.is_empty() {
            let head = self.reader.head().await?;
            start(self.views.as_ref(), &head, self.partitions).await?;
        }
        let checkpoints = self.checkpoints().await?;
        let known: Vec<&Checkpoint> = checkpoints.values().chain(carried.checkpoints.values()).collect();
        verify(self.reader.as_ref(), &known).await?;
        let mut session = Session {
            checkpoints,
            lagging: carried.lagging.clone(),
            feed_asked_at: Instant::now(),
            ahead: None,
            verified_at: Instant::now(),
            head_position: 0,
        };
        self.follow_head(&mut session, BEHIND_EVENTS_MAX).await?;
        Ok(session)
    }

    async fn checkpoints(&self) -> Result<BTreeMap<u32, Checkpoint>, SessionEnd> {
        let listed = self.views.checkpoints().await?;
        let found = listed.len();
        let checkpoints: BTreeMap<_, _> = listed.into_iter().map(|known| (known.partition, known)).collect();
        let wanted = self.partitions.get();
        if checkpoints.keys().copied().eq(0..wanted) {
            Ok(checkpoints)
        } else {
            Err(SessionEnd::Lasting(ProjectionError::Partitions { found, wanted }))
        }
    }

    /// Applies what messages ask for. Where another projector has moved a checkpoint, what is left of them is judged
    /// again from there: every round without effect is another's progress, so this ends.
    async fn take_messages(&self, session: &mut Session, messages: &[BusMessage]) -> Result<(), SessionEnd> {
        loop {
            let plan = plan(&session.checkpoints, &session.lagging, messages)?;
            for (partition, up_to) in plan.gaps {
                let known = session.lagging.entry(partition).or_default();
                *known = up_to.max(*known);
            }
            let moves: Vec<Move> = plan
                .moved
                .into_iter()
                .filter_map(|(partition, to)| {
                    session.checkpoints.get(&partition).map(|from| Move {
                        from: from.clone(),
                        to,
                    })
                })
                .collect();
            if moves.is_empty() {
                return Ok(());
            }
            self.ensure_in_the_log(session, &moves).await?;
            let work = Work {
                moves,
                events: plan.events,
            };
            if self.apply(session, work).await? {
                return Ok(());
            }
        }
    }

    /// What is published is in the log. What is not there any more happened in a history that a restore took back, and
    /// is not folded.
    async fn ensure_in_the_log(&self, session: &mut Session, moves: &[Move]) -> Result<(), SessionEnd> {
        let Some(newest) = moves.iter().map(|made| &made.to).max_by_key(|to| to.position) else {
            return Ok(());
        };
        if newest.position > session.head_position {
            session.head_position = self.reader.head().await?.position;
        }
        if newest.position > session.head_position {
            return Err(LogMismatch::BeyondHead {
                partition: newest.partition,
                position: newest.position,
                head: session.head_position,
            }
            .into());
        }
        Ok(())
    }

    /// Has partitions that are more than so many events behind the log filled from there.
    async fn follow_head(&self, session: &mut Session, events_max: u64) -> Result<(), SessionEnd> {
        let head = self.reader.head().await?.position;
        for (partition, checkpoint) in &session.checkpoints {
            if head.saturating_sub(checkpoint.position) > events_max {
                let up_to = session.lagging.entry(*partition).or_default();
                *up_to = head.max(*up_to);
            }
        }
        Ok(())
    }

    /// Writes the next slice of the log for all partitions with a gap, and reads and opens the one after it meanwhile.
    /// A partition that another projector moved meanwhile is no longer filled here; should it still be ours, its next
    /// message says so.
    async fn fill_gaps(&self, session: &mut Session) -> Result<(), SessionEnd> {
        let ahead = session.ahead.take();
        let opened = match ahead.filter(|ahead| begins_at(&ahead.work, &session.checkpoints)) {
            Some(opened) => opened,
            None => self.read_gaps(&session.checkpoints, &session.lagging).await?,
        };
        if !opened.work.moves.is_empty() {
            let before = session.checkpoints.clone();
            let (after, still_lagging) = after(&opened.work, &before, &session.lagging);
            let (written, ahead) = tokio::join!(
                self.write(session, opened),
                self.read_gaps(&after, &still_lagging)
            );
            if written? {
                // A fault of reading ahead is met again by whoever needs what was to be read.
                session.ahead = ahead.ok().filter(|ahead| !ahead.work.moves.is_empty());
            } else {
                let now = &session.checkpoints;
                session
                    .lagging
                    .retain(|partition, _| now.get(partition) == before.get(partition));
            }
        }
        let checkpoints = &session.checkpoints;
        session.lagging.retain(|partition, up_to| {
            checkpoints
                .get(partition)
                .is_some_and(|checkpoint| checkpoint.position < *up_to)
        });
        Ok(())
    }

    /// The next slice of the log for all partitions with a gap, opened.
    async fn read_gaps(
        &self,
        checkpoints: &BTreeMap<u32, Checkpoint>,
        lagging: &BTreeMap<u32, u64>,
    ) -> Result<Opened, SessionEnd> {
        let (reader, events_max) = (self.reader.as_ref(), SLICE_EVENTS_MAX);
        let work = read_slice(reader, self.partitions, checkpoints, lagging, events_max).await?;
        Ok(open(self.decoder.as_ref(), work).await?)
    }

    /// Whether the work was applied; if not, the checkpoints are read again.
    async fn apply(&self, session: &mut Session, work: Work) -> Result<bool, SessionEnd> {
        let opened = open(self.decoder.as_ref(), work).await?;
        self.write(session, opened).await
    }

    async fn write(&self, session: &mut Session, opened: Opened) -> Result<bool, SessionEnd> {
        let moves = opened.work.moves.clone();
        let traces = trace::begin(self.generation, opened.readable(), (self.now_micros)());
        let recorded_at: Vec<i64> = opened.work.events.iter().map(|event| event.recorded_at).collect();
        match write(self.views.as_ref(), self.partitions, opened).await? {
            Applied::Committed { parked } => {
                trace::end(traces);
                telemetry::batch(self.generation, &recorded_at, (self.now_micros)());
                session
                    .checkpoints
                    .extend(moves.into_iter().map(|made| (made.to.partition, made.to)));
                if parked > 0 {
                    self.publish_parked().await?;
                }
                Ok(true)
            }
            Applied::Superseded => {
                telemetry::superseded(self.generation);
                let checkpoints = self.views.checkpoints().await?;
                session.checkpoints = checkpoints
                    .into_iter()
                    .map(|known| (known.partition, known))
                    .collect();
                Ok(false)
            }
        }
    }

    async fn retry_parked(&self) -> Result<(), SessionEnd> {
        let retried = retry_parked(Retry {
            views: self.views.as_ref(),
            reader: self.reader.as_ref(),
            decoder: self.decoder.as_ref(),
            partitions: self.partitions,
        })
        .await?;
        if retried.events > 0 {
            tracing::info!(
                generation = self.generation,
                streams = retried.streams,
                events = retried.events,
                "parked streams were folded"
            );
        }
        Ok(())
    }

    async fn publish_parked(&self) -> Result<(), SessionEnd> {
        telemetry::parked_streams(self.generation, self.views.parked_stream_count().await?);
        Ok(())
    }

    fn publish(&self, session: &Session) {
        let position = session
            .checkpoints
            .values()
            .map(|known| known.position)
            .min()
            .unwrap_or_default();
        self.moved
            .send_if_modified(|known| std::mem::replace(known, position) != position);
    }
}

/// Whether a feed repeats what has long been in the rows.
fn is_far_behind(messages: &[BusMessage], checkpoints: &BTreeMap<u32, Checkpoint>) -> bool {
    messages.last().is_some_and(|message| {
        checkpoints
            .get(&message.partition)
            .is_some_and(|known| known.position.saturating_sub(message.position()) > BEHIND_EVENTS_MAX)
    })
}

/// Whether the work goes on where the rows are.
fn begins_at(work: &Work, checkpoints: &BTreeMap<u32, Checkpoint>) -> bool {
    work.moves
        .iter()
        .all(|planned| checkpoints.get(&planned.from.partition) == Some(&planned.from))
}

/// Where checkpoints are after some work, and which partitions lag then.
fn after(
    work: &Work,
    checkpoints: &BTreeMap<u32, Checkpoint>,
    lagging: &BTreeMap<u32, u64>,
) -> (BTreeMap<u32, Checkpoint>, BTreeMap<u32, u64>) {
    let mut after = checkpoints.clone();
    after.extend(work.moves.iter().map(|made| (made.to.partition, made.to.clone())));
    let lags = |partition: &u32, up_to: u64| after.get(partition).is_some_and(|known| known.position < up_to);
    let still = lagging
        .iter()
        .filter(|(partition, up_to)| lags(partition, **up_to))
        .map(|(partition, up_to)| (*partition, *up_to))
        .collect();
    (after, still)
}
