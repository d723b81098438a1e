//! Where does a test get certificates whose authority it knows? From `openssl`, when it runs: none is in Git, none expires.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio::process::Command;

/// An authority of one test. Dropping it deletes all that it made.
#[derive(Debug)]
pub struct Authority {
    directory: TempDir,
    pem: String,
}

/// A certificate for a server, and its key.
#[derive(Debug)]
pub struct ServerCertificate {
    /// The file of the certificate.
    pub certificate: PathBuf,
    /// The file of its key.
    pub key: PathBuf,
}

impl Authority {
    /// A new one of that name, whether or not another has it.
    pub async fn named(name: &str) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let more = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
        openssl(directory.path(), "authority", &format!("/CN={name}"), &more).await?;
        let pem = std::fs::read_to_string(directory.path().join("authority.pem"))?;
        Ok(Self { directory, pem })
    }

    /// Its own certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The file of its own certificate.
    pub fn file(&self) -> PathBuf {
        self.path("authority.pem")
    }

    /// A certificate for a server of that name, such as `DNS:localhost` or `IP:127.0.0.1`.
    pub async fn certificate_for(&self, name: &str) -> anyhow::Result<ServerCertificate> {
        let stem: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let (authority, key) = (self.path("authority.pem"), self.path("authority.key"));
        let names = format!("subjectAltName={name}");
        let more = [
            "-CA",
            &authority.to_string_lossy(),
            "-CAkey",
            &key.to_string_lossy(),
            "-addext",
            &names,
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ]
        .map(str::to_owned);
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        openssl(self.directory.path(), &stem, "/CN=Invented server", &more).await?;
        Ok(ServerCertificate {
            certificate: self.path(&format!("{stem}.pem")),
            key: self.path(&format!("{stem}.key")),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// A certificate `stem`.pem with its key `stem`.key, for two days.
async fn openssl(directory: &Path, stem: &str, subject: &str, more: &[&str]) -> anyhow::Result<()> {
    let (key, certificate) = (format!("{stem}.key"), format!("{stem}.pem"));
    let made = Command::new("openssl")
        .current_dir(directory)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args([
            "-days",
            "2",
            "-subj",
            subject,
            "-keyout",
            &key,
            "-out",
            &certificate,
        ])
        .args(more)
        .output()
        .await
        .context("openssl is needed")?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Ok(())
}
