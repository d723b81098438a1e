//! How is the text of each kind of setting read? No message quotes the text: it may be a secret.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

use super::setting::SettingValue;

/// Shown instead of a secret.
pub const REDACTED: &str = "(secret)";

/// Most keys of a ring.
pub const KEYS_MAX: usize = 64;

impl SettingValue for SocketAddr {
    const KIND: &'static str = "address (IP:port)";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|_| "must be an IP address and a port, as 127.0.0.1:8080".to_owned())
    }
}

impl SettingValue for PathBuf {
    const KIND: &'static str = "path";

    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }
}

impl SettingValue for String {
    const KIND: &'static str = "text";

    fn parse(text: &str) -> Result<Self, String> {
        if text.chars().any(char::is_control) {
            return Err("must not contain control characters".to_owned());
        }
        Ok(text.to_owned())
    }
}

impl SettingValue for u32 {
    const KIND: &'static str = "number";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "must be a whole number".to_owned())
    }
}

impl SettingValue for usize {
    const KIND: &'static str = "number";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "must be a whole number".to_owned())
    }
}

impl SettingValue for Duration {
    const KIND: &'static str = "duration (as 500ms, 30s, 5m)";

    fn parse(text: &str) -> Result<Self, String> {
        let fault = || "must be a whole number with ms, s or m, as 30s".to_owned();
        let unit_at = text
            .find(|character: char| !character.is_ascii_digit())
            .ok_or_else(fault)?;
        let (digits, unit) = text.split_at(unit_at);
        let number: u64 = digits.parse().map_err(|_| fault())?;
        match unit {
            "ms" => Ok(Self::from_millis(number)),
            "s" => Ok(Self::from_secs(number)),
            "m" => number.checked_mul(60).map(Self::from_secs).ok_or_else(fault),
            _ => Err(fault()),
        }
    }
}

/// The address of a MySQL schema, with its password; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The address as given, password and all.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The same, asking for the server's certificate and name to be verified by these certificates. They are in the URL
    /// itself, whose last word on a parameter counts: whatever is done with it, nobody connects by it without.
    #[must_use]
    pub fn verified_by(&self, certificates: &CertificatesPem) -> Self {
        let separator = if self.0.contains('?') { '&' } else { '?' };
        let certificates = utf8_percent_encode(certificates.blocks(), NON_ALPHANUMERIC);
        Self(format!(
            "{}{separator}ssl-mode=VERIFY_IDENTITY&ssl-ca-pem={certificates}",
            self.0
        ))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl SettingValue for DatabaseUrl {
    const KIND: &'static str = "URL (mysql://user:password@host:port/schema)";
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        let fault = || "must be mysql://user:password@host:port/schema".to_owned();
        let rest = text.strip_prefix("mysql://").ok_or_else(fault)?;
        let (authority, schema) = rest.split_once('/').ok_or_else(fault)?;
        let host = authority.rsplit('@').next().unwrap_or_default();
        let schema = schema.split('?').next().unwrap_or_default();
        if host.is_empty() || schema.is_empty() || text.contains(char::is_whitespace) {
            return Err(fault());
        }
        // What follows it would be no part of the address, TLS's parameters among it.
        if text.contains('#') {
            return Err("must not contain #; in a password it is %23".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

/// Kafka bootstrap servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brokers(pub String);

impl SettingValue for Brokers {
    const KIND: &'static str = "addresses (host:port, separated by commas)";

    fn parse(text: &str) -> Result<Self, String> {
        let good = |broker: &str| {
            let (host, port) = broker.rsplit_once(':').unwrap_or_default();
            !host.is_empty() && !host.contains(char::is_whitespace) && port.parse::<u16>().is_ok()
        };
        if !text.split(',').all(good) {
            return Err("must be host:port, several separated by commas".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

/// How brokers are spoken to, as librdkafka calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaSecurity(pub String);

impl SettingValue for KafkaSecurity {
    const KIND: &'static str = "plaintext, ssl, sasl_plaintext or sasl_ssl";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(
            text,
            Self::KIND,
            &["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"],
        )
        .map(Self)
    }
}

/// How a name is proved to brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaslMechanism(pub String);

impl SettingValue for SaslMechanism {
    const KIND: &'static str = "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, Self::KIND, &["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]).map(Self)
    }
}

fn one_of(text: &str, kind: &str, known: &[&str]) -> Result<String, String> {
    if known.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!("must be {kind}"))
    }
}

/// A password; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl SettingValue for SecretText {
    const KIND: &'static str = "text";
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        String::parse(text).map(Self)
    }
}

/// Certificates, a bundle of PEM blocks. Not secret, but long, and at home in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificatesPem(pub String);

const CERTIFICATE_BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const CERTIFICATE_END: &str = "-----END CERTIFICATE-----";

impl CertificatesPem {
    /// From where the first begins to where the last ends: people write words before and after.
    fn blocks(&self) -> &str {
        let begin = self.0.find(CERTIFICATE_BEGIN).unwrap_or_default();
        let end = self.0.rfind(CERTIFICATE_END);
        let end = end.map_or(self.0.len(), |at| at + CERTIFICATE_END.len());
        self.0.get(begin..end).unwrap_or_default()
    }
}

impl SettingValue for CertificatesPem {
    const KIND: &'static str = "PEM (one or several certificates)";
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        if text.contains("PRIVATE KEY-----") {
            return Err("holds a private key".to_owned());
        }
        let blocks = || text.split(CERTIFICATE_BEGIN).skip(1);
        let is_whole = |block: &str| {
            let (body, _) = block.split_once(CERTIFICATE_END)?;
            let body: String = body.split_whitespace().collect();
            STANDARD.decode(body).ok().filter(|der| !der.is_empty())
        };
        if blocks().next().is_none() || blocks().any(|block| is_whole(block).is_none()) {
            return Err("holds no certificate in PEM form, or one that is cut short".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

/// What keys of a ring are told apart by.
pub trait KeyId: FromStr + PartialEq + fmt::Display {
    /// The kind of setting a ring of such keys is, as the reference page names it.
    const RING_KIND: &'static str;
    /// What an id must be, to be read after "the id of key 1".
    const MUST: &'static str;
}

/// Key-encryption keys: the id is stored with every data key wrapped.
impl KeyId for Uuid {
    const RING_KIND: &'static str = "keys (UUID:base64 of 32 bytes, separated by commas)";
    const MUST: &'static str = "must be a UUID";
}

/// Claims keys: the id is the first byte of every tag.
impl KeyId for NonZeroU8 {
    const RING_KIND: &'static str = "keys (number:base64 of 32 bytes, separated by commas)";
    const MUST: &'static str = "must be a number from 1 to 255";
}

/// Symmetric keys with ids, the current one first; `Debug` shows the ids only.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRing<I>(Vec<(I, [u8; 32])>);

impl<I> KeyRing<I> {
    /// The keys with their ids, the current one first; never empty.
    pub fn keys(&self) -> &[(I, [u8; 32])] {
        &self.0
    }
}

impl<I: KeyId> fmt::Debug for KeyRing<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(id, _)| format!("{id}:{REDACTED}")))
            .finish()
    }
}

