//! A whole practice in one process on SQLite files: what `serve` serves, and what import and demonstration write to.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use axum::Router;
use praxis_auth::sign::TokenSigner;
use praxis_auth::verify::TokenVerifier;
use praxis_command_api::app::App as CommandApp;
use praxis_command_api::execute::{Executor, ExecutorParts};
use praxis_command_api::numbers::RecordNumbers;
use praxis_command_api::relay::Relay;
use praxis_domain::rules::Rules;
use praxis_event_store::codec::Codec;
use praxis_event_store::decode::Decoder;
use praxis_event_store::feed::{EventFeed, FeedError};
use praxis_event_store::outcomes::keep_forgetting;
use praxis_event_store::port::LogReader;
use praxis_event_store::record::random::OsRandom;
use praxis_event_store::sequencer::{Sequencer, SequencerLimits, sequencer};
use praxis_event_store::vault::Vault;
use praxis_events::ids::LogId;
use praxis_http_kit::authn::Door;
use praxis_http_kit::guard;
use praxis_http_kit::meta::{self, Check, Readiness};
use praxis_http_kit::sources::Sources;
use praxis_http_kit::stack::{Limits, surround};
use praxis_projector::generations::{Feeds, Generations};
use praxis_projector::log_feed::LogFeed;
use praxis_query_api::app::App as QueryApp;
use praxis_query_api::generation::ReadSide;
use praxis_read_models::registry::{Generation, Registry};
use praxis_runtime::config::read::Config;
use praxis_runtime::config::settings;
use praxis_runtime::shutdown::GRACE_MAX;
use praxis_runtime::tasks::Tasks;
use praxis_runtime::{clock, ids};
use praxis_store_sqlite::directory::{DirectoryError, OwnedDirectory};
use praxis_store_sqlite::log::{OpenOptions, SqliteLog, migrate};
use praxis_store_sqlite::views::SqliteRegistry;
use tokio::sync::watch;
use utoipa::openapi::OpenApi;

use crate::commands::views;
use crate::commands::views::tools::Tools;
use crate::keys;

/// The log's file in a data directory.
pub const LOG_FILE: &str = "events.db";

/// The one partition of the tier without a broker.
pub const PARTITIONS: NonZeroU32 = NonZeroU32::MIN;

/// A practice that is open: its tasks run until [`Tasks::stop`].
pub struct Practice {
    /// Every route with everything around it.
    pub router: Router,
    /// Probes and metrics are asked of this.
    pub readiness: Arc<dyn Readiness>,
    /// Mints tokens, where the practice has a signing key.
    pub signer: Option<TokenSigner>,
    /// The log.
    pub log: Arc<SqliteLog>,
    /// The generations of read models.
    pub registry: Arc<dyn Registry>,
    /// What opens events.
    pub decoder: Arc<dyn Decoder>,
    /// Up to where the read models are.
    pub moved: watch::Receiver<u64>,
    /// Owned until this is dropped.
    pub directory: OwnedDirectory,
}

impl Practice {
    /// Waits until everything in the log is in the read models.
    ///
    /// # Errors
    /// When the log does not answer, or the projection ended.
    pub async fn catch_up(&self) -> Result<()> {
        let head = self.log.head().await?;
        self.moved
            .clone()
            .wait_for(|position| *position >= head.position)
            .await
            .context("the projection ended")?;
        Ok(())
    }

    /// Ends the tasks and closes the files.
    ///
    /// # Errors
    /// When a part of the practice failed meanwhile.
    pub async fn end(self, tasks: Tasks) -> Result<()> {
        tasks.stop().cancel();
        let files = self.into_files();
        let ended = tasks.wait(GRACE_MAX).await;
        files.close().await;
        Ok(ended?)
    }

    /// Lets go of the routes, so that the sequencer ends after the last request; the files stay until everything has
    /// ended.
    pub fn into_files(self) -> Files {
        Files {
            log: self.log,
            registry: self.registry,
            _directory: self.directory,
        }
    }
}

/// The files of a practice whose tasks are ending.
pub struct Files {
    log: Arc<SqliteLog>,
    registry: Arc<dyn Registry>,
    _directory: OwnedDirectory,
}

impl Files {
    /// Closes them, and lets others have the directory.
    pub async fn close(self) {
        self.registry.close().await;
        self.log.close().await;
    }
}

