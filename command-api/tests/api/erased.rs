//! A person who was erased while processes that knew them go on: nothing is written about them any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use praxis_event_store::port::{
    Facts, Head, LogReader, Lookup, StoreError, StoredCommand, StoredEvent, StoredKey, StreamRange,
};
use praxis_event_store::sequencer::SequencerLimits;
use praxis_store_sqlite::log::SqliteLog;
use serde_json::json;
use uuid::Uuid;

use crate::practice::{Drain, Practice, Reply, events, new_log, open_log, staff};

/// A log in which everybody was erased as soon as that is said, as the commands of erasure will do it.
struct Erasing {
    log: SqliteLog,
    is_erased: Arc<AtomicBool>,
}

impl Erasing {
    fn after_erasure(&self, mut keys: Vec<StoredKey>) -> Vec<StoredKey> {
        if self.is_erased.load(Ordering::Relaxed) {
            for key in &mut keys {
                (key.wrapped_key, key.destroyed_position) = (None, Some(1));
            }
        }
        keys
    }

    fn tombstone_position(&self) -> u64 {
        u64::from(self.is_erased.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl LogReader for Erasing {
    async fn head(&self) -> Result<Head, StoreError> {
        Ok(Head {
            tombstone_position: self.tombstone_position(),
            ..self.log.head().await?
        })
    }

    async fn read_log(&self, after_position: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        self.log.read_log(after_position, limit).await
    }

    async fn read_stream(&self, range: StreamRange) -> Result<Vec<StoredEvent>, StoreError> {
        self.log.read_stream(range).await
    }

    async fn position_at(&self, instant_micros: i64) -> Result<u64, StoreError> {
        self.log.position_at(instant_micros).await
    }

    async fn command(&self, key: [u8; 32]) -> Result<Option<StoredCommand>, StoreError> {
        self.log.command(key).await
    }

    async fn keys(&self, key_ids: &[Uuid]) -> Result<Vec<StoredKey>, StoreError> {
        Ok(self.after_erasure(self.log.keys(key_ids).await?))
    }

    async fn subject_keys(&self, subjects: &[Uuid]) -> Result<(Vec<StoredKey>, u64), StoreError> {
        let (keys, _) = self.log.subject_keys(subjects).await?;
        Ok((self.after_erasure(keys), self.tombstone_position()))
    }

    async fn look_up(&self, lookup: &Lookup) -> Result<Facts, StoreError> {
        self.log.look_up(lookup).await
    }

    async fn claim_owners(&self, resource: &[u8], member: &[u8]) -> Result<Vec<Uuid>, StoreError> {
        self.log.claim_owners(resource, member).await
    }
}

#[tokio::test]
async fn a_process_that_knew_a_person_who_was_erased_writes_nothing_about_them() {
    let directory = new_log().await;
    let log = open_log(directory.path()).await;
    let is_erased = Arc::new(AtomicBool::new(false));
    let reader = Erasing {
        log: log.clone(),
        is_erased: Arc::clone(&is_erased),
    };
    let limits = SequencerLimits::default();
    let practice = Practice::over(Arc::new(reader), Arc::new(log), limits, Drain::Running, &[1]).await;
    let id = practice.register_patient().await;
    let contact = async |mail: &str| -> Reply {
        let line = format!("PUT /patients/{id}/contact");
        practice
            .ask(&line, &staff(), &[], &json!({ "emails": [mail] }))
            .await
    };
    assert_eq!(contact("jeanne@example.org").await.ok(), 2);
    assert_eq!(contact("jeanne@example.org").await.ok(), 2, "changes nothing");

    is_erased.store(true, Ordering::Relaxed);
    practice.vault.look_again();
    // Had the state been remembered, this would change nothing and be answered so.
    for mail in ["jeanne@example.org", "moreau@example.org"] {
        let refused = contact(mail).await;
        refused.assert_problem(409, "command-refused");
        assert_eq!(refused.reasons(), ["person_erased"]);
    }
    // What holds nothing personal can still happen.
    assert_eq!(
        practice
            .order(&format!("DELETE /patients/{id}"), &staff())
            .await
            .ok(),
        3
    );
    assert_eq!(events(&directory).await.len(), 3);
}
