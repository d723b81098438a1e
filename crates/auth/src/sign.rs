//! How is an access token minted?

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use thiserror::Error;
use uuid::Uuid;

use crate::claims::{Claims, Principal};
use crate::keys::{KeyFault, PublicKey, pem_blocks};

/// A token could not be signed.
#[derive(Debug, Error)]
#[error("the token could not be signed")]
pub struct SignFault(#[source] jsonwebtoken::errors::Error);

/// Mints RS256 access tokens with one private key; `Debug` shows the key's id only.
#[derive(Clone)]
pub struct TokenSigner {
    key: EncodingKey,
    public: PublicKey,
    issuer: String,
    audience: String,
}

impl TokenSigner {
    /// A signer with the private key of a PEM text (PKCS#8 or PKCS#1), for tokens of that issuer and audience.
    pub fn try_new(private_pem: &str, issuer: &str, audience: &str) -> Result<Self, KeyFault> {
        let not_rsa = || KeyFault::NotRsa {
            index: 1,
            wanted: "private",
        };
        let blocks = pem_blocks(private_pem)?;
        let Some(block) = blocks.first().filter(|block| block.contains("PRIVATE KEY")) else {
            return Err(not_rsa());
        };
        let key = EncodingKey::from_rsa_pem(block.as_bytes()).map_err(|_| not_rsa())?;
        let jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).map_err(|_| not_rsa())?;
        let public = PublicKey::from_jwk(jwk, 1, not_rsa())?;
        Ok(Self {
            key,
            public,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
        })
    }

    /// The public half, to be trusted by whoever verifies.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// A token for that caller, good from `now` for `lifetime`; `token_id` becomes `jti`.
    pub fn mint(
        &self,
        principal: &Principal,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
        token_id: Uuid,
    ) -> Result<String, SignFault> {
        self.sign(&Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: principal.account_id,
            role: principal.role,
            patient_id: principal.patient_id,
            practitioner_id: principal.practitioner_id,
            exp: now.timestamp().saturating_add(lifetime.num_seconds()),
            iat: now.timestamp(),
            jti: token_id,
        })
    }

    pub(crate) fn sign(&self, claims: &Claims) -> Result<String, SignFault> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.public.kid().to_owned());
        encode(&header, claims, &self.key).map_err(SignFault)
    }
}

impl fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSigner")
            .field("kid", &self.public.kid())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{KeySize, generate};

    #[test]
    fn a_public_key_cannot_sign() {
        let pair = generate(KeySize::Rsa2048).unwrap();
        let fault = TokenSigner::try_new(pair.public_pem(), "i", "a").unwrap_err();
        assert_eq!(
            fault,
            KeyFault::NotRsa {
                index: 1,
                wanted: "private"
            }
        );
    }

    #[test]
    fn debug_shows_no_key() {
        let pair = generate(KeySize::Rsa2048).unwrap();
        let signer = TokenSigner::try_new(pair.private_pem(), "i", "a").unwrap();
        let shown = format!("{signer:?}");
        assert_eq!(
            shown,
            format!("TokenSigner {{ kid: {:?}, .. }}", signer.public_key().kid())
        );
    }
}
