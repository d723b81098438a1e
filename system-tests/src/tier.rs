//! What is a whole tier under load, and what must be true of it when the load has ended?

use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::time::{Instant, sleep};

use crate::deployment::Deployment;
use crate::load::{Acknowledged, Callers, Load, Targets};
use crate::log::Log;
use crate::proof;
use crate::service::{Program, Service};

/// A lease lasts 5 s, and a standby asks each second.
const LEADER_TIME_MAX: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Two of each program that may be more than one, one that reads, and those who call them.
pub struct Tier {
    /// Every `command-api`.
    pub command_apis: Vec<Service>,
    /// Every projector.
    pub projectors: Vec<Service>,
    /// What serves the read models.
    pub query_api: Service,
    /// Who sends commands.
    pub callers: Callers,
    /// Last, so that what the programs wrote is shown after they have ended.
    pub deployment: Deployment,
}

impl Tier {
    /// Founds a practice on these servers and starts two `command-api`, as many projectors, and a `query-api`.
    pub async fn start(server_url: &str, brokers: &str, projectors: usize) -> anyhow::Result<Self> {
        let deployment = Deployment::found(server_url, brokers).await?;
        let command_apis: Vec<Service> = deployment.start_two_command_apis().await?.into();
        let mut started = Vec::new();
        for _ in 0..projectors {
            started.push(deployment.start(Program::Projector).await?);
        }
        let query_api = deployment.start(Program::QueryApi).await?;
        let callers = Callers::ready(&deployment, &command_apis[0].base()).await?;
        Ok(Self {
            command_apis,
            projectors: started,
            query_api,
            callers,
            deployment,
        })
    }

    /// Everyone there is to call.
    pub fn targets(&self) -> Targets {
        Targets {
            command_apis: self.command_apis.iter().map(Service::base).collect(),
            query_api: Some(self.query_api.base()),
        }
    }

    /// Begins a load on every process.
    pub fn load(&self) -> Load {
        self.callers.load(&self.targets())
    }

    /// Which `command-api` leads the relay. Waits until one does.
    pub async fn leader(&self) -> anyhow::Result<usize> {
        let deadline = Instant::now() + LEADER_TIME_MAX;
        loop {
            for (number, api) in self.command_apis.iter().enumerate() {
                if api.metric("praxis_relay_leader").await.unwrap_or_default() == Some(1.0) {
                    return Ok(number);
                }
            }
            ensure!(
                Instant::now() < deadline,
                "no process has led the relay for {LEADER_TIME_MAX:?}"
            );
            sleep(POLL_INTERVAL).await;
        }
    }

    /// That every process still runs.
    pub fn assert_all_run(&mut self) -> anyhow::Result<()> {
        let all = self.command_apis.iter_mut().chain(&mut self.projectors);
        for service in all.chain([&mut self.query_api]) {
            let ended = service.process.ended()?;
            ensure!(
                ended.is_none(),
                "{} ended: {ended:?}: {}",
                service.program.binary(),
                service.process.output()?
            );
        }
        Ok(())
    }

    /// That the log has each of these commands exactly once and nothing else, and the read models are its fold.
    pub async fn assert_nothing_lost_or_repeated(&self, all: &[Acknowledged]) -> anyhow::Result<Log> {
        self.assert_nothing_lost_or_repeated_beside(all, 0).await
    }

    /// The same, with so many events that the test itself added.
    pub async fn assert_nothing_lost_or_repeated_beside(
        &self,
        all: &[Acknowledged],
        others: usize,
    ) -> anyhow::Result<Log> {
        let others = self.callers.set_up_len + others;
        let log = proof::assert_each_is_there_once(&self.deployment, all, others)
            .await
            .context("the log is not what callers were told")?;
        proof::assert_views_equal_a_fresh_fold(&self.deployment, &log)
            .await
            .context("read models are not the fold of the log")?;
        Ok(log)
    }
}
