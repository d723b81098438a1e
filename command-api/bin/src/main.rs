//! `command-api`: decides commands, appends them to MySQL, and publishes the log to Kafka.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use mimalloc::MiMalloc;
use praxis_auth::keys::PublicKeys;
use praxis_auth::verify::TokenVerifier;
use praxis_command_api::app::App;
use praxis_command_api::execute::{Executor, ExecutorParts};
use praxis_command_api::numbers::RecordNumbers;
use praxis_command_api::relay::Relay;
use praxis_command_api::routes;
use praxis_domain::rules::Rules;
use praxis_event_store::codec::Codec;
use praxis_event_store::outcomes::keep_forgetting;
use praxis_event_store::port::{LogReader, LogWriter, RelayStore};
use praxis_event_store::record::claims_keys::ClaimsKeys;
use praxis_event_store::record::keys::KekRing;
use praxis_event_store::record::random::OsRandom;
use praxis_event_store::sequencer::{SequencerLimits, sequencer};
use praxis_event_store::vault::Vault;
use praxis_http_kit::authn::Door;
use praxis_http_kit::guard;
use praxis_http_kit::meta::{self, Check, Readiness};
use praxis_http_kit::serve;
use praxis_http_kit::sources::Sources;
use praxis_http_kit::stack::{Limits, surround};
use praxis_kafka_bus::probe::KafkaProbe;
use praxis_kafka_bus::publisher::KafkaPublishers;
use praxis_kafka_bus::settings::KafkaSettings;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::Program;
use praxis_runtime::config::settings;
use praxis_runtime::service;
use praxis_runtime::tasks::Tasks;
use praxis_runtime::telemetry::Telemetry;
use praxis_runtime::{clock, ids};
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use praxis_version::VERSION;

/// A request makes and drops hundreds of small things, on several threads: the C library's allocator took a quarter of
/// this program's time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    service::main(
        Program::CommandApi,
        VERSION,
        &[],
        |config, telemetry, tasks| async move { start(&config, telemetry, &tasks).await },
    )
}

async fn start(config: &Config, telemetry: Telemetry, tasks: &Tasks) -> Result<()> {
    let url = config.require(&settings::EVENTS_URL)?;
    let log = Arc::new(
        MySqlLog::open(url.expose(), MySqlLogOptions::default())
            .await
            .context("cannot use the event store")?,
    );
    let reader: Arc<dyn LogReader> = Arc::<MySqlLog>::clone(&log);
    let writer: Arc<dyn LogWriter> = Arc::<MySqlLog>::clone(&log);
    let head = reader.head().await?;
    let keks = KekRing::of(config.require(&settings::KEK)?.keys())?;
    let claims_keys = ClaimsKeys::of(config.require(&settings::CLAIMS_KEY)?.keys())?;
    let vault = Arc::new(Vault::new(
        head.log_id,
        Arc::clone(&reader),
        keks,
        Arc::new(OsRandom),
        ids::new_id,
    ));
    let codec = Codec::new(Arc::clone(&vault));

    let limits = SequencerLimits {
        queue_members_max: config.require(&settings::QUEUE_MEMBERS_MAX)?,
        queue_bytes_max: config.require(&settings::QUEUE_BYTES_MAX)?,
        ..SequencerLimits::default()
    };
    let (sequencer, sequencing) = sequencer(Arc::clone(&writer), limits);
    let appended = sequencer.position();
    tasks.spawn_on_own_thread("sequencer", async move {
        sequencing.run().await;
        Ok(())
    });
    let (outcomes, stop) = (Arc::<MySqlLog>::clone(&log), tasks.stop().clone());
    let forgetting = keep_forgetting(Arc::clone(&reader), outcomes, stop.cancelled_owned());
    tasks.spawn("outcomes", async move {
        forgetting.await;
        Ok(())
    });
    let kafka = KafkaSettings::try_from_settings(|name| config.text(name))?;
    let relay_store: Arc<dyn RelayStore> = log;
    let relay = Relay {
        reader: Arc::clone(&reader),
        store: relay_store,
        publishers: Some(Arc::new(KafkaPublishers::new(kafka.clone()))),
        appended,
        holder: ids::new_id(),
    };
    let stop = tasks.stop().clone();
    tasks.spawn(
        "relay",
        async move { Ok(relay.run(stop.cancelled_owned()).await?) },
    );

    let executor = Arc::new(Executor::new(ExecutorParts {
        reader: Arc::clone(&reader),
        sequencer,
        codec,
        claims_keys: Arc::new(claims_keys),
        cache_entries_max: config.require(&settings::CACHE_ENTRIES_MAX)?,
        now: clock::now,
        new_id: ids::new_id,
        rules: Rules::try_from_settings(|name| config.number(name))?,
    }));
    let app = App {
        executor,
        record_numbers: Arc::new(RecordNumbers::new(writer)),
    };
    let readiness: Arc<dyn Readiness> = Arc::new(Ready {
        reader,
        vault,
        kafka: KafkaProbe::open(&kafka)?,
    });
    let readiness = meta::until(tasks.leaving().clone(), readiness);
    let (router, api) = routes::routes().with_state(app).split_for_parts();
    let public = PublicKeys::try_from_pem(&config.require(&settings::JWT_PUBLIC_KEYS)?.0)?;
    let jwks = public.jwks();
    let policy = guard::policy(&api, routes::RULES.iter().copied())?;
    let door = Door::new(policy, verifier(config, public)?).beside(routes::READ_BESIDE);
    let all = router.merge(meta::public(api, jwks, Arc::clone(&readiness)));
    let router = surround(
        all,
        Sources::new(clock::now, ids::new_id),
        door,
        Limits::default(),
    );

    let router = serve::closing(router, tasks.leaving().clone());
    let grace = config.require(&settings::SHUTDOWN_GRACE)?;
    let address: SocketAddr = config.require(&settings::LISTEN)?;
    let (listener, stop) = (serve::bind(address).await?, tasks.stop().clone());
    tasks.spawn("api", async move {
        Ok(serve::serve(listener, router, stop, grace).await?)
    });
    listen_for_operators(config, telemetry, tasks, readiness).await?;
    tracing::info!(%address, "serving");
    Ok(())
}

/// The door of who looks after the process: metrics, health, readiness.
async fn listen_for_operators(
    config: &Config,
    telemetry: Telemetry,
    tasks: &Tasks,
    readiness: Arc<dyn Readiness>,
) -> Result<()> {
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
    Ok(())
}

fn verifier(config: &Config, public: PublicKeys) -> Result<TokenVerifier> {
    let issuer = config.require(&settings::JWT_ISSUER)?;
    let audience = config.require(&settings::JWT_AUDIENCE)?;
    Ok(TokenVerifier::new(public, &issuer, &audience))
}

struct Ready {
    reader: Arc<dyn LogReader>,
    vault: Arc<Vault>,
    kafka: KafkaProbe,
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
        // The log is the truth and the relay catches up: without Kafka commands go on, so it never fails readiness.
        let kafka = match self.kafka.check().await {
            Ok(()) => Check::new("kafka", true),
            Err(_) => Check::new("kafka", true).saying("does not answer; events wait in the log"),
        };
        vec![log, keys, kafka]
    }
}
