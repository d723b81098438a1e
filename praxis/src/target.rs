//! Where do import and demonstration write: to a running server, or to a data directory opened for it?

use anyhow::{Context as _, Result};
use chrono::TimeDelta;
use praxis_auth::claims::{Principal, Role};
use praxis_auth::sign::TokenSigner;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::{Program, Spec};
use praxis_runtime::config::settings;
use praxis_runtime::tasks::Tasks;

use crate::cli::Target;
use crate::client::Client;
use crate::commands::token::{account_of, mint};
use crate::practice::{self, Practice};

/// How long the token of an import or demonstration lasts.
const TOKEN_HOURS: i64 = 24;

/// A way in, and what must be closed after it.
pub struct Opened {
    /// Requests go here, as an ADMIN.
    pub client: Client,
    /// Mints tokens for others, where there is a key.
    pub signer: Option<TokenSigner>,
    practice: Option<(Practice, Tasks)>,
}

/// Opens what the arguments name.
///
/// # Errors
/// When the data directory is in use or unfit, or there is no key to act with.
pub async fn open(target: &Target) -> Result<Opened> {
    if let (Some(server), Some(token)) = (&target.server, &target.token) {
        let http = reqwest::Client::builder().tcp_nodelay(true).build()?;
        let client = Client::Remote {
            http,
            url: server.trim_end_matches('/').to_owned(),
            token: token.clone(),
        };
        return Ok(Opened {
            client,
            signer: None,
            practice: None,
        });
    }
    let mut flags: Vec<(&'static Spec, String)> = Vec::new();
    flags.extend(
        target
            .data
            .data
            .as_ref()
            .map(|data| (&settings::DATA.spec, data.to_string_lossy().into_owned())),
    );
    let config = Config::from_environment(Program::Serve, &flags).checked()?;
    let tasks = Tasks::new();
    let practice = practice::open(&config, &config.require(&settings::DATA)?, &tasks).await?;
    let signer = practice
        .signer
        .clone()
        .context("no signing key: set PRAXIS_JWT_PRIVATE_KEY")?;
    let role = Role::Admin;
    let principal = Principal {
        account_id: account_of(role),
        role,
        patient_id: None,
        practitioner_id: None,
    };
    let token = mint(&signer, &principal, TimeDelta::hours(TOKEN_HOURS))?;
    let client = Client::Local {
        router: practice.router.clone(),
        token,
    };
    Ok(Opened {
        client,
        signer: Some(signer),
        practice: Some((practice, tasks)),
    })
}

impl Opened {
    /// Waits until what was written can be read, then closes.
    ///
    /// # Errors
    /// When a part of the practice failed meanwhile.
    pub async fn close(self) -> Result<()> {
        let Some((practice, tasks)) = self.practice else {
            return Ok(());
        };
        drop(self.client);
        practice.catch_up().await?;
        practice.end(tasks).await
    }
}
