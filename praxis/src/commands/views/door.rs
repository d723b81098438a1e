//! Where are the read models that a command is about: in a data directory, in MySQL, or behind a running server?

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use chrono::TimeDelta;
use praxis_auth::claims::{Principal, Role};
use praxis_event_store::port::LogReader;
use praxis_projector::rebuild::NewlyParked;
use praxis_query_api::error::ReadError;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::{Program, Spec};
use praxis_runtime::config::settings;
use praxis_runtime::tasks::Tasks;
use praxis_store_sqlite::directory::{DirectoryError, OwnedDirectory};
use praxis_store_sqlite::log::SqliteLog;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::databases::Databases;
use super::documents::{Parked, RebuildStatus, Retried, Status};
use super::tools::Tools;
use crate::cli::ViewsOptions;
use crate::client::Client;
use crate::commands::token::{account_of, mint};
use crate::keys;
use crate::practice::{self, Practice};

/// How long the token lasts with which the owner of a data directory speaks to the server on it.
const TOKEN_HOURS: i64 = 24;

/// The way to the read models.
pub enum Door {
    /// A data directory that this process owns; its projector runs meanwhile, so that what is built is filled.
    Directory {
        /// What is asked.
        tools: Tools,
        /// What must be closed.
        practice: Box<Practice>,
        /// What must be ended.
        tasks: Tasks,
    },
    /// The databases of the services, whose projectors fill what is built.
    Databases(Databases),
    /// A running `praxis serve`.
    Server(Client),
}

