//! What do the programs of one practice share: schemas, a topic, keys, and a folder for what they write?

use std::path::{Path, PathBuf};
use std::time::Duration;

use praxis_auth::generate::{KeySize, PemPair, generate};
use praxis_runtime::ids::new_id;
use praxis_testkit::processes::{Process, workspace_binary};
use praxis_testkit::servers::in_schema;
use tempfile::TempDir;
use uuid::Uuid;

use crate::practice::Practice;
use crate::service::{Program, Service};

/// Base64 of 32 bytes of zero: the tests' keys keep nobody's secrets.
const KEY_OF_ZEROS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Longer than any command of the operator's program that tests run.
const COMMAND_TIME_MAX: Duration = Duration::from_mins(5);

/// How much of each program's output a failed test shows.
const SHOWN_LINES_MAX: usize = 25;

/// One practice: schemas of its own on a MySQL server, a topic of its own on a Kafka, and the keys that all its
/// programs share. The servers are the caller's: shared ones, or private ones that may be killed.
///
/// Every process writes into a file of [`log_dir`](Self::log_dir). When dropped it writes the end of each to standard
/// error, which the test runner shows for a test that failed; so keep it longer than what may fail.
#[derive(Debug)]
pub struct Deployment {
    name: String,
    server_url: String,
    brokers: String,
    partitions: u32,
    kek_id: Uuid,
    signing: PemPair,
    log_dir: TempDir,
}

/// What the operator's program wrote, and whether it succeeded.
#[derive(Debug)]
pub struct Told {
    /// Whether it ended with 0.
    pub success: bool,
    /// Standard output and standard error.
    pub output: String,
}

impl Deployment {
    /// A new practice on these servers: keys are made, and `praxis migrate` makes the schemas.
    pub async fn found(server_url: &str, brokers: &str) -> anyhow::Result<Self> {
        let deployment = Self::plan(server_url, brokers)?;
        let told = deployment.praxis(&["migrate"]).await?;
        anyhow::ensure!(told.success, "praxis migrate failed: {}", told.output);
        Ok(deployment)
    }

    /// The same without schemas: the test makes them its own way.
    pub fn plan(server_url: &str, brokers: &str) -> anyhow::Result<Self> {
        Ok(Self {
            name: new_id().simple().to_string(),
            server_url: server_url.to_owned(),
            brokers: brokers.to_owned(),
            partitions: 3,
            kek_id: new_id(),
            signing: generate(KeySize::Rsa2048)?,
            log_dir: tempfile::Builder::new().prefix("praxis-deployment-").tempdir()?,
        })
    }

    /// Starts a program and waits until it is ready. A `query-api` is ready once a projector has filled read models.
    pub async fn start(&self, program: Program) -> anyhow::Result<Service> {
        self.start_with(program, &[]).await
    }

    /// The same with settings that replace or join the deployment's own.
    pub async fn start_with(&self, program: Program, settings: &[(&str, &str)]) -> anyhow::Result<Service> {
        let mut service = self.spawn_with(program, settings)?;
        service.wait_until_ready().await?;
        Ok(service)
    }

    /// Two `command-api` on one log.
    pub async fn start_two_command_apis(&self) -> anyhow::Result<[Service; 2]> {
        Ok([
            self.start(Program::CommandApi).await?,
            self.start(Program::CommandApi).await?,
        ])
    }

    /// Starts a program and does not wait for it.
    pub fn spawn_with(&self, program: Program, settings: &[(&str, &str)]) -> anyhow::Result<Service> {
        let mut environment = self.settings();
        environment.extend(settings.iter().map(|(name, value)| owned(name, value)));
        Service::spawn(program, environment, self.log_dir.path())
    }

    /// Runs `praxis` with these arguments and the settings of the deployment, to its end.
    pub async fn praxis(&self, arguments: &[&str]) -> anyhow::Result<Told> {
        self.praxis_with(arguments, &[]).await
    }

