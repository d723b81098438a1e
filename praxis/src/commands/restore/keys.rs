//! Do the keys that are here open the restored log?

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use praxis_event_store::record::keys::KekRing;
use praxis_event_store::record::random::OsRandom;
use praxis_event_store::vault::Vault;
use praxis_events::ids::LogId;
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::SettingValue as _;
use praxis_runtime::config::settings;
use praxis_runtime::config::values::KeyRing;
use praxis_runtime::ids;
use uuid::Uuid;

use crate::commands::audit::opened::OpenedLog;
use crate::keys::directory_for;
use crate::out;

/// Says so. That they do not is no obstacle: they may be put back later, and everything but serving needs none.
///
/// # Errors
/// When it cannot be written.
pub async fn tell(config: &Config, log: &OpenedLog, log_id: LogId) -> Result<()> {
    let given = config.get(&settings::KEK);
    let Some(ring) = given.or_else(|| log.data.as_deref().and_then(beside)) else {
        return out::line(
            "keys: none here; without the key-encryption key of the log nothing personal in it can be read",
        );
    };
    let vault = KekRing::of(ring.keys()).map(|keks| {
        let reader = Arc::clone(&log.reader);
        Vault::new(log_id, reader, keks, Arc::new(OsRandom), ids::new_id)
    });
    let checked = match vault {
        Ok(vault) => vault.check_keys().await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match checked {
        Ok(()) => out::line("keys: those here wrap the keys of the log's first and latest persons"),
        Err(why) => out::line(&format!(
            "keys: those here do not open the log ({why}): put back the key-encryption key of its time"
        )),
    }
}

/// What `praxis serve` would find beside the data directory.
fn beside(data: &Path) -> Option<KeyRing<Uuid>> {
    let text = std::fs::read_to_string(directory_for(data).join("kek")).ok()?;
    KeyRing::parse(text.trim()).ok()
}
