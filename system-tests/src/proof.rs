//! Is what callers were told true: of the log, and of the read models?

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use praxis_events::recorded::RecordedEvent;
use praxis_read_models::fold::fold;
use praxis_read_models::for_each_read_model;
use praxis_read_models::registry::{Generation, Registry};
use praxis_read_models::views::{Checkpoint, StoredModel, Views, ViewsTransaction};
use praxis_store_mysql::views::MySqlRegistry;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::load::Acknowledged;
use crate::log::Log;
use crate::practice::Practice;

/// Read models that are not complete by then never will be.
const CATCH_UP_TIME_MAX: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Rows loaded at once.
const LOAD_LEN_MAX: usize = 1_000;

/// That the log is sound and has each of these commands exactly once, as it was acknowledged, and besides them
/// `others` events of the test's own.
pub async fn assert_each_is_there_once(
    practice: &dyn Practice,
    all: &[Acknowledged],
    others: usize,
) -> anyhow::Result<Log> {
    let log = Log::read_sound(practice).await?;
    let keys: HashSet<Uuid> = all.iter().map(|acknowledged| acknowledged.key).collect();
    ensure!(keys.len() == all.len(), "every command had a key of its own");
    let mut by_key: HashMap<Uuid, Vec<&RecordedEvent>> = HashMap::new();
    for event in &log.events {
        by_key
            .entry(event.metadata.correlation_id)
            .or_default()
            .push(event);
    }
    for acknowledged in all {
        let written = acknowledged.written;
        let events = by_key
            .get(&acknowledged.key)
            .map(Vec::as_slice)
            .unwrap_or_default();
        ensure!(
            events.len() == 1,
            "{acknowledged:?} has {} events in the log",
            events.len()
        );
        let event = events[0];
        let found = (event.stream.id, event.stream_version, event.position);
        ensure!(
            found == (written.id, written.version, written.position),
            "the log has {found:?} of {acknowledged:?}"
        );
        let kept = log
            .reader
            .command(acknowledged.command_key)
            .await?
            .context("the outcome is kept")?;
        ensure!(
            (kept.answer_id, kept.version, kept.position) == found,
            "{kept:?} is kept of {acknowledged:?}"
        );
    }
    let (found, expected) = (log.events.len(), all.len() + others);
    ensure!(
        found == expected,
        "{found} events are in the log, and {expected} are known of"
    );
    Ok(log)
}

/// That the read models, once they have come to the end of the log, are what folding it makes: every row, and no
/// patient, practitioner or location beside them. Nothing may be parked.
pub async fn assert_views_equal_a_fresh_fold(practice: &dyn Practice, log: &Log) -> anyhow::Result<()> {
    let registry = MySqlRegistry::open(&practice.views_url()).await?;
    let generation = newest_ready(&registry).await?;
    let views = registry.open_views(generation.number).await?;
    let end = log.events.last().map_or(0, |event| event.position);
    let checkpoints = wait_until_complete(views.as_ref(), generation, end).await?;
    for checkpoint in &checkpoints {
        ensure!(
            checkpoint.position == end,
            "the log ends at {end}, and nobody writes: {checkpoints:?}"
        );
    }
    let parked = views.parked(0, 10).await?;
    ensure!(parked.is_empty(), "events are parked: {parked:?}");
    let mut tx = views.begin().await?;
    macro_rules! compare_every_model {
        ($($model:ty: $load:ident, $save:ident;)+) => { $(compare::<$model>(tx.as_mut(), &log.events).await?;)+ };
    }
    for_each_read_model!(compare_every_model);
    drop(tx);
    assert_nothing_beside(&registry, generation.number, &log.events).await
}

async fn newest_ready(registry: &MySqlRegistry) -> anyhow::Result<Generation> {
    let deadline = Instant::now() + CATCH_UP_TIME_MAX;
    loop {
        let all = registry.generations().await?;
        if let Some(ready) = Generation::newest_ready(&all, registry.fingerprint()) {
            return Ok(*ready);
        }
        ensure!(
            Instant::now() < deadline,
            "no generation of these folds ({}) is ready; were the programs built from these sources? {all:?}",
            registry.fingerprint()
        );
        sleep(POLL_INTERVAL).await;
    }
}

async fn wait_until_complete(
    views: &dyn Views,
    generation: Generation,
    end: u64,
) -> anyhow::Result<Vec<Checkpoint>> {
    let deadline = Instant::now() + CATCH_UP_TIME_MAX;
    loop {
        let checkpoints = views.checkpoints().await?;
        let is_complete = u32::try_from(checkpoints.len()).ok() == Some(generation.partitions.get())
            && checkpoints.iter().all(|known| known.position >= end);
        if is_complete {
            return Ok(checkpoints);
        }
        if Instant::now() >= deadline {
            bail!("the log ends at {end}, and read models stay at {checkpoints:?}");
        }
        sleep(POLL_INTERVAL).await;
    }
}

async fn compare<M>(tx: &mut dyn ViewsTransaction, events: &[RecordedEvent]) -> anyhow::Result<()>
where
    M: StoredModel,
    M::Key: Debug,
    M::Row: Debug,
{
    let mut wanted: BTreeMap<M::Key, Option<M::Row>> = BTreeMap::new();
    for event in events {
        for key in M::keys(event) {
            fold::<M>(wanted.entry(key).or_default(), key, event);
        }
    }
    let keys: Vec<M::Key> = wanted.keys().copied().collect();
    let mut found: BTreeMap<M::Key, M::Row> = BTreeMap::new();
    for some in keys.chunks(LOAD_LEN_MAX) {
        found.extend(
            M::load(tx, some)
                .await?
                .into_iter()
                .map(|row| (M::key(&row), row)),
        );
    }
    for (key, wanted) in &wanted {
        let found = found.get(key);
        ensure!(
            found == wanted.as_ref(),
            "{} {key:?} is\n{found:?}\nand the log makes it\n{wanted:?}",
            M::NAME
        );
    }
    Ok(())
}

/// Rows of a history that is not in the log would show in the lists.
async fn assert_nothing_beside(
    registry: &MySqlRegistry,
    generation: u32,
    events: &[RecordedEvent],
) -> anyhow::Result<()> {
    let streams: HashSet<Uuid> = events.iter().map(|event| event.stream.id).collect();
    let reads = registry.open_reads(generation).await?;
    let mut after = None;
    loop {
        let page = reads.patients_page(after, 1_000).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for row in &page {
            ensure!(streams.contains(&row.id.0), "{row:?} is not in the log");
        }
    }
    for row in reads.practitioners_page(None, 1_000).await? {
        ensure!(streams.contains(&row.id.0), "{row:?} is not in the log");
    }
    for row in reads.locations_page(None, 1_000).await? {
        ensure!(streams.contains(&row.id.0), "{row:?} is not in the log");
    }
    Ok(())
}
