//! `query-api`: serves the read models on MySQL, histories and earlier states.

use mimalloc::MiMalloc;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use praxis_auth::keys::PublicKeys;
use praxis_auth::verify::TokenVerifier;
use praxis_event_store::codec::Codec;
use praxis_event_store::port::LogReader;
use praxis_event_store::record::keys::KekRing;
use praxis_event_store::record::random::OsRandom;
use praxis_event_store::vault::{Vault, VaultError};
use praxis_http_kit::authn::Door;
use praxis_http_kit::guard;
use praxis_http_kit::meta::{self, Check, Readiness};
use praxis_http_kit::serve;
use praxis_http_kit::sources::Sources;
use praxis_http_kit::stack::{Limits, surround};
use praxis_query_api::app::App;
use praxis_query_api::generation::ReadSide;
use praxis_query_api::routes;
use praxis_read_models::registry::Registry;
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
        Program::QueryApi,
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
    let reads = Arc::new(ReadSide::new(registry, Arc::clone(&reader)));
    let (verified, stop) = (Arc::clone(&reads), tasks.stop().clone());
    tasks.spawn("belonging", async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = verified.keep_verifying() => {}
        }
        Ok(())
    });
    let app = App {
        reads: Arc::clone(&reads),
        log: Arc::clone(&reader),
        decoder: Arc::new(Codec::new(Arc::clone(&vault))),
        moved: None,
    };
    let readiness: Arc<dyn Readiness> = Arc::new(Ready { reader, vault, reads });
    let readiness = meta::until(tasks.leaving().clone(), readiness);
    let (router, api) = routes::routes().with_state(app).split_for_parts();
    let public = PublicKeys::try_from_pem(&config.require(&settings::JWT_PUBLIC_KEYS)?.0)?;
    let jwks = public.jwks();
    let (issuer, audience) = (
        config.require(&settings::JWT_ISSUER)?,
        config.require(&settings::JWT_AUDIENCE)?,
    );
    let verifier = TokenVerifier::new(public, &issuer, &audience);
    let door = Door::new(guard::policy(&api, routes::RULES.iter().copied())?, verifier);
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
    let admin_address: SocketAddr = config.require(&settings::ADMIN_LISTEN)?;
    let admin = serve::bind(admin_address).await?;
    let (routes, stop) = (
        meta::admin(readiness, move || telemetry.render()),
        tasks.stop().clone(),
    );
    tasks.spawn("admin", async move {
        Ok(serve::serve(admin, routes, stop, grace).await?)
    });
    tracing::info!(%address, "serving");
    Ok(())
}

struct Ready {
    reader: Arc<dyn LogReader>,
    vault: Arc<Vault>,
    reads: Arc<ReadSide>,
}

#[async_trait]
impl Readiness for Ready {
    async fn checks(&self) -> Vec<Check> {
        // Lists and records of now are answered without the log; what needs it says so itself.
        let log = Check::new("log", true).saying(match self.reader.head().await {
            Ok(head) => format!("at position {}", head.position),
            Err(error) => format!(
                "earlier states and histories are not answered: {}",
                meta::why(&error)
            ),
        });
        let keys = match self.vault.check_keys().await {
            Ok(()) => Check::new("keys", true),
            Err(error @ VaultError::Store(_)) => Check::new("keys", true).saying(meta::why(&error)),
            Err(error) => Check::failed("keys", &error),
        };
        vec![log, keys, self.reads.readiness().await]
    }
}
