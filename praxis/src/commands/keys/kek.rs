//! `praxis keys add-kek` and `promote-kek`: the key-encryption key rotates in two steps, so that nobody seals with a key
//! that another replica does not know yet.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use praxis_runtime::config::setting::SettingValue as _;
use praxis_runtime::config::values::{KEYS_MAX, KeyRing};
use uuid::Uuid;

use crate::keys::files::{self, Readers};
use crate::keys::made;
use crate::out;

/// Appends a new key to the ring of a file.
///
/// # Errors
/// When the file is no ring, or cannot be replaced.
pub fn add(file: &Path) -> Result<()> {
    let mut entries = entries(file)?;
    ensure!(
        entries.len() < KEYS_MAX,
        "{} holds {KEYS_MAX} keys, the most there may be",
        file.display()
    );
    let (id, entry) = made::kek()?;
    entries.push((id, entry));
    write(file, &entries)?;
    out::line(&format!(
        "{id} is in the ring. When every program has been started with it: praxis keys promote-kek {} {id}",
        file.display()
    ))
}

/// Puts a key of the ring first: new data keys are wrapped with it. The others stay, for those wrapped before.
///
/// # Errors
/// When the file is no ring or does not hold that key, or cannot be replaced.
pub fn promote(file: &Path, id: Uuid) -> Result<()> {
    let mut entries = entries(file)?;
    let held = entries.iter().position(|(known, _)| *known == id);
    let at = held.with_context(|| format!("{} holds no key {id}", file.display()))?;
    if at == 0 {
        return out::line(&format!("{id} is the current key already"));
    }
    let promoted = entries.remove(at);
    entries.insert(0, promoted);
    write(file, &entries)?;
    out::line(&format!(
        "{id} is the current key; {} older stay in the ring",
        entries.len() - 1
    ))
}

/// The keys of a file, as they are written there.
fn entries(file: &Path) -> Result<Vec<(Uuid, String)>> {
    let text = files::read(file)?.with_context(|| format!("there is no {}", file.display()))?;
    let ring = KeyRing::<Uuid>::parse(&text).map_err(|fault| anyhow!("{} {fault}", file.display()))?;
    let written = text.split(',').map(|entry| entry.trim().to_owned());
    Ok(ring.keys().iter().map(|(id, _)| *id).zip(written).collect())
}

fn write(file: &Path, entries: &[(Uuid, String)]) -> Result<()> {
    let texts: Vec<&str> = entries.iter().map(|(_, text)| text.as_str()).collect();
    files::replace(file, &texts.join(","), Readers::Owner)
}
