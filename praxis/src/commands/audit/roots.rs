//! Which roots were kept outside: those typed, and those in files.

use std::fs::File;
use std::io::{BufRead as _, BufReader};

use anyhow::{Context as _, Result, ensure};
use praxis_event_store::audit::Expected;

use crate::cli::log::Roots;

/// All of them. A file without one is a mistake: it would be taken for a comparison.
///
/// # Errors
/// When a file cannot be read, or has no root.
pub fn read(roots: &Roots) -> Result<Vec<Expected>> {
    let mut all = roots.expect.clone();
    for path in &roots.expect_from {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let before = all.len();
        for line in BufReader::new(file).split(b'\n') {
            let line = line.with_context(|| format!("cannot read {}", path.display()))?;
            all.extend(String::from_utf8_lossy(&line).parse::<Expected>());
        }
        ensure!(all.len() > before, "{} has no root", path.display());
    }
    Ok(all)
}
