//! Where the keys of a small practice come from: the environment, or files made once beside the data directory.
//!
//! Never inside it: a copy of the data directory alone opens nothing.

pub mod files;
pub mod made;

use std::num::NonZeroU8;
use std::path::{Path, PathBuf};

use anyhow::Result;
use praxis_auth::generate::KeySize;
use praxis_auth::keys::PublicKeys;
use praxis_auth::sign::TokenSigner;
use praxis_auth::verify::TokenVerifier;
use praxis_event_store::record::claims_keys::ClaimsKeys;
use praxis_event_store::record::keys::KekRing;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::{Setting, SettingValue};
use praxis_runtime::config::settings;
use praxis_runtime::config::values::{KeyRing, PrivateKeyPem, PublicKeysPem};
use uuid::Uuid;

use crate::keys::files::Readers;
use crate::practice::LOG_FILE;

/// Everything secret that a practice in one process needs.
pub struct Keys {
    /// Wraps the data keys of persons.
    pub keks: KekRing,
    /// Tags personal claim members and requests.
    pub claims: ClaimsKeys,
    /// Mints tokens for development; `None` where only public keys are given.
    pub signer: Option<TokenSigner>,
    /// Trusts tokens.
    pub verifier: TokenVerifier,
}

/// The directory of the files made for a data directory: its sibling, with `.keys` appended to its name.
pub fn directory_for(data: &Path) -> PathBuf {
    let mut name = data.file_name().unwrap_or_default().to_owned();
    name.push(".keys");
    data.with_file_name(name)
}

/// The keys of the environment; those it does not give are read from, or made in, the directory beside `data`.
///
/// # Errors
/// When a file cannot be read, made, or does not hold what it should.
pub fn load(config: &Config, data: &Path) -> Result<Keys> {
    let directory = directory_for(data);
    let kek: KeyRing<Uuid> = given_or_made(config, &settings::KEK, &directory.join("kek"), || {
        refuse_beside_a_log(data)?;
        Ok(made::kek()?.1)
    })?;
    let file = directory.join("claims-key");
    let claims: KeyRing<NonZeroU8> = given_or_made(config, &settings::CLAIMS_KEY, &file, || {
        refuse_beside_a_log(data)?;
        made::claims_key()
    })?;
    let (issuer, audience) = (
        config.require(&settings::JWT_ISSUER)?,
        config.require(&settings::JWT_AUDIENCE)?,
    );
    let (signer, public) = if let Some(public) = config.get::<PublicKeysPem>(&settings::JWT_PUBLIC_KEYS) {
        let private = config.get::<PrivateKeyPem>(&settings::JWT_PRIVATE_KEY);
        let signer = private
            .map(|pem| TokenSigner::try_new(pem.expose(), &issuer, &audience))
            .transpose()?;
        (signer, PublicKeys::try_from_pem(&public.0)?)
    } else {
        let file = directory.join("jwt-private.pem");
        let private: PrivateKeyPem = given_or_made(config, &settings::JWT_PRIVATE_KEY, &file, || {
            Ok(made::signing_keys(KeySize::Rsa2048)?.private_pem().to_owned())
        })?;
        let signer = TokenSigner::try_new(private.expose(), &issuer, &audience)?;
        let public = PublicKeys::of(signer.public_key().clone());
        (Some(signer), public)
    };
    Ok(Keys {
        keks: KekRing::of(kek.keys())?,
        claims: ClaimsKeys::of(claims.keys())?,
        signer,
        verifier: TokenVerifier::new(public, &issuer, &audience),
    })
}

/// A log that is there was written under keys of its own: a new one would open nothing of it, and what is written
/// under the new one would be lost when the old one is put back.
fn refuse_beside_a_log(data: &Path) -> Result<()> {
    anyhow::ensure!(
        !data.join(LOG_FILE).exists(),
        "{} holds a log, but its keys are not in {}: put them back from their copy",
        data.display(),
        directory_for(data).display()
    );
    Ok(())
}

fn given_or_made<T: SettingValue>(
    config: &Config,
    setting: &Setting<T>,
    file: &Path,
    make: impl FnOnce() -> Result<String>,
) -> Result<T> {
    if let Some(given) = config.get(setting) {
        return Ok(given);
    }
    if files::read(file)?.is_none() && files::write_once(file, &make()?, Readers::Owner)? {
        tracing::info!(file = %file.display(), setting = setting.spec.name, "made a key; keep a copy of it apart from the data");
    }
    let text = files::read(file)?.unwrap_or_default();
    T::parse(&text).map_err(|fault| anyhow::anyhow!("{} {fault}", file.display()))
}
