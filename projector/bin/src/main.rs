//! `projector`: folds the log's events from Kafka into the read models on MySQL.

use mimalloc::MiMalloc;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use praxis_event_store::codec::Codec;
use praxis_event_store::feed::{EventFeed, FeedError};
use praxis_event_store::port::LogReader;
use praxis_event_store::record::keys::KekRing;
use praxis_event_store::record::random::OsRandom;
use praxis_event_store::vault::Vault;
use praxis_http_kit::meta::{self, Check, Readiness};
use praxis_http_kit::serve;
use praxis_kafka_bus::feed::{GroupProtocol, KafkaFeed};
use praxis_kafka_bus::settings::KafkaSettings;
use praxis_projector::feeds::TopicFeeds;
use praxis_projector::generations::{Feeds, Generations};
use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::Program;
use praxis_runtime::config::settings;
use praxis_runtime::service::Saying;
use praxis_runtime::tasks::Tasks;
use praxis_runtime::telemetry::Telemetry;
use praxis_runtime::{clock, ids, service};
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use praxis_store_mysql::views::{MySqlRegistry, own_fingerprint};
use praxis_version::VERSION;
use tokio::sync::watch;

/// As in the command API: many small things, on several threads.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Names the release, the consumer group and the generations that this program's folds belong to.
const FINGERPRINT: Saying = Saying {
    argument: "fingerprint",
    meaning: "print the 16 digits of its read models",
    text: || own_fingerprint().to_string(),
};

fn main() -> ExitCode {
    service::main(
        Program::Projector,
        VERSION,
        &[FINGERPRINT],
        |config, telemetry, tasks| async move { start(&config, telemetry, &tasks).await },
    )
}

async fn start(config: &Config, telemetry: Telemetry, tasks: &Tasks) -> Result<()> {
    let url = config.require(&settings::EVENTS_URL)?;
    let log = MySqlLog::open(url.expose(), MySqlLogOptions::default())
        .await
        .context("cannot use the event store")?;
    let reader: Arc<dyn LogReader> = Arc::new(log);
    let head = reader.head().await?;
    let keks = KekRing::of(config.require(&settings::KEK)?.keys())?;
    let vault = Arc::new(Vault::new(
        head.log_id,
        Arc::clone(&reader),
        keks,
        Arc::new(OsRandom),
        ids::new_id,
    ));
    let url = config.require(&settings::VIEWS_URL)?;
    let registry: Arc<dyn Registry> = Arc::new(
        MySqlRegistry::open(url.expose())
            .await
            .context("cannot use the read models")?,
    );

    let kafka = KafkaSettings::try_from_settings(|name| config.text(name))?;
    let group = match config.get(&settings::KAFKA_GROUP) {
        Some(group) => group,
        None => format!("praxis-views-{}", registry.fingerprint()),
    };
    let partitions = kafka.topic.partitions;
    let feeds = TopicFeeds {
        topic: Arc::new(KafkaFeeds { kafka, group }),
        partitions,
        reader: Arc::clone(&reader),
    };
    let (moved, _) = watch::channel(0);
    let generations = Generations {
        registry: Arc::clone(&registry),
        reader: Arc::clone(&reader),
        decoder: Arc::new(Codec::new(Arc::clone(&vault))),
        feeds: Arc::new(feeds),
        partitions,
        now_micros: clock::now_micros,
        moved,
    };
    let stop = tasks.stop().clone();
    tasks.spawn("projection", async move { Ok(generations.run(stop).await?) });

    let readiness: Arc<dyn Readiness> = Arc::new(Ready {
        reader,
        vault,
        registry,
    });
    let readiness = meta::until(tasks.leaving().clone(), readiness);
    let grace = config.require(&settings::SHUTDOWN_GRACE)?;
    let address: SocketAddr = config.require(&settings::ADMIN_LISTEN)?;
    let admin = serve::bind(address).await?;
    let (routes, stop) = (
        meta::admin(readiness, move || telemetry.render()),
        tasks.stop().clone(),
    );
    tasks.spawn("admin", async move {
        Ok(serve::serve(admin, routes, stop, grace).await?)
    });
    tracing::info!(%address, "projecting");
    Ok(())
}

/// A consumer group for each generation, so that a rebuild reads the topic from its beginning.
struct KafkaFeeds {
    kafka: KafkaSettings,
    group: String,
}

#[async_trait]
impl Feeds for KafkaFeeds {
    async fn open(&self, generation: &Generation, _: u64) -> Result<Box<dyn EventFeed>, FeedError> {
        let group = format!("{}-{}", self.group, generation.number);
        let feed = KafkaFeed::open(self.kafka.clone(), group, GroupProtocol::default()).await;
        Ok(Box::new(
            feed.map_err(|error| FeedError::Unavailable(error.into()))?,
        ))
    }
}

/// Lag is a metric and alarms; it never takes a projector out of service, because nothing would be better for it.
struct Ready {
    reader: Arc<dyn LogReader>,
    vault: Arc<Vault>,
    registry: Arc<dyn Registry>,
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
        let views = match self.registry.generations().await {
            Ok(all) => {
                let own = self.registry.fingerprint();
                let count = all
                    .iter()
                    .filter(|known| known.fingerprint == own && known.state != GenerationState::Retired)
                    .count();
                Check::new("views", true).saying(format!("{count} generations of this program"))
            }
            Err(error) => Check::failed("views", &error),
        };
        vec![log, keys, views]
    }
}