    /// The same with settings that replace or join the deployment's own.
    pub async fn praxis_with(&self, arguments: &[&str], settings: &[(&str, &str)]) -> anyhow::Result<Told> {
        let mut environment = self.settings();
        environment.push(owned("PRAXIS_JWT_PRIVATE_KEY", self.signing.private_pem()));
        environment.extend(settings.iter().map(|(name, value)| owned(name, value)));
        let environment: Vec<(&str, &str)> = environment
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let output_file = self
            .log_dir
            .path()
            .join(format!("praxis-{}.log", new_id().simple()));
        let mut process =
            Process::spawn_logging_to(&output_file, &workspace_binary("praxis"), arguments, &environment)?;
        let status = process.wait(COMMAND_TIME_MAX).await?;
        Ok(Told {
            success: status.success(),
            output: process.output()?,
        })
    }

    /// What every program of the practice is given.
    fn settings(&self) -> Vec<(String, String)> {
        vec![
            owned("PRAXIS_EVENTS_URL", &self.events_url()),
            owned("PRAXIS_VIEWS_URL", &self.views_url()),
            owned("PRAXIS_KAFKA_BROKERS", &self.brokers),
            owned("PRAXIS_KAFKA_TOPIC", &self.topic()),
            owned("PRAXIS_KAFKA_PARTITIONS", &self.partitions.to_string()),
            owned("PRAXIS_KAFKA_GROUP", &self.topic()),
            owned("PRAXIS_KEK", &format!("{}:{KEY_OF_ZEROS}", self.kek_id)),
            owned("PRAXIS_CLAIMS_KEY", &format!("1:{KEY_OF_ZEROS}")),
            owned("PRAXIS_JWT_PUBLIC_KEYS", self.signing.public_pem()),
            owned("PRAXIS_LOG", "info,praxis::request=warn"),
        ]
    }

    /// The schema of the event store.
    pub fn events_url(&self) -> String {
        self.events_url_at(&self.server_url)
    }

    /// The same schema through another address of the server, such as a proxy's.
    pub fn events_url_at(&self, server_url: &str) -> String {
        in_schema(server_url, &self.events_schema())
    }

    /// The schema that lists the generations of read models.
    pub fn views_url(&self) -> String {
        in_schema(&self.server_url, &self.views_schema())
    }

    /// The name of the event store's schema.
    pub fn events_schema(&self) -> String {
        format!("praxis_{}", self.name)
    }

    /// The name of the read models' base schema; generation *n* is in the one whose name ends with `_n`.
    pub fn views_schema(&self) -> String {
        format!("praxis_{}_views", self.name)
    }

    /// The topic.
    pub fn topic(&self) -> String {
        format!("praxis.test.{}", self.name)
    }

    /// How many partitions the topic has.
    pub const fn partitions(&self) -> u32 {
        self.partitions
    }

    /// The Kafka bootstrap servers.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// The key that signs access tokens.
    pub fn private_pem(&self) -> &str {
        self.signing.private_pem()
    }

    /// The id of the key that wraps the persons' keys; its 32 bytes are zero.
    pub const fn kek_id(&self) -> Uuid {
        self.kek_id
    }

    /// Where every process of the deployment writes standard output and standard error, a file each.
    pub fn log_dir(&self) -> &Path {
        self.log_dir.path()
    }

    /// Every file of [`log_dir`](Self::log_dir), ended processes' too.
    pub fn log_files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = std::fs::read_dir(self.log_dir())?
            .map(|entry| Ok(entry?.path()))
            .collect::<anyhow::Result<Vec<PathBuf>>>()?;
        files.sort_unstable();
        Ok(files)
    }
}

impl Practice for Deployment {
    fn events_url(&self) -> String {
        self.events_url()
    }

    fn views_url(&self) -> String {
        self.views_url()
    }

    fn keks(&self) -> Vec<(Uuid, [u8; 32])> {
        vec![(self.kek_id, [0; 32])]
    }

    fn private_pem(&self) -> &str {
        self.private_pem()
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        for file in self.log_files().unwrap_or_default() {
            let bytes = std::fs::read(&file).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            let skipped = text.lines().count().saturating_sub(SHOWN_LINES_MAX);
            eprintln!("\n==> {} ({skipped} lines before)", file.display());
            for line in text.lines().skip(skipped) {
                eprintln!("{line}");
            }
        }
    }
}

fn owned(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
