//! A keep-alive HTTP/1.1 connection that costs little: the load generator shares its two cores with what it measures.
//!
//! It understands what our servers answer (a `Content-Length`, no chunks) and fails on anything else.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest answer read, bytes.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One connection, with one request under way at most.
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer, valid until the next request.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The status.
    pub status: u16,
    /// What follows the head.
    pub body: &'a [u8],
}

impl Reply<'_> {
    /// The document.
    pub fn document(&self) -> Result<Value> {
        Ok(serde_json::from_slice(self.body)?)
    }

    /// Whether the request did what it asked for.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The answer if it is a success; else an error that shows it.
    pub fn require_success(self) -> Result<Self> {
        ensure!(
            self.is_success(),
            "answered {}: {}",
            self.status,
            String::from_utf8_lossy(self.body)
        );
        Ok(self)
    }
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(16 * 1024),
        })
    }

    /// Sends the bytes of a whole request and reads the whole answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Reply<'_>> {
        self.received.clear();
        self.stream.write_all(request).await?;
        let (head_len, head) = loop {
            self.read_more().await?;
            if let Some(at) = find(&self.received, b"\r\n\r\n") {
                break (at + 4, Head::parse(&self.received[..at])?);
            }
        };
        while self.received.len() < head_len + head.body_len {
            self.read_more().await?;
        }
        Ok(Reply {
            status: head.status,
            body: &self.received[head_len..],
        })
    }

    async fn read_more(&mut self) -> Result<()> {
        ensure!(
            self.received.len() <= ANSWER_BYTES_MAX,
            "the server's answer is too large"
        );
        ensure!(
            self.stream.read_buf(&mut self.received).await? > 0,
            "the server closed the connection"
        );
        Ok(())
    }
}

struct Head {
    status: u16,
    body_len: usize,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes)?;
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first.get(9..12).context("no status line")?.parse()?;
        for line in lines {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                return Ok(Self {
                    status,
                    body_len: value.trim().parse()?,
                });
            }
        }
        bail!("an answer without a length: {text}")
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// A `GET` with a token.
pub fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// A `POST` of a JSON text with a token and an idempotency key.
pub fn post(path: &str, token: &str, key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\nidempotency-key: {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A `GET` of state at least as new as a position.
pub fn get_at(path: &str, token: &str, position: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\npraxis-min-position: {position}\r\n\r\n"
    )
    .into_bytes()
}
