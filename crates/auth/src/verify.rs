//! Is this access token ours, unaltered, meant for us and still good?

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode};
use serde::Deserialize;
use thiserror::Error;

use crate::claims::{Claims, Principal};
use crate::keys::PublicKeys;

/// How far the clocks of two of our machines may differ, seconds.
pub const LEEWAY_SECONDS: i64 = 5;

/// Longest token looked at, bytes; ours have under 1,000.
pub const TOKEN_BYTES_MAX: usize = 4096;

/// Why a token is refused. For logs and counters only: a caller learns that it was refused and no more, so that
/// nothing tells a forger how near they came.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TokenFault {
    /// More than [`TOKEN_BYTES_MAX`] bytes.
    #[error("the token is too long")]
    TooLong,
    /// Not three base64url parts of JSON.
    #[error("the token is malformed")]
    Malformed,
    /// Any algorithm but RS256, `none` among them.
    #[error("the token's algorithm is not RS256")]
    Algorithm,
    /// The header names no key.
    #[error("the token names no key")]
    NoKeyId,
    /// The header names a key that is not trusted.
    #[error("the token's key is unknown")]
    UnknownKey,
    /// The signature is not that key's over this token.
    #[error("the token's signature is wrong")]
    Signature,
    /// Another issuer, or none.
    #[error("the token is of another issuer")]
    Issuer,
    /// Another audience, or none.
    #[error("the token is meant for another audience")]
    Audience,
    /// `exp` has come.
    #[error("the token has expired")]
    Expired,
    /// `iat` lies ahead.
    #[error("the token was issued in the future")]
    IssuedAhead,
    /// A member is missing, of a wrong type, or does not fit the role.
    #[error("the token's claims are incomplete")]
    Claims,
}

impl TokenFault {
    /// A short code for logs and metrics.
    pub fn reason(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::NoKeyId => "no-key-id",
            Self::UnknownKey => "unknown-key",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::IssuedAhead => "issued-ahead",
            Self::Claims => "claims",
        }
    }
}

/// Verifies RS256 access tokens of one issuer and audience against the trusted keys.
#[derive(Clone, Debug)]
pub struct TokenVerifier {
    keys: PublicKeys,
    validation: Validation,
}

impl TokenVerifier {
    /// A verifier that trusts these keys, for tokens of that issuer and audience.
    pub fn new(keys: PublicKeys, issuer: &str, audience: &str) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        // The library reads the system's clock; ours is a parameter, so times are judged below.
        validation.validate_exp = false;
        Self { keys, validation }
    }

    /// The keys trusted, as served at `/.well-known/jwks.json`.
    pub fn keys(&self) -> &PublicKeys {
        &self.keys
    }

    /// The caller this token names, judged at `now`.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Principal, TokenFault> {
        self.open(token)?.judged_at(now)
    }

    /// What a token of ours says, whenever it is or was good. That costs a signature's verification; the answer may be
    /// kept, and is to be judged at each use.
    pub fn open(&self, token: &str) -> Result<OpenedToken, TokenFault> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenFault::TooLong);
        }
        let header = JoseHeader::parse(token)?;
        if header.alg != "RS256" {
            return Err(TokenFault::Algorithm);
        }
        let kid = header.kid.ok_or(TokenFault::NoKeyId)?;
        let key = self.keys.find(&kid).ok_or(TokenFault::UnknownKey)?;
        let claims = decode::<Claims>(token, key.decoding(), &self.validation)
            .map_err(|error| fault_of(error.kind()))?
            .claims;
        Ok(OpenedToken {
            principal: Principal::from_claims(&claims),
            issued_at: claims.iat,
            expires_at: claims.exp,
        })
    }
}

/// A token that is ours, unaltered and meant for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedToken {
    principal: Option<Principal>,
    issued_at: i64,
    expires_at: i64,
}

impl OpenedToken {
    /// The caller it names, if it is good at `now`.
    pub fn judged_at(&self, now: DateTime<Utc>) -> Result<Principal, TokenFault> {
        let now = now.timestamp();
        if now >= self.expires_at.saturating_add(LEEWAY_SECONDS) {
            return Err(TokenFault::Expired);
        }
        if self.issued_at > now.saturating_add(LEEWAY_SECONDS) {
            return Err(TokenFault::IssuedAhead);
        }
        self.principal.ok_or(TokenFault::Claims)
    }
}

/// The header, read by hand: the library knows no algorithm `none` and would call such a token malformed.
#[derive(Deserialize)]
struct JoseHeader {
    alg: String,
    kid: Option<String>,
}

impl JoseHeader {
    fn parse(token: &str) -> Result<Self, TokenFault> {
        let mut parts = token.split('.');
        let (Some(header), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenFault::Malformed);
        };
        let bytes = URL_SAFE_NO_PAD
            .decode(header)
            .map_err(|_| TokenFault::Malformed)?;
        serde_json::from_slice(&bytes).map_err(|_| TokenFault::Malformed)
    }
}

fn fault_of(kind: &ErrorKind) -> TokenFault {
    match kind {
        ErrorKind::InvalidSignature => TokenFault::Signature,
        ErrorKind::InvalidIssuer => TokenFault::Issuer,
        ErrorKind::InvalidAudience => TokenFault::Audience,
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => TokenFault::Algorithm,
        ErrorKind::MissingRequiredClaim(name) if name == "iss" => TokenFault::Issuer,
        ErrorKind::MissingRequiredClaim(name) if name == "aud" => TokenFault::Audience,
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) | ErrorKind::Json(_) => {
            TokenFault::Claims
        }
        // The library's enum, not ours: whatever else it finds wrong is a token that cannot be read.
        _ => TokenFault::Malformed,
    }
}

#[cfg(test)]
mod tests;
