//! How is a new signing key made?

use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::keys::{KeyFault, pem_blocks};

/// How long a new RSA key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySize {
    /// 2048 bits: quick, good for tokens that live for minutes.
    Rsa2048,
    /// 4096 bits: slower to sign and verify, for keys that stay for years.
    Rsa4096,
}

/// A new key pair in PEM form; `Debug` shows the public half only.
#[derive(Clone)]
pub struct PemPair {
    private: String,
    public: String,
}

impl PemPair {
    /// The private key, PKCS#8 (`PRIVATE KEY`).
    pub fn private_pem(&self) -> &str {
        &self.private
    }

    /// The public key, X.509 `SubjectPublicKeyInfo` (`PUBLIC KEY`).
    pub fn public_pem(&self) -> &str {
        &self.public
    }
}

impl fmt::Debug for PemPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PemPair")
            .field("private", &"(secret)")
            .field("public", &self.public)
            .finish()
    }
}

/// A new RSA key pair from the operating system's randomness; [`KeyFault::Generation`] if that fails.
pub fn generate(size: KeySize) -> Result<PemPair, KeyFault> {
    let size = match size {
        KeySize::Rsa2048 => rsa::KeySize::Rsa2048,
        KeySize::Rsa4096 => rsa::KeySize::Rsa4096,
    };
    let pair = rsa::KeyPair::generate(size).map_err(|_| KeyFault::Generation)?;
    let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyFault::Generation)?;
    Ok(PemPair {
        private: pem("PRIVATE KEY", private.as_ref()),
        public: public_pem(&pair)?,
    })
}

/// The public half (`PUBLIC KEY`) of a private key that was kept, in PEM form (PKCS#8).
pub fn public_pem_of(private_pem: &str) -> Result<String, KeyFault> {
    let not_rsa = || KeyFault::NotRsa {
        index: 1,
        wanted: "private",
    };
    let blocks = pem_blocks(private_pem)?;
    let lines = blocks.first().ok_or_else(not_rsa)?.lines();
    let encoded: String = lines.filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(encoded).map_err(|_| not_rsa())?;
    public_pem(&rsa::KeyPair::from_pkcs8(&der).map_err(|_| not_rsa())?)
}

fn public_pem(pair: &rsa::KeyPair) -> Result<String, KeyFault> {
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| KeyFault::Generation)?;
    Ok(pem("PUBLIC KEY", public.as_ref()))
}

/// Textual encoding of RFC 7468: base64 in lines of 64 characters between a BEGIN and an END line.
fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for (column, character) in encoded.chars().enumerate() {
        if column > 0 && column % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str("\n-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::PublicKeys;
    use crate::sign::TokenSigner;

    #[test]
    fn both_halves_of_a_new_pair_have_one_key_id() {
        for size in [KeySize::Rsa2048, KeySize::Rsa4096] {
            let pair = generate(size).unwrap();
            let public = PublicKeys::try_from_pem(pair.public_pem()).unwrap();
            let signer = TokenSigner::try_new(pair.private_pem(), "issuer", "audience").unwrap();
            assert_eq!(public.kids().collect::<Vec<_>>(), [signer.public_key().kid()]);
        }
    }

    #[test]
    fn the_public_half_of_a_kept_key_is_the_one_it_was_made_with() {
        let pair = generate(KeySize::Rsa2048).unwrap();
        assert_eq!(public_pem_of(pair.private_pem()).unwrap(), pair.public_pem());
        let not_private = KeyFault::NotRsa {
            index: 1,
            wanted: "private",
        };
        assert_eq!(public_pem_of(pair.public_pem()), Err(not_private));
        assert_eq!(public_pem_of("text"), Err(KeyFault::Empty));
    }

    #[test]
    fn debug_does_not_show_the_private_half() {
        let pair = generate(KeySize::Rsa2048).unwrap();
        let shown = format!("{pair:?}");
        assert!(
            !shown.contains("PRIVATE") && shown.contains("(secret)"),
            "{shown}"
        );
    }

    #[test]
    fn pem_lines_have_at_most_64_characters() {
        let pair = generate(KeySize::Rsa2048).unwrap();
        assert!(
            pair.private_pem()
                .lines()
                .all(|line| line.len() <= 64 && !line.is_empty())
        );
    }
}