/// Opens the practice of a data directory and starts its tasks. A directory without a log gets one.
///
/// # Errors
/// When the directory is in use, its files are not fit, or a key is missing.
pub async fn open(config: &Config, data: &Path, tasks: &Tasks) -> Result<Practice> {
    let directory = take(data)?;
    let keys = keys::load(config, data)?;
    let log = open_log(data).await?;
    let reader: Arc<dyn LogReader> = Arc::<SqliteLog>::clone(&log);
    let head = reader.head().await?;
    let vault = Arc::new(Vault::new(
        head.log_id,
        Arc::clone(&reader),
        keys.keks,
        Arc::new(OsRandom),
        ids::new_id,
    ));
    let codec = Codec::new(Arc::clone(&vault));
    let decoder: Arc<dyn Decoder> = Arc::new(codec.clone());

    let sequencer = work_on_log(config, &log, tasks)?;
    let registry: Arc<dyn Registry> = Arc::new(SqliteRegistry::open(data).await?);
    // Whoever read what was retired before has ended: the directory is ours.
    registry.remove_retired(Duration::ZERO).await?;
    let moved = project(&registry, &reader, &decoder, sequencer.position(), tasks).await?;
    let tools = Tools::new(
        Arc::clone(&registry),
        Arc::clone(&reader),
        Arc::clone(&decoder),
        PARTITIONS,
    );

    let executor = Arc::new(Executor::new(ExecutorParts {
        reader: Arc::clone(&reader),
        sequencer,
        codec,
        claims_keys: Arc::new(keys.claims),
        cache_entries_max: config.require(&settings::CACHE_ENTRIES_MAX)?,
        now: clock::now,
        new_id: ids::new_id,
        rules: Rules::try_from_settings(|name| config.number(name))?,
    }));
    let command = CommandApp {
        executor,
        record_numbers: Arc::new(RecordNumbers::new(Arc::<SqliteLog>::clone(&log))),
    };
    let query = QueryApp {
        reads: Arc::new(ReadSide::new(Arc::clone(&registry), Arc::clone(&reader))),
        log: Arc::clone(&reader),
        decoder: Arc::clone(&decoder),
        moved: Some(moved.clone()),
    };
    let reads = Arc::clone(&query.reads);
    let readiness: Arc<dyn Readiness> = Arc::new(Ready { reader, vault, reads });
    let readiness = meta::until(tasks.leaving().clone(), readiness);
    let router = guarded(
        routes(command, query, tools),
        keys.verifier,
        Arc::clone(&readiness),
    )?;
    Ok(Practice {
        router,
        readiness,
        signer: keys.signer,
        log,
        registry,
        decoder,
        moved,
        directory,
    })
}

/// Starts what works on the log itself: who appends to it, who forgets old outcomes, who builds its tree.
fn work_on_log(config: &Config, log: &Arc<SqliteLog>, tasks: &Tasks) -> Result<Sequencer> {
    let limits = SequencerLimits {
        queue_members_max: config.require(&settings::QUEUE_MEMBERS_MAX)?,
        queue_bytes_max: config.require(&settings::QUEUE_BYTES_MAX)?,
        ..SequencerLimits::default()
    };
    let (sequencer, sequencing) = sequencer(Arc::<SqliteLog>::clone(log), limits);
    tasks.spawn_on_own_thread("sequencer", async move {
        sequencing.run().await;
        Ok(())
    });
    let reader: Arc<dyn LogReader> = Arc::<SqliteLog>::clone(log);
    let (outcomes, stop) = (Arc::<SqliteLog>::clone(log), tasks.stop().clone());
    let forgetting = keep_forgetting(Arc::clone(&reader), outcomes, stop.cancelled_owned());
    tasks.spawn("outcomes", async move {
        forgetting.await;
        Ok(())
    });
    let relay = Relay {
        reader,
        store: Arc::<SqliteLog>::clone(log),
        publishers: None,
        appended: sequencer.position(),
        holder: ids::new_id(),
    };
    let stop = tasks.stop().clone();
    tasks.spawn(
        "relay",
        async move { Ok(relay.run(stop.cancelled_owned()).await?) },
    );
    Ok(sequencer)
}

