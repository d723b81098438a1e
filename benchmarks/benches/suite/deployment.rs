//! The programs as they are deployed: which processes there are, what they are told, and when they serve.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use praxis_events::ids::LogId;
use praxis_runtime::ids;
use praxis_testkit::ports::free_port;
use praxis_testkit::processes::{Process, workspace_binary};
use praxis_testkit::servers::{in_schema, kafka_brokers};

use crate::keys::Keys;
use crate::servers::drop_schema;

/// A new read database is filled before it is served.
const SERVING_TIME_MAX: Duration = Duration::from_mins(10);

const STOPPING_TIME_MAX: Duration = Duration::from_mins(1);

/// The tier of MySQL and Kafka: its schemas, its topic, its keys.
pub struct Services {
    /// The schema of the log.
    pub events_url: String,
    /// The base schema of the read models.
    pub views_url: String,
    brokers: String,
    topic: String,
    /// What its processes share.
    pub keys: Keys,
}

/// A program that runs.
pub struct Running {
    /// Where it serves.
    pub address: SocketAddr,
    process: Process,
}

impl Services {
    /// Of the topic: the programs' default.
    pub const PARTITIONS: u32 = 12;

    /// With schemas of those names on that server, both brought up to this version, and a new topic.
    pub async fn open(server_url: &str, events: &str, views: &str, keys: Keys) -> Result<Self> {
        let services = Self {
            events_url: in_schema(server_url, events),
            views_url: in_schema(server_url, views),
            brokers: kafka_brokers(),
            topic: format!("praxis.bench.{}", ids::new_id().simple()),
            keys,
        };
        praxis_store_mysql::migrate::migrate(&services.events_url, LogId(ids::new_id())).await?;
        praxis_store_mysql::views::migrate(&services.views_url).await?;
        Ok(services)
    }

    /// The same log with read models of that name, which begin empty, and a new topic.
    pub async fn anew(&self, server_url: &str, views: &str) -> Result<Self> {
        let anew = Self {
            events_url: self.events_url.clone(),
            views_url: in_schema(server_url, views),
            brokers: self.brokers.clone(),
            topic: format!("praxis.bench.{}", ids::new_id().simple()),
            keys: self.keys.clone(),
        };
        // What an interrupted run left.
        for left in [anew.generation_url(1), anew.views_url.clone()] {
            drop_schema(&left).await.ok();
        }
        praxis_store_mysql::views::migrate(&anew.views_url).await?;
        Ok(anew)
    }

    /// With new schemas.
    pub async fn found(server_url: &str) -> Result<Self> {
        let name = ids::new_id().simple().to_string();
        let (events, views) = (format!("praxis_bench_{name}"), format!("praxis_bv_{name}"));
        Self::open(server_url, &events, &views, Keys::made()?).await
    }

    /// The schema of a generation of its read models.
    pub fn generation_url(&self, number: u32) -> String {
        let (address, parameters) = self.views_url.split_once('?').unwrap_or((&self.views_url, ""));
        format!("{address}_{number}?{parameters}")
    }

    /// Starts a `command-api`, which also publishes to Kafka.
    pub async fn command_api(&self) -> Result<Running> {
        let environment = [
            ("PRAXIS_EVENTS_URL", self.events_url.as_str()),
            ("PRAXIS_KAFKA_BROKERS", &self.brokers),
            ("PRAXIS_KAFKA_TOPIC", &self.topic),
            ("PRAXIS_KEK", &self.keys.kek),
            ("PRAXIS_CLAIMS_KEY", &self.keys.claims),
            ("PRAXIS_JWT_PUBLIC_KEYS", &self.keys.public_pem),
        ];
        Running::start("command-api", &[], &environment).await
    }

    /// Starts a `projector`.
    pub async fn projector(&self) -> Result<Running> {
        let environment = [
            ("PRAXIS_EVENTS_URL", self.events_url.as_str()),
            ("PRAXIS_VIEWS_URL", &self.views_url),
            ("PRAXIS_KAFKA_BROKERS", &self.brokers),
            ("PRAXIS_KAFKA_TOPIC", &self.topic),
            ("PRAXIS_KEK", &self.keys.kek),
        ];
        Running::start("projector", &[], &environment).await
    }

    /// Starts a `query-api`; it serves once a generation is ready.
    pub async fn query_api(&self) -> Result<Running> {
        let environment = [
            ("PRAXIS_EVENTS_URL", self.events_url.as_str()),
            ("PRAXIS_VIEWS_URL", &self.views_url),
            ("PRAXIS_KEK", &self.keys.kek),
            ("PRAXIS_JWT_PUBLIC_KEYS", &self.keys.public_pem),
        ];
        Running::start("query-api", &[], &environment).await
    }
}

/// Starts `praxis serve` on a data directory.
pub async fn one_process(data: &Path, keys: &Keys) -> Result<Running> {
    let environment = [
        ("PRAXIS_KEK", keys.kek.as_str()),
        ("PRAXIS_CLAIMS_KEY", &keys.claims),
        ("PRAXIS_JWT_PUBLIC_KEYS", &keys.public_pem),
    ];
    let data = data.to_string_lossy();
    Running::start("praxis", &["serve", "--data", &data], &environment).await
}

impl Running {
    /// With default settings but for addresses and secrets: what is measured is what is deployed.
    async fn start(name: &'static str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let admin = format!("127.0.0.1:{}", free_port());
        let listen = address.to_string();
        let mut environment = environment.to_vec();
        environment.push(("PRAXIS_ADMIN_LISTEN", &admin));
        if name != "projector" {
            environment.push(("PRAXIS_LISTEN", &listen));
        }
        let mut process = Process::spawn(&workspace_binary(name), arguments, &environment)?;
        process
            .wait_until_serving(&admin, "/ready", SERVING_TIME_MAX)
            .await?;
        Ok(Self { address, process })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Asks it to stop and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        self.process.terminate(STOPPING_TIME_MAX).await?;
        Ok(())
    }
}
