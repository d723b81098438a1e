//! `praxis serve`: a whole practice from one process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use chrono::TimeDelta;
use praxis_auth::claims::{Principal, Role};
use praxis_event_store::port::LogReader as _;
use praxis_http_kit::{meta, serve};
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::{Program, Spec};
use praxis_runtime::config::settings;
use praxis_runtime::shutdown;
use praxis_runtime::tasks::Tasks;
use praxis_runtime::telemetry::{Options, Telemetry};

use crate::cli::Serve;
use crate::client::Client;
use crate::commands::demo;
use crate::commands::token::{account_of, mint};
use crate::practice::{self, Practice};

/// Serves until it is asked to stop.
///
/// # Errors
/// When it cannot start, or a part of it fails.
pub async fn run(args: Serve) -> Result<ExitCode> {
    let mut flags: Vec<(&'static Spec, String)> = Vec::new();
    flags.extend(args.listen.map(|address| (&settings::LISTEN.spec, address)));
    flags.extend(
        args.admin_listen
            .map(|address| (&settings::ADMIN_LISTEN.spec, address)),
    );
    let data = args
        .data
        .data
        .as_ref()
        .map(|data| data.to_string_lossy().into_owned());
    flags.extend(data.map(|data| (&settings::DATA.spec, data)));
    let config = Config::from_environment(Program::Serve, &flags).checked()?;
    let telemetry = start_telemetry(&config, "praxis")?;
    let data = config.require(&settings::DATA)?;
    let grace = config.require(&settings::SHUTDOWN_GRACE)?;

    let tasks = Tasks::new();
    tasks.spawn("telemetry", telemetry.clone().keep_up(tasks.stop().clone()));
    let drain = config.require(&settings::DRAIN)?;
    let (leaving, stop) = (tasks.leaving().clone(), tasks.stop().clone());
    tasks.spawn("signals", async move {
        Ok(shutdown::on_signal(leaving, stop, drain).await?)
    });
    let address: SocketAddr = config.require(&settings::LISTEN)?;
    let listener = serve::bind(address)
        .await
        .context("is another server running? try --listen 127.0.0.1:8081 (make run LISTEN=127.0.0.1:8081)")?;
    let admin_address: SocketAddr = config.require(&settings::ADMIN_LISTEN)?;
    let admin = serve::bind(admin_address)
        .await
        .context("try --admin-listen 127.0.0.1:9091 (make run ADMIN_LISTEN=127.0.0.1:9091)")?;
    let practice = practice::open(&config, &data, &tasks).await?;
    let url = format!("http://{}", listener.local_addr()?);
    practice.directory.announce(&url)?;

    let admin_routes = {
        let telemetry = telemetry.clone();
        meta::admin(Arc::clone(&practice.readiness), move || telemetry.render())
    };
    let stop = tasks.stop().clone();
    tasks.spawn("admin", async move {
        Ok(serve::serve(admin, admin_routes, stop, grace).await?)
    });
    let router = serve::closing(practice.router.clone(), tasks.leaving().clone());
    let stop = tasks.stop().clone();
    tasks.spawn("api", async move {
        Ok(serve::serve(listener, router, stop, grace).await?)
    });
    tracing::info!(url, data = %data.display(), "serving");
    if args.demo {
        welcome(&practice, &url, &data).await?;
    }
    let files = practice.into_files();
    let ended = shutdown::wait(tasks, grace).await;
    files.close().await;
    tokio::task::spawn_blocking(move || telemetry.flush()).await?;
    ended?;
    Ok(ExitCode::SUCCESS)
}

/// Telemetry as the settings say.
///
/// # Errors
/// When it cannot be started.
pub fn start_telemetry(config: &Config, program: &'static str) -> Result<Telemetry> {
    Ok(Telemetry::start(&Options {
        program,
        version: praxis_version::VERSION,
        filter: config.require(&settings::LOG)?,
        format: config.require(&settings::LOG_FORMAT)?,
        collector: config.get(&settings::OTLP_ENDPOINT),
    })?)
}

/// Fills an empty log with the demonstration, then says where it is and what to try.
async fn welcome(practice: &Practice, url: &str, data: &Path) -> Result<()> {
    if practice.log.head().await?.position == 0 {
        demo::fill(&demonstrator(practice)?, practice.signer.as_ref(), 200, 1).await?;
        practice.catch_up().await?;
    }
    demo::introduce(url, data)
}

/// A way into this very process, as an ADMIN.
fn demonstrator(practice: &Practice) -> Result<Client> {
    let signer = practice
        .signer
        .as_ref()
        .context("the demonstration needs a signing key: set PRAXIS_JWT_PRIVATE_KEY")?;
    let principal = Principal {
        account_id: account_of(Role::Admin),
        role: Role::Admin,
        patient_id: None,
        practitioner_id: None,
    };
    let token = mint(signer, &principal, TimeDelta::hours(1))?;
    Ok(Client::Local {
        router: practice.router.clone(),
        token,
    })
}
