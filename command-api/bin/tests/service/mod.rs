//! What do tests of real `command-api` processes stand on: one log, the keys to it, and processes that share both?

pub mod client;
pub mod log;

use std::path::Path;
use std::time::Duration;

use praxis_auth::generate::{KeySize, PemPair, generate};
use praxis_events::ids::LogId;
use praxis_runtime::ids::new_id;
use praxis_store_mysql::migrate::migrate;
use praxis_testkit::ports::free_port;
use praxis_testkit::processes::Process;
use praxis_testkit::servers::in_schema;
use uuid::Uuid;

/// A debug build on a busy machine starts slowly.
const SERVING_TIME_MAX: Duration = Duration::from_secs(30);

/// Base64 of 32 bytes of zero: the tests' keys keep nobody's secrets.
const KEY_OF_ZEROS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// One log in a schema of its own, one topic, and the keys that all its processes share.
pub struct Practice {
    schema: String,
    server_url: String,
    brokers: String,
    topic: String,
    kek_id: Uuid,
    signing: PemPair,
}

impl Practice {
    /// Begins a log on that MySQL server; its events go to a topic of their own.
    pub async fn found(server_url: &str, brokers: &str) -> anyhow::Result<Self> {
        let name = new_id().simple().to_string();
        let practice = Self {
            schema: format!("praxis_{name}"),
            server_url: server_url.to_owned(),
            brokers: brokers.to_owned(),
            topic: format!("praxis.test.{name}"),
            kek_id: new_id(),
            signing: generate(KeySize::Rsa2048)?,
        };
        migrate(&practice.events_url(), LogId(new_id())).await?;
        Ok(practice)
    }

    /// The schema's address.
    pub fn events_url(&self) -> String {
        in_schema(&self.server_url, &self.schema)
    }

    /// The same schema through another address of the server.
    pub fn events_url_at(&self, server_url: &str) -> String {
        in_schema(server_url, &self.schema)
    }

    /// The key that signs what [`client::Client`] sends.
    pub fn private_pem(&self) -> &str {
        self.signing.private_pem()
    }

    /// A process on the log, serving.
    pub async fn start(&self) -> anyhow::Result<CommandApi> {
        self.start_at(&self.events_url()).await
    }

    /// A process that reaches the log by that address, serving.
    pub async fn start_at(&self, events_url: &str) -> anyhow::Result<CommandApi> {
        let address = format!("127.0.0.1:{}", free_port());
        let admin_address = format!("127.0.0.1:{}", free_port());
        let setting = |name: &'static str, value: &str| (name, value.to_owned());
        let environment = vec![
            setting("PRAXIS_EVENTS_URL", events_url),
            setting("PRAXIS_KAFKA_BROKERS", &self.brokers),
            setting("PRAXIS_KAFKA_TOPIC", &self.topic),
            setting("PRAXIS_KAFKA_PARTITIONS", "3"),
            setting("PRAXIS_KEK", &format!("{}:{KEY_OF_ZEROS}", self.kek_id)),
            setting("PRAXIS_CLAIMS_KEY", &format!("1:{KEY_OF_ZEROS}")),
            setting("PRAXIS_JWT_PUBLIC_KEYS", self.signing.public_pem()),
            setting("PRAXIS_LISTEN", &address),
            setting("PRAXIS_ADMIN_LISTEN", &admin_address),
            setting("PRAXIS_LOG", "warn"),
        ];
        let process = spawn(&environment)?;
        let mut api = CommandApi {
            process,
            address,
            admin_address,
            environment,
        };
        api.wait_until_serving().await?;
        Ok(api)
    }

    /// The id of the key that wraps the persons' keys.
    pub fn kek_id(&self) -> Uuid {
        self.kek_id
    }
}

/// A running `command-api`.
pub struct CommandApi {
    /// The process, to be killed, stopped and read.
    pub process: Process,
    address: String,
    admin_address: String,
    environment: Vec<(&'static str, String)>,
}

impl CommandApi {
    /// `http://127.0.0.1:port`; stays the same over restarts.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Starts it again after its end, on the same port, and waits until it serves.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = spawn(&self.environment)?;
        self.wait_until_serving().await
    }

    async fn wait_until_serving(&mut self) -> anyhow::Result<()> {
        let address = self.admin_address.clone();
        self.process
            .wait_until_serving(&address, "/ready", SERVING_TIME_MAX)
            .await
    }

    /// What a metric without labels says.
    pub async fn metric(&self, name: &str) -> anyhow::Result<Option<f64>> {
        let url = format!("http://{}/metrics", self.admin_address);
        let text = reqwest::get(url).await?.text().await?;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        Ok(value)
    }
}

fn spawn(environment: &[(&'static str, String)]) -> anyhow::Result<Process> {
    let environment: Vec<(&str, &str)> = environment
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Process::spawn(Path::new(env!("CARGO_BIN_EXE_command-api")), &[], &environment)
}