impl Door {
    /// The door that the arguments, the settings and whoever owns the data directory leave.
    ///
    /// # Errors
    /// When nothing can be asked that way.
    pub async fn open(options: &ViewsOptions) -> Result<Self> {
        if let (Some(server), Some(token)) = (&options.server, &options.token) {
            return Ok(Self::Server(remote(server, token.clone())?));
        }
        let mut flags: Vec<(&'static Spec, String)> = Vec::new();
        flags.extend(
            options
                .events_url
                .iter()
                .map(|url| (&settings::EVENTS_URL.spec, url.clone())),
        );
        flags.extend(
            options
                .views_url
                .iter()
                .map(|url| (&settings::VIEWS_URL.spec, url.clone())),
        );
        let config = Config::from_environment(Program::Operator, &flags).checked()?;
        if options.data.data.is_none() && config.get(&settings::VIEWS_URL).is_some() {
            return Ok(Self::Databases(Databases::open(&config).await?));
        }
        let data = crate::data_directory(&config, &options.data)?;
        match OwnedDirectory::take(&data) {
            Err(DirectoryError::InUse { url: Some(url) }) => {
                tracing::debug!(url, "the data directory is in use; asking the server on it");
                Ok(Self::Server(remote(&url, own_token(&config, &data)?)?))
            }
            Err(DirectoryError::InUse { url: None }) => bail!(
                "{} is in use by another command, or by a server that is starting: try again",
                data.display()
            ),
            taken => {
                drop(taken.with_context(|| format!("cannot use {}", data.display()))?);
                Self::directory(&data).await
            }
        }
    }

    async fn directory(data: &Path) -> Result<Self> {
        let flags = [(&settings::DATA.spec, data.to_string_lossy().into_owned())];
        let config = Config::from_environment(Program::Serve, &flags).checked()?;
        let tasks = Tasks::new();
        let practice = practice::open(&config, data, &tasks).await?;
        let reader: Arc<dyn LogReader> = Arc::<SqliteLog>::clone(&practice.log);
        let (registry, decoder) = (Arc::clone(&practice.registry), Arc::clone(&practice.decoder));
        let tools = Tools::new(registry, reader, decoder, practice::PARTITIONS);
        Ok(Self::Directory {
            tools,
            practice: Box::new(practice),
            tasks,
        })
    }

    /// How far everything is.
    pub async fn status(&self) -> Result<Status> {
        match self {
            Self::Directory { tools, .. } => Ok(tools.status().await?),
            Self::Databases(databases) => Ok(databases.tools.status().await?),
            Self::Server(client) => get(client, "/views").await,
        }
    }

    /// Parked events of a generation after a position.
    pub async fn parked(&self, generation: u32, after: u64) -> Result<Parked> {
        match self {
            Self::Directory { tools, .. } => Ok(tools.parked(generation, after).await?),
            Self::Databases(databases) => Ok(databases.tools.parked(generation, after).await?),
            Self::Server(client) => {
                get(
                    client,
                    &format!("/views/parked?generation={generation}&after={after}"),
                )
                .await
            }
        }
    }

    /// Reads what is parked again.
    pub async fn retry(&self) -> Result<Retried> {
        match self {
            Self::Directory { tools, .. } => Ok(tools.retry().await?),
            Self::Databases(databases) => Ok(databases.tools.retry().await?),
            Self::Server(client) => post(client, "/views/retry", &json!({})).await,
        }
    }

    /// Begins a rebuild, or finds the one under way.
    pub async fn rebuild(&self) -> Result<RebuildStatus> {
        match self {
            Self::Directory { tools, .. } => Ok(tools.rebuild().await?),
            Self::Databases(databases) => Ok(databases.tools.rebuild().await?),
            Self::Server(client) => post(client, "/views/rebuild", &json!({})).await,
        }
    }

    /// Has a generation take over if it has come far enough; projectors do so by themselves when nothing holds it.
    pub async fn take_over(&self, generation: u32, parked: NewlyParked) -> Result<()> {
        let tools = match (self, parked) {
            (Self::Directory { tools, .. }, _) => tools,
            (Self::Databases(databases), _) => &databases.tools,
            (Self::Server(_), NewlyParked::Hold) => return Ok(()),
            (Self::Server(client), NewlyParked::Accept) => {
                let order = json!({ "accept_parked_of": generation });
                return post::<RebuildStatus>(client, "/views/rebuild", &order)
                    .await
                    .map(drop);
            }
        };
        match tools.take_over(generation, parked).await {
            // A projector was faster.
            Ok(_) | Err(ReadError::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a generation can be filled from here; elsewhere the server does.
    ///
    /// # Errors
    /// When it could be but for the keys to events.
    pub async fn can_fill(&self) -> Result<bool> {
        match self {
            Self::Directory { .. } | Self::Server(_) => Ok(false),
            Self::Databases(databases) => databases.check_keys().await.map(|()| true),
        }
    }

    /// Fills a generation from here, beside whoever else does.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn fill(&self, generation: u32) -> Result<()> {
        match self {
            Self::Directory { .. } | Self::Server(_) => Ok(()),
            Self::Databases(databases) => databases.fill(generation).await,
        }
    }

    /// Whether what runs for this command still does.
    ///
    /// # Errors
    /// When it ended by itself; [`close`](Self::close) says why.
    pub fn check(&self) -> Result<()> {
        let ended = match self {
            Self::Directory { tasks, .. } => tasks.stop().is_cancelled(),
            Self::Databases(databases) => databases.has_ended(),
            Self::Server(_) => false,
        };
        anyhow::ensure!(!ended, "what fills the read models has ended");
        Ok(())
    }

    /// Ends what runs for this command, and closes the files.
    ///
    /// # Errors
    /// When a part of it failed meanwhile.
    pub async fn close(self) -> Result<()> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Databases(databases) => databases.close().await,
            Self::Directory {
                tools,
                practice,
                tasks,
            } => {
                drop(tools);
                practice.end(tasks).await
            }
        }
    }
}

fn remote(url: &str, token: String) -> Result<Client> {
    Ok(Client::Remote {
        http: reqwest::Client::builder().tcp_nodelay(true).build()?,
        url: url.trim_end_matches('/').to_owned(),
        token,
    })
}

/// Whoever may read the keys of a data directory may speak to the server on it as an ADMIN.
fn own_token(config: &Config, data: &Path) -> Result<String> {
    let signer = keys::load(config, data)?.signer.with_context(|| {
        format!(
            "{} is in use by a server, and there is no signing key to speak to it with: say --server URL --token TOKEN",
            data.display()
        )
    })?;
    let role = Role::Admin;
    let principal = Principal {
        account_id: account_of(role),
        role,
        patient_id: None,
        practitioner_id: None,
    };
    mint(&signer, &principal, TimeDelta::hours(TOKEN_HOURS))
}

async fn get<T: DeserializeOwned>(client: &Client, path: &str) -> Result<T> {
    let answered = client.get(path).await?;
    understood(
        answered.status.is_success(),
        path,
        &answered.document,
        &answered.codes(),
    )
}

async fn post<T: DeserializeOwned>(client: &Client, path: &str, document: &Value) -> Result<T> {
    let key = praxis_runtime::ids::new_id().to_string();
    let answered = client.post(path, &key, document).await?;
    understood(
        answered.status.is_success(),
        path,
        &answered.document,
        &answered.codes(),
    )
}

fn understood<T: DeserializeOwned>(
    is_success: bool,
    path: &str,
    document: &Value,
    codes: &[String],
) -> Result<T> {
    if !is_success {
        let why = match codes {
            [] => "something that is no problem document: is this a praxis server?".to_owned(),
            [code] if code == "not-found" => {
                "not-found: it is no praxis serve, or of an earlier version; of the services say --views-url"
                    .to_owned()
            }
            codes => codes.join(", "),
        };
        bail!("the server answers {path} with {why}");
    }
    T::deserialize(document).with_context(|| format!("the server's answer to {path} is of another version"))
}
