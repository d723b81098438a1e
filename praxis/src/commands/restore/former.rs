//! What is left of the former life: read models that were made of it. They tell how far it had come, and are given up.
//!
//! What cannot be reached, or is of another release, is given up by its own projectors: they find another epoch.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use praxis_event_store::port::Head;
use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::Checkpoint;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::settings;
use praxis_store_mysql::views::MySqlRegistry;
use praxis_store_sqlite::views::{REGISTRY_FILE, SqliteRegistry};

use crate::out;

/// The read models that were found.
pub struct Former {
    registry: Option<Arc<dyn Registry>>,
    found: Vec<(Generation, Vec<Checkpoint>)>,
    unknown: Option<String>,
}

impl Former {
    /// Looks for them: in the data directory, or where the settings say. That there are none, or that they cannot be
    /// read, is no fault: they may be lost too.
    pub async fn open(config: &Config, data: Option<&Path>) -> Self {
        match Self::try_open(config, data).await {
            Ok(former) => former,
            Err(error) => Self {
                registry: None,
                found: Vec::new(),
                unknown: Some(format!("{error:#}")),
            },
        }
    }

    async fn try_open(config: &Config, data: Option<&Path>) -> Result<Self> {
        let registry: Option<Arc<dyn Registry>> = match (data, config.get(&settings::VIEWS_URL)) {
            (Some(data), _) if !data.join(REGISTRY_FILE).exists() => None,
            (Some(data), _) => Some(Arc::new(SqliteRegistry::open(data).await?)),
            (None, Some(url)) => Some(Arc::new(MySqlRegistry::open(url.expose()).await?)),
            (None, None) => anyhow::bail!("PRAXIS_VIEWS_URL is not set"),
        };
        let mut found = Vec::new();
        if let Some(registry) = &registry {
            for known in registry.generations().await? {
                let is_own = known.fingerprint == registry.fingerprint();
                if is_own
                    && known.state != GenerationState::Retired
                    && registry.is_in_place(known.number).await?
                {
                    let checkpoints = registry.open_views(known.number).await?.checkpoints().await?;
                    found.push((known, checkpoints));
                }
            }
        }
        Ok(Self {
            registry,
            found,
            unknown: None,
        })
    }

    fn of_log(&self, head: &Head) -> impl Iterator<Item = &Checkpoint> {
        let log_id = head.log_id;
        let all = self.found.iter().flat_map(|(_, checkpoints)| checkpoints);
        all.filter(move |known| known.log_id == log_id)
    }

    /// How far they had come in the life that ended, which is the latest that they know.
    pub fn position(&self, head: &Head) -> Option<u64> {
        let of_life = self.of_log(head).filter(|known| known.epoch >= head.epoch);
        of_life.map(|known| known.position).max()
    }

    /// The latest epoch they know of.
    pub fn epoch(&self, head: &Head) -> u32 {
        self.of_log(head).map(|known| known.epoch).max().unwrap_or(0)
    }

    /// Says what is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn tell(&self, head: &Head) -> Result<()> {
        if let Some(why) = &self.unknown {
            return out::line(&format!(
                "read models: not asked ({why}); projectors give those of the former life up by themselves"
            ));
        }
        if self.found.is_empty() {
            return out::line("read models: none of this release; they are built from the log");
        }
        for (generation, checkpoints) in &self.found {
            let position = checkpoints.iter().map(|known| known.position).max().unwrap_or(0);
            let number = generation.number;
            out::line(&if belongs(checkpoints, head) {
                format!("read models: generation {number} had come to position {position}")
            } else {
                format!("read models: generation {number} is of another log, and is not touched")
            })?;
        }
        Ok(())
    }

    /// Gives up those of this log, so that others are built from it.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn retire(&self, head: &Head) -> Result<()> {
        let Some(registry) = &self.registry else {
            return Ok(());
        };
        for (generation, checkpoints) in &self.found {
            if !belongs(checkpoints, head) {
                continue;
            }
            let (number, retired) = (generation.number, GenerationState::Retired);
            if registry.set_state(number, generation.state, retired).await? {
                out::line(&format!("generation {number} of read models is given up"))?;
            }
        }
        Ok(())
    }

    /// Closes what was opened.
    pub async fn close(&self) {
        if let Some(registry) = &self.registry {
            registry.close().await;
        }
    }
}

/// Read models that were not begun belong to whatever log comes.
fn belongs(checkpoints: &[Checkpoint], head: &Head) -> bool {
    checkpoints.iter().all(|known| known.log_id == head.log_id)
}
