//! The secrets that the processes of one measured practice share, and the tokens of its callers.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::TimeDelta;
use praxis_auth::claims::{Principal, Role};
use praxis_auth::generate::{KeySize, generate};
use praxis_auth::sign::TokenSigner;
use praxis_runtime::{clock, ids};
use uuid::Uuid;

/// Base64 of 32 bytes of zero: invented people have no secrets.
const KEY_OF_ZEROS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Longer than any run.
const TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// The keys.
#[derive(Clone)]
pub struct Keys {
    /// `PRAXIS_KEK`.
    pub kek: String,
    /// `PRAXIS_CLAIMS_KEY`.
    pub claims: String,
    /// `PRAXIS_JWT_PRIVATE_KEY`.
    pub private_pem: String,
    /// `PRAXIS_JWT_PUBLIC_KEYS`.
    pub public_pem: String,
    signer: TokenSigner,
}

impl Keys {
    /// New ones.
    pub fn made() -> Result<Self> {
        let pair = generate(KeySize::Rsa2048)?;
        let kek = format!("{}:{KEY_OF_ZEROS}", ids::new_id());
        Self::of(kek, pair.private_pem(), pair.public_pem())
    }

    fn of(kek: String, private_pem: &str, public_pem: &str) -> Result<Self> {
        Ok(Self {
            kek,
            claims: format!("1:{KEY_OF_ZEROS}"),
            private_pem: private_pem.to_owned(),
            public_pem: public_pem.to_owned(),
            signer: TokenSigner::try_new(private_pem, "praxis", "praxis")?,
        })
    }

    /// Those of a directory; they are made there when they are missing.
    pub fn kept_in(directory: &Path) -> Result<Self> {
        let (kek, private, public) = (
            directory.join("kek"),
            directory.join("jwt-private.pem"),
            directory.join("jwt-public.pem"),
        );
        if !kek.exists() {
            let pair = generate(KeySize::Rsa2048)?;
            fs::create_dir_all(directory)?;
            fs::write(&private, pair.private_pem())?;
            fs::write(&public, pair.public_pem())?;
            // Last: whoever finds it finds the others.
            fs::write(&kek, format!("{}:{KEY_OF_ZEROS}", ids::new_id()))?;
        }
        let read =
            |file: &Path| fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()));
        Self::of(read(&kek)?, &read(&private)?, &read(&public)?)
    }

    /// A token of the front desk or an administrator.
    pub fn token(&self, role: Role) -> Result<String> {
        self.mint(role, None)
    }

    /// A token of a practitioner.
    pub fn token_of_doctor(&self, practitioner_id: Uuid) -> Result<String> {
        self.mint(Role::Doctor, Some(practitioner_id))
    }

    fn mint(&self, role: Role, practitioner_id: Option<Uuid>) -> Result<String> {
        let principal = Principal {
            account_id: ids::new_id(),
            role,
            patient_id: None,
            practitioner_id,
        };
        Ok(self
            .signer
            .mint(&principal, clock::now(), TOKEN_LIFETIME, ids::new_id())?)
    }
}
