//! How results reach standard output: the one place that writes there.

use std::io::{self, Write as _};

use anyhow::Result;

/// Writes a line. A reader that went away (`| head`) ends the output without an error.
///
/// # Errors
/// When standard output cannot be written to.
pub fn line(text: &str) -> Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a document, indented.
///
/// # Errors
/// When standard output cannot be written to.
pub fn json(document: &serde_json::Value) -> Result<()> {
    line(&serde_json::to_string_pretty(document)?)
}