/// The routes and what anybody may ask, with everything around them: who is let in where, limits, measures.
fn guarded(
    (routes, api): (Router, OpenApi),
    verifier: TokenVerifier,
    readiness: Arc<dyn Readiness>,
) -> Result<Router> {
    let jwks = verifier.keys().jwks();
    let rules = praxis_command_api::routes::RULES
        .iter()
        .chain(praxis_query_api::routes::RULES)
        .chain(views::routes::RULES);
    let door = Door::new(guard::policy(&api, rules.copied())?, verifier);
    let sources = Sources::new(clock::now, ids::new_id);
    let all = routes.merge(meta::public(api, jwks, readiness));
    Ok(surround(all, sources, door, Limits::default()))
}

/// Takes the directory, or says who has it.
fn take(data: &Path) -> Result<OwnedDirectory> {
    match OwnedDirectory::take(data) {
        Err(DirectoryError::InUse { url: Some(url) }) => anyhow::bail!(
            "{} is in use by the server at {url}: stop it first; import and demo can also use it (--server {url} --token …)",
            data.display()
        ),
        taken => taken.with_context(|| format!("cannot use {}", data.display())),
    }
}

async fn open_log(data: &Path) -> Result<Arc<SqliteLog>> {
    let file = data.join(LOG_FILE);
    if !file.exists() {
        migrate(&file, LogId(ids::new_id())).await?;
    }
    Ok(Arc::new(SqliteLog::open(&file, OpenOptions::default()).await?))
}

/// Starts filling the read models from the log itself; answers up to where they are. Those of an empty log are there
/// when this returns.
async fn project(
    registry: &Arc<dyn Registry>,
    reader: &Arc<dyn LogReader>,
    decoder: &Arc<dyn Decoder>,
    appended: watch::Receiver<u64>,
    tasks: &Tasks,
) -> Result<watch::Receiver<u64>> {
    let (moved_sender, moved) = watch::channel(0);
    let generations = Generations {
        registry: Arc::clone(registry),
        reader: Arc::clone(reader),
        decoder: Arc::clone(decoder),
        feeds: Arc::new(LogFeeds {
            reader: Arc::clone(reader),
            appended,
        }),
        partitions: PARTITIONS,
        now_micros: clock::now_micros,
        moved: moved_sender,
    };
    generations.prepare().await?;
    let stop = tasks.stop().clone();
    tasks.spawn("projection", async move { Ok(generations.run(stop).await?) });
    Ok(moved)
}

/// Both APIs and the operator's routes, and their one description.
pub fn routes(command: CommandApp, query: QueryApp, tools: Tools) -> (Router, OpenApi) {
    let (command, mut api) = praxis_command_api::routes::routes()
        .with_state(command)
        .split_for_parts();
    let (query, reads) = praxis_query_api::routes::routes()
        .with_state(query)
        .split_for_parts();
    let (operator, operations) = views::routes::routes().with_state(tools).split_for_parts();
    api.merge(reads);
    api.merge(operations);
    let routes = command.merge(query).merge(operator);
    (routes, crate::commands::openapi::titled(api))
}

/// Feeds that tail the log itself.
struct LogFeeds {
    reader: Arc<dyn LogReader>,
    appended: watch::Receiver<u64>,
}

#[async_trait]
impl Feeds for LogFeeds {
    async fn open(&self, _: &Generation, after: u64) -> Result<Box<dyn EventFeed>, FeedError> {
        let feed = LogFeed::open(Arc::clone(&self.reader), Some(self.appended.clone()), after).await;
        Ok(Box::new(
            feed.map_err(|error| FeedError::Unavailable(error.into()))?,
        ))
    }
}

struct Ready {
    reader: Arc<dyn LogReader>,
    vault: Arc<Vault>,
    reads: Arc<ReadSide>,
}

#[async_trait]
impl Readiness for Ready {
    async fn checks(&self) -> Vec<Check> {
        let log = match self.reader.head().await {
            Ok(head) => Check::new("log", true).saying(format!("at position {}", head.position)),
            Err(error) => Check::failed("log", &error),
        };
        let keys = match self.vault.check_keys().await {
            Ok(()) => Check::new("keys", true),
            Err(error) => Check::failed("keys", &error),
        };
        vec![log, keys, self.reads.readiness().await]
    }
}