impl<I: KeyId> SettingValue for KeyRing<I> {
    const KIND: &'static str = I::RING_KIND;
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        let mut keys: Vec<(I, [u8; 32])> = Vec::new();
        for (entry, index) in text.split(',').map(str::trim).zip(1..) {
            if index > KEYS_MAX {
                return Err(format!("holds more than {KEYS_MAX} keys"));
            }
            let (id, key) = key::<I>(entry, index)?;
            if keys.iter().any(|(present, _)| *present == id) {
                return Err(format!("key {index} has the id of an earlier one"));
            }
            keys.push((id, key));
        }
        Ok(Self(keys))
    }
}

/// One key of a ring; `index`, from 1, names it in faults.
fn key<I: KeyId>(entry: &str, index: usize) -> Result<(I, [u8; 32]), String> {
    let (id, encoded) = entry
        .split_once(':')
        .ok_or_else(|| format!("key {index} is not of the form id:base64"))?;
    let id = id
        .parse()
        .map_err(|_| format!("the id of key {index} {}", I::MUST))?;
    let bytes = STANDARD
        .decode(encoded)
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    Ok((
        id,
        bytes.ok_or_else(|| format!("key {index} is not the base64 of 32 bytes"))?,
    ))
}

/// RSA public keys, a bundle of PEM blocks. Not secret, but long, and at home in a file.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKeysPem(pub String);

impl fmt::Debug for PublicKeysPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(public keys)")
    }
}

impl SettingValue for PublicKeysPem {
    const KIND: &'static str = "PEM (one or several public keys)";
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        if text.contains("PRIVATE KEY-----") {
            return Err("holds a private key".to_owned());
        }
        pem(text).map(Self)
    }
}

/// An RSA private key in PEM form; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKeyPem(String);

impl PrivateKeyPem {
    /// The key.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateKeyPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl SettingValue for PrivateKeyPem {
    const KIND: &'static str = "PEM (a private key)";
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        if !text.contains("PRIVATE KEY-----") {
            return Err("holds no private key in PEM form".to_owned());
        }
        pem(text).map(Self)
    }
}

fn pem(text: &str) -> Result<String, String> {
    if text.contains("-----BEGIN ") && text.contains("-----END ") {
        Ok(text.to_owned())
    } else {
        Err("holds no key in PEM form".to_owned())
    }
}

/// Which log lines are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(pub String);

impl SettingValue for LogFilter {
    const KIND: &'static str = "log filter (as info,praxis=debug)";

    fn parse(text: &str) -> Result<Self, String> {
        EnvFilter::try_new(text).map_err(|_| "must be levels or target=level pairs, as info".to_owned())?;
        Ok(Self(text.to_owned()))
    }
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl SettingValue for LogFormat {
    const KIND: &'static str = "json or text";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err("must be json or text".to_owned()),
        }
    }
}

/// The base address of an OpenTelemetry collector, without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorUrl(pub String);

impl SettingValue for CollectorUrl {
    const KIND: &'static str = "URL (http://host:port)";

    fn parse(text: &str) -> Result<Self, String> {
        let fault = || "must be http://host:port without user, query or fragment".to_owned();
        if text.starts_with("https://") {
            // No TLS stack is linked for traces alone: a collector runs beside the process, as an agent.
            return Err(
                "must be http://: send traces to a collector on this host or in this cluster".to_owned(),
            );
        }
        let uri: Uri = text.parse().map_err(|_| fault())?;
        let authority = uri
            .authority()
            .filter(|authority| !authority.as_str().contains('@'));
        if uri.scheme_str() != Some("http") || authority.is_none() || uri.query().is_some() {
            return Err(fault());
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

#[cfg(test)]
mod tests;
