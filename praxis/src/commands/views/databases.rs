//! The read models of the services, in MySQL: asked directly, and filled from here where no projector does.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use praxis_event_store::codec::{Codec, DecodeFault};
use praxis_event_store::decode::Decoder;
use praxis_event_store::port::{LogReader, StoreError, StoredEvent};
use praxis_event_store::record::keys::KekRing;
use praxis_event_store::record::random::OsRandom;
use praxis_event_store::vault::{Vault, VaultError};
use praxis_events::recorded::RecordedEvent;
use praxis_projector::head_feed::HeadFeed;
use praxis_projector::project::Projection;
use praxis_read_models::registry::Registry;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::settings;
use praxis_runtime::tasks::Tasks;
use praxis_runtime::{clock, ids};
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use praxis_store_mysql::views::MySqlRegistry;
use tokio::sync::watch;

use super::tools::Tools;

/// Both databases, open.
pub struct Databases {
    /// What is asked.
    pub tools: Tools,
    tasks: Tasks,
}

impl Databases {
    /// Opens both databases of the settings.
    ///
    /// # Errors
    /// When one cannot be reached or is not fit.
    pub async fn open(config: &Config) -> Result<Self> {
        let url = config.get(&settings::EVENTS_URL).context(
            "the read models are in MySQL, but where is their log? say --events-url or PRAXIS_EVENTS_URL",
        )?;
        let log = MySqlLog::open(url.expose(), MySqlLogOptions::default())
            .await
            .context("cannot use the event store")?;
        let reader: Arc<dyn LogReader> = Arc::new(log);
        let url = config.require(&settings::VIEWS_URL)?;
        let registry: Arc<dyn Registry> = Arc::new(
            MySqlRegistry::open(url.expose())
                .await
                .context("cannot use the read models")?,
        );
        let decoder: Arc<dyn Decoder> = match config.get(&settings::KEK) {
            Some(keks) => {
                let head = reader.head().await?;
                let keks = KekRing::of(keks.keys())?;
                let (reader, random) = (Arc::clone(&reader), Arc::new(OsRandom));
                let vault = Vault::new(head.log_id, reader, keks, random, ids::new_id);
                Arc::new(Codec::new(Arc::new(vault)))
            }
            None => Arc::new(Keyless),
        };
        let partitions = config.require(&settings::KAFKA_PARTITIONS)?.try_into()?;
        Ok(Self {
            tools: Tools::new(registry, reader, decoder, partitions),
            tasks: Tasks::new(),
        })
    }

    /// Whether there are keys to open events with: asked before a rebuild is begun that would need them.
    ///
    /// # Errors
    /// When there are none.
    pub async fn check_keys(&self) -> Result<()> {
        self.tools.decoder.decode(&[]).await?;
        Ok(())
    }

    /// Fills a generation from the log, until [`close`](Self::close). A projector that does so too does no harm.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn fill(&self, number: u32) -> Result<()> {
        let Tools {
            registry,
            reader,
            decoder,
            ..
        } = self.tools.clone();
        let generation = registry
            .generations()
            .await?
            .into_iter()
            .find(|known| known.number == number);
        let partitions = generation
            .with_context(|| format!("there is no generation {number}"))?
            .partitions;
        let (moved, _) = watch::channel(0);
        let projection = Projection {
            generation: number,
            views: registry.open_views(number).await?,
            reader: Arc::clone(&reader),
            decoder,
            partitions,
            now_micros: clock::now_micros,
            moved,
        };
        let stop = self.tasks.stop().clone();
        self.tasks.spawn("filling", async move {
            let mut feed = HeadFeed::new(reader, partitions);
            Ok(projection.run(&mut feed, &stop).await?)
        });
        Ok(())
    }

    /// Ends the filling.
    ///
    /// # Errors
    /// When it failed meanwhile.
    pub async fn close(self) -> Result<()> {
        self.tasks.stop().cancel();
        self.tasks.wait(praxis_runtime::shutdown::GRACE_MAX).await?;
        self.tools.registry.close().await;
        Ok(())
    }

    /// Whether the filling ended by itself.
    pub fn has_ended(&self) -> bool {
        self.tasks.stop().is_cancelled()
    }
}

/// Opens nothing: the keys are not given, and most commands need none.
struct Keyless;

#[async_trait]
impl Decoder for Keyless {
    async fn decode(&self, _: &[StoredEvent]) -> Result<Vec<Result<RecordedEvent, DecodeFault>>, VaultError> {
        let why = "events cannot be opened without the keys that wrap those of persons: set PRAXIS_KEK";
        Err(StoreError::Unfit(why.to_owned()).into())
    }
}
