//! Which public keys are trusted, under which ids, and how does the world learn of them?

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use serde::Serialize;
use thiserror::Error;

use crate::RSA_BITS_MIN;

/// Most keys a bundle may hold: a rotation needs two, a muddle needs more.
pub const KEYS_MAX: usize = 16;

/// Why a key or a bundle of keys cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KeyFault {
    /// No `-----BEGIN …-----` block was found.
    #[error("no key in PEM form found")]
    Empty,
    /// A block has no end line.
    #[error("key {index} of the bundle has no end line")]
    Unfinished {
        /// Which block, counted from 1.
        index: usize,
    },
    /// A block is not an RSA key of the kind wanted.
    #[error("key {index} of the bundle is not an RSA {wanted} key")]
    NotRsa {
        /// Which block, counted from 1.
        index: usize,
        /// `public` or `private`.
        wanted: &'static str,
    },
    /// The modulus is too short.
    #[error("key {index} of the bundle has {bits} bits, fewer than {RSA_BITS_MIN}")]
    TooShort {
        /// Which block, counted from 1.
        index: usize,
        /// How many it has.
        bits: usize,
    },
    /// More blocks than [`KEYS_MAX`].
    #[error("more than {KEYS_MAX} keys in the bundle")]
    TooMany,
    /// A key could not be generated.
    #[error("the key could not be generated")]
    Generation,
}

/// One RSA public key and the id tokens name it by.
#[derive(Clone, Debug)]
pub struct PublicKey {
    kid: String,
    modulus: String,
    exponent: String,
    decoding: DecodingKey,
}

impl PublicKey {
    /// The key's id: its RFC 7638 thumbprint, so that every process derives the same one from the key alone.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    /// The key in one PEM block (`PUBLIC KEY` or `RSA PUBLIC KEY`).
    pub(crate) fn from_pem_block(block: &str, index: usize) -> Result<Self, KeyFault> {
        let not_rsa = KeyFault::NotRsa {
            index,
            wanted: "public",
        };
        if block.contains("PRIVATE KEY") {
            return Err(not_rsa);
        }
        let Ok(decoding) = DecodingKey::from_rsa_pem(block.as_bytes()) else {
            return Err(not_rsa);
        };
        let Ok(jwk) = Jwk::from_decoding_key(&decoding, None) else {
            return Err(not_rsa);
        };
        Self::from_jwk(jwk, index, not_rsa)
    }

    /// The public half described by a JWK; a JWK of another kind is `not_rsa`.
    pub(crate) fn from_jwk(jwk: Jwk, index: usize, not_rsa: KeyFault) -> Result<Self, KeyFault> {
        let AlgorithmParameters::RSA(rsa) = jwk.algorithm else {
            return Err(not_rsa);
        };
        let Ok(decoding) = DecodingKey::from_rsa_components(&rsa.n, &rsa.e) else {
            return Err(not_rsa);
        };
        let bits = URL_SAFE_NO_PAD
            .decode(&rsa.n)
            .map_or(0, |modulus| modulus_bits(&modulus));
        if bits < RSA_BITS_MIN {
            return Err(KeyFault::TooShort { index, bits });
        }
        Ok(Self {
            kid: thumbprint(&rsa.n, &rsa.e),
            modulus: rsa.n,
            exponent: rsa.e,
            decoding,
        })
    }
}

fn modulus_bits(modulus: &[u8]) -> usize {
    let significant = modulus.iter().skip_while(|byte| **byte == 0);
    significant.count() * 8
}

/// The thumbprint of an RSA public key by RFC 7638: base64url of the SHA-256 of its required members, in order.
fn thumbprint(modulus: &str, exponent: &str) -> String {
    let members = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()))
}

/// Every public key a process trusts; several during a rotation.
#[derive(Clone, Debug)]
pub struct PublicKeys(Vec<PublicKey>);

impl PublicKeys {
    /// The keys of a PEM bundle: any number of blocks, one after the other, other text between them ignored.
    pub fn try_from_pem(bundle: &str) -> Result<Self, KeyFault> {
        let blocks = pem_blocks(bundle)?;
        let keys = blocks
            .iter()
            .zip(1..)
            .map(|(block, index)| PublicKey::from_pem_block(block, index));
        keys.collect::<Result<Vec<_>, _>>().map(Self)
    }

    /// Trust in one key alone, as of a process that mints its own tokens.
    pub fn of(key: PublicKey) -> Self {
        Self(vec![key])
    }

    /// These keys and another's, as a process with a private key trusts its own tokens too.
    #[must_use]
    pub fn and(mut self, key: PublicKey) -> Self {
        if self.find(key.kid()).is_none() {
            self.0.push(key);
        }
        self
    }

