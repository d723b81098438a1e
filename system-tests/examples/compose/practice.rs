//! How are callers let into the practice that compose runs, and its records read?

use anyhow::Context as _;
use praxis_runtime::config::setting::SettingValue as _;
use praxis_runtime::config::values::KeyRing;
use praxis_system_tests::practice::Practice;
use praxis_testkit::servers::in_schema;
use tempfile::TempDir;
use uuid::Uuid;

use crate::docker::{containers, docker};

/// Where every program finds its secrets.
const SECRETS: &str = "/run/secrets/praxis";
/// Who makes them.
const KEYS_SERVICE: &str = "keys";
/// MySQL inside, and where docker/compose.e2e.yaml publishes it.
const MYSQL_INSIDE: &str = "@mysql:3306/";
const MYSQL_OUTSIDE: &str = "@127.0.0.1:13306/";

/// The keys and addresses of the practice, read from where compose keeps them.
pub struct ComposePractice {
    server_url: String,
    keks: Vec<(Uuid, [u8; 32])>,
    private_pem: String,
}

impl ComposePractice {
    pub async fn read() -> anyhow::Result<Self> {
        let all = containers().await?;
        let keys = all
            .iter()
            .find(|known| known.service == KEYS_SERVICE)
            .context("compose has no container that made the keys")?;
        let copied = TempDir::new()?;
        let from = format!("{}:{SECRETS}/.", keys.id);
        docker(&["cp", &from, &copied.path().display().to_string()]).await?;
        let read = |key: &str| {
            std::fs::read_to_string(copied.path().join(key))
                .with_context(|| format!("there is no secret {key}"))
        };
        let ring = KeyRing::<Uuid>::parse(read("kek")?.trim()).map_err(anyhow::Error::msg)?;
        let admin_url = read("admin-url")?;
        anyhow::ensure!(
            admin_url.contains(MYSQL_INSIDE),
            "the database is not where compose has it"
        );
        Ok(Self {
            server_url: admin_url.trim().replace(MYSQL_INSIDE, MYSQL_OUTSIDE),
            keks: ring.keys().to_vec(),
            private_pem: read("private-key")?,
        })
    }

    /// The server as its administrator sees it.
    pub fn server_url(&self) -> &str {
        &self.server_url
    }
}

impl Practice for ComposePractice {
    fn events_url(&self) -> String {
        in_schema(&self.server_url, "praxis")
    }

    fn views_url(&self) -> String {
        in_schema(&self.server_url, "praxis_views")
    }

    fn keks(&self) -> Vec<(Uuid, [u8; 32])> {
        self.keks.clone()
    }

    fn private_pem(&self) -> &str {
        &self.private_pem
    }
}
