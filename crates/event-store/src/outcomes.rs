//! For how long is it remembered what a command was answered, and who forgets it after that?
//!
//! A retry within that time gets its first answer; after it the key is as good as new. The table has no index by time, as
//! every append would pay for it: a pass walks it by key, in small pages, and holds the head only while it deletes.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::port::{LogReader, StoreError};

/// How long outcomes are kept: 30 days, in microseconds of the log's time.
pub const OUTCOMES_KEPT_MICROS: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// How often a pass begins.
const PASS_PERIOD: Duration = Duration::from_hours(1);

/// Outcomes looked through at a time, so also the most that one transaction deletes.
const PAGE_LEN: u32 = 1_000;

/// Between two pages appends have the store to themselves.
const PAGE_PAUSE: Duration = Duration::from_millis(50);

/// What became of one page of outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutcomePage {
    /// The last key looked at; `None` at the end of the table.
    pub last_key: Option<[u8; 32]>,
    /// How many were forgotten.
    pub forgotten: u64,
}

/// A store that can forget what commands were answered.
#[async_trait]
pub trait OutcomeStore: Send + Sync {
    /// Looks through at most `limit` outcomes in the order of their keys, from the first key after `after_key`, and
    /// forgets those recorded before `before_micros`. What is to go goes under the head lock, like every change of
    /// outcomes: an append that finds a key kept, or not, can rely on it until its commit.
    async fn forget_outcomes(
        &self,
        after_key: [u8; 32],
        limit: u32,
        before_micros: i64,
    ) -> Result<OutcomePage, StoreError>;
}

/// Forgets every outcome recorded before that instant (microseconds UTC); answers how many.
///
/// # Errors
/// [`StoreError`]; what was forgotten until then stays so.
pub async fn forget_before(store: &dyn OutcomeStore, before_micros: i64) -> Result<u64, StoreError> {
    // Keys are SHA-256 hashes: none is all zeros, so nothing is left out.
    let mut after_key = [0; 32];
    let mut forgotten = 0;
    loop {
        let page = store.forget_outcomes(after_key, PAGE_LEN, before_micros).await?;
        forgotten += page.forgotten;
        match page.last_key {
            Some(last_key) => after_key = last_key,
            None => return Ok(forgotten),
        }
        tokio::time::sleep(PAGE_PAUSE).await;
    }
}

/// Forgets what is older than [`OUTCOMES_KEPT_MICROS`] by the log's time, every hour, until `stop` resolves. Several
/// processes may do so at once.
pub async fn keep_forgetting(
    reader: Arc<dyn LogReader>,
    store: Arc<dyn OutcomeStore>,
    stop: impl Future<Output = ()> + Send,
) {
    let passes = async {
        loop {
            match pass(reader.as_ref(), store.as_ref()).await {
                Ok(forgotten) => {
                    metrics::counter!("praxis_command_outcomes_forgotten_total").increment(forgotten);
                }
                Err(error) => {
                    tracing::warn!(error = %error, "old outcomes of commands are not forgotten yet");
                }
            }
            tokio::time::sleep(PASS_PERIOD).await;
        }
    };
    tokio::select! {
        () = passes => {}
        () = stop => {}
    }
}

/// By the log's own time, which no process's clock can put forward: a log that rests forgets nothing.
async fn pass(reader: &dyn LogReader, store: &dyn OutcomeStore) -> Result<u64, StoreError> {
    let recorded_at = reader.head().await?.recorded_at;
    forget_before(store, recorded_at.saturating_sub(OUTCOMES_KEPT_MICROS)).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;

    /// When each outcome was recorded, by key.
    struct Kept(Mutex<BTreeMap<[u8; 32], i64>>);

    #[async_trait]
    impl OutcomeStore for Kept {
        async fn forget_outcomes(
            &self,
            after_key: [u8; 32],
            limit: u32,
            before_micros: i64,
        ) -> Result<OutcomePage, StoreError> {
            let mut kept = self.0.lock().unwrap();
            let limit = usize::try_from(limit).unwrap();
            let later = kept.keys().copied().filter(|key| *key > after_key);
            let page: Vec<[u8; 32]> = later.take(limit).collect();
            let before = kept.len();
            kept.retain(|key, recorded_at| !page.contains(key) || *recorded_at >= before_micros);
            Ok(OutcomePage {
                last_key: page.last().copied(),
                forgotten: u64::try_from(before - kept.len()).unwrap(),
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pass_walks_every_page_and_forgets_what_is_older() {
        let key = |n: u16| {
            let mut key = [7; 32];
            key[..2].copy_from_slice(&n.to_be_bytes());
            key
        };
        let all = (1..=2_500).map(|n| (key(n), i64::from(n % 10)));
        let store = Kept(Mutex::new(all.collect()));
        assert_eq!(forget_before(&store, 4).await.unwrap(), 1_000);
        let left = store.0.into_inner().unwrap();
        assert_eq!(left.len(), 1_500);
        assert!(left.values().all(|recorded_at| *recorded_at >= 4));
    }
}