    /// The key of that id.
    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.0.iter().find(|key| key.kid == kid)
    }

    /// The key ids, in the order given.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(PublicKey::kid)
    }

    /// The document served at `/.well-known/jwks.json` (RFC 7517 section 5).
    pub fn jwks(&self) -> Jwks {
        let keys = self.0.iter().map(|key| JwksKey {
            kty: "RSA",
            key_use: "sig",
            alg: "RS256",
            kid: key.kid.clone(),
            n: key.modulus.clone(),
            e: key.exponent.clone(),
        });
        Jwks { keys: keys.collect() }
    }
}

/// A JSON Web Key Set (RFC 7517 section 5) of public RSA keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The keys, in the order configured.
    pub keys: Vec<JwksKey>,
}

/// One public RSA key as RFC 7518 section 6.3.1 writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JwksKey {
    /// The key type, always `RSA`.
    pub kty: &'static str,
    /// What the key is for, always `sig`.
    #[serde(rename = "use")]
    pub key_use: &'static str,
    /// The algorithm, always `RS256`.
    pub alg: &'static str,
    /// The key's id, its RFC 7638 thumbprint.
    pub kid: String,
    /// The modulus, base64url.
    pub n: String,
    /// The exponent, base64url.
    pub e: String,
}

/// The PEM blocks of a bundle, each with its BEGIN and END line.
pub(crate) fn pem_blocks(bundle: &str) -> Result<Vec<String>, KeyFault> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in bundle.lines().map(str::trim) {
        if line.starts_with("-----BEGIN ") {
            if open.is_some() {
                return Err(KeyFault::Unfinished {
                    index: blocks.len() + 1,
                });
            }
            open = Some(String::new());
        }
        if let Some(block) = open.as_mut() {
            block.push_str(line);
            block.push('\n');
        }
        if line.starts_with("-----END ") {
            blocks.extend(open.take());
        }
    }
    match (open, blocks.len()) {
        (Some(_), count) => Err(KeyFault::Unfinished { index: count + 1 }),
        (None, 0) => Err(KeyFault::Empty),
        (None, count) if count > KEYS_MAX => Err(KeyFault::TooMany),
        (None, _) => Ok(blocks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{KeySize, generate};

    #[test]
    fn thumbprint_is_the_one_of_rfc_7638() {
        let modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRX\
                       jBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8\
                       KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xB\
                       niIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        assert_eq!(
            thumbprint(modulus, "AQAB"),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn a_bundle_holds_several_keys_and_the_jwks_lists_them() {
        let first = generate(KeySize::Rsa2048).unwrap();
        let second = generate(KeySize::Rsa2048).unwrap();
        let bundle = format!(
            "old key\n{}\nnew key\n{}",
            first.public_pem(),
            second.public_pem()
        );
        let keys = PublicKeys::try_from_pem(&bundle).unwrap();
        let jwks = keys.jwks();
        assert_eq!(
            keys.kids().collect::<Vec<_>>(),
            jwks.keys.iter().map(|key| &*key.kid).collect::<Vec<_>>()
        );
        assert_eq!(jwks.keys.len(), 2);
        let document = serde_json::to_value(&jwks).unwrap();
        assert_eq!(document["keys"][0]["use"], "sig");
        assert_eq!(document["keys"][0]["e"], "AQAB");
    }

    #[test]
    fn a_private_key_among_the_public_ones_is_refused() {
        let pair = generate(KeySize::Rsa2048).unwrap();
        let bundle = format!("{}{}", pair.public_pem(), pair.private_pem());
        let fault = PublicKeys::try_from_pem(&bundle).unwrap_err();
        assert_eq!(
            fault,
            KeyFault::NotRsa {
                index: 2,
                wanted: "public"
            }
        );
    }

    #[test]
    fn broken_bundles_are_named() {
        let pem = generate(KeySize::Rsa2048).unwrap().public_pem().to_owned();
        let cut = pem.replace("-----END PUBLIC KEY-----", "");
        let emptied = "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n";
        assert_eq!(PublicKeys::try_from_pem("").unwrap_err(), KeyFault::Empty);
        assert_eq!(
            PublicKeys::try_from_pem(&cut).unwrap_err(),
            KeyFault::Unfinished { index: 1 }
        );
        assert_eq!(
            PublicKeys::try_from_pem(emptied).unwrap_err(),
            KeyFault::NotRsa {
                index: 1,
                wanted: "public"
            }
        );
        assert_eq!(
            PublicKeys::try_from_pem(&pem.repeat(KEYS_MAX + 1)).unwrap_err(),
            KeyFault::TooMany
        );
        assert!(PublicKeys::try_from_pem(&pem.repeat(KEYS_MAX)).is_ok());
    }

    #[test]
    fn a_key_of_1024_bits_is_refused() {
        let modulus = URL_SAFE_NO_PAD.encode([0xAB_u8; 128]);
        let jwk = serde_json::json!({ "kty": "RSA", "n": modulus, "e": "AQAB" });
        let jwk: Jwk = serde_json::from_value(jwk).unwrap();
        let fault = PublicKey::from_jwk(jwk, 1, KeyFault::Empty).unwrap_err();
        assert_eq!(fault, KeyFault::TooShort { index: 1, bits: 1024 });
    }
}
