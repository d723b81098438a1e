//! Whose data key seals and which one opens: keys of persons, unwrapped and cached within a bound.
//!
//! Nothing is sealed for a person who was erased, by no process: what is remembered is as of the last erasure known, which
//! is asked for once in a while, and what an append rests on is judged again under the head lock.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use praxis_events::ids::LogId;
use quick_cache::sync::Cache;
use tokio::time::Instant;
use uuid::Uuid;

use crate::port::{LogReader, StoreError, StoredKey};
use crate::record::keys::{DataKey, KekRing, KeyOwner, UnwrapError, WrappedKey};
use crate::record::random::{RandomSource, RandomUnavailable};

/// How many data keys are kept unwrapped, by id and again by person: some 60 MB where all are in use both ways. A build of
/// read models comes back to persons in any order, and a key that was forgotten is read and unwrapped again.
const KEYS_CACHED_MAX: usize = 262_144;

/// So long after an erasure nothing of the person is used from memory any more.
const ERASURE_NOTICED_WITHIN: Duration = Duration::from_secs(1);

/// How many events at each end of the log tell whether this process can open what is in it.
const EVENTS_SAMPLED: u32 = 16;

/// Why there is no key. None of these is a fault of an event: answer 503, or stop and retry.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This process lacks a key-encryption key, or the wrap is of a newer version.
    #[error("a data key cannot be unwrapped by this process")]
    Unusable(#[source] UnwrapError),
    /// A person's current key does not open although its key-encryption key is known. Making another would hide that
    /// everything sealed before is lost.
    #[error("data key {key_id} is damaged")]
    Damaged {
        /// Which.
        key_id: Uuid,
    },
    /// There is no randomness for a new key.
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
    /// A new key could not be wrapped.
    #[error("a new data key could not be wrapped")]
    Wrap(#[source] crate::record::boxes::SealError),
}

/// A data key as an event's box finds it.
#[derive(Clone, Debug)]
pub enum FoundKey {
    /// Usable.
    Open(Arc<DataKey>),
    /// Destroyed by an erasure that the log names.
    Erased,
    /// Not there, though no erasure names it, or damaged: a fault of the store.
    Fault,
}

/// The keys with which one append seals.
#[derive(Clone, Debug, Default)]
pub struct SealingKeys {
    /// By person, but for those who were erased.
    pub by_subject: HashMap<Uuid, Arc<DataKey>>,
    /// Those among them that are made by this append.
    pub new_keys: Vec<StoredKey>,
    /// Those asked for who were erased: nothing is sealed for them any more.
    pub erased: HashSet<Uuid>,
    /// The head's tombstone position when the others were found not to be erased.
    pub as_of: u64,
}

/// A key in memory, not destroyed as of that tombstone position.
#[derive(Clone)]
struct Kept {
    key: Arc<DataKey>,
    as_of: u64,
}

/// The data keys of one log.
pub struct Vault {
    log_id: LogId,
    reader: Arc<dyn LogReader>,
    keks: KekRing,
    random: Arc<dyn RandomSource>,
    new_id: fn() -> Uuid,
    by_id: Cache<Uuid, Kept>,
    by_subject: Cache<Uuid, Kept>,
    /// The highest tombstone position seen; nothing that is kept as of an earlier one is used.
    last_erasure: AtomicU64,
    asked_at: Mutex<Option<Instant>>,
}

impl Vault {
    /// A vault over a log's keys. `new_id` names new keys.
    pub fn new(
        log_id: LogId,
        reader: Arc<dyn LogReader>,
        keks: KekRing,
        random: Arc<dyn RandomSource>,
        new_id: fn() -> Uuid,
    ) -> Self {
        let (by_id, by_subject) = (Cache::new(KEYS_CACHED_MAX), Cache::new(KEYS_CACHED_MAX));
        Self {
            log_id,
            reader,
            keks,
            random,
            new_id,
            by_id,
            by_subject,
            last_erasure: AtomicU64::new(0),
            asked_at: Mutex::new(None),
        }
    }

    /// The log whose keys these are.
    pub const fn log_id(&self) -> LogId {
        self.log_id
    }

    /// Where nonces come from.
    pub fn random(&self) -> &dyn RandomSource {
        self.random.as_ref()
    }

    /// The position of the last erasure, as the log said it within the last second. What is remembered as of an earlier
    /// one may be about somebody who was erased since.
    ///
    /// # Errors
    /// [`StoreError`] when the log does not say.
    pub async fn last_erasure(&self) -> Result<u64, StoreError> {
        if self.is_time_to_ask() {
            match self.reader.head().await {
                Ok(head) => self.notice(head.tombstone_position),
                Err(error) => {
                    self.look_again();
                    return Err(error);
                }
            }
        }
        Ok(self.last_erasure.load(Ordering::Acquire))
    }

    /// Has the log asked at the next use: somebody learned of an erasure.
    pub fn look_again(&self) {
        *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether the caller is to ask; whoever comes meanwhile goes on with what is known.
    fn is_time_to_ask(&self) -> bool {
        let mut asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = asked_at.is_none_or(|asked_at| asked_at.elapsed() >= ERASURE_NOTICED_WITHIN);
        if is_time {
            *asked_at = Some(Instant::now());
        }
        is_time
    }

    /// Erasures are rare, so everybody's keys go: nothing has to say whose were meant.
    fn notice(&self, tombstone_position: u64) {
        if self.last_erasure.fetch_max(tombstone_position, Ordering::AcqRel) < tombstone_position {
            self.by_id.clear();
            self.by_subject.clear();
        }
    }

    /// A key for each person who was not erased: their current one, or a new one where they have none.
    ///
    /// # Errors
    /// [`VaultError`]; nothing was stored.
    pub async fn sealing_keys(&self, subjects: &HashSet<Uuid>) -> Result<SealingKeys, VaultError> {
        let mut keys = SealingKeys {
            as_of: u64::MAX,
            ..SealingKeys::default()
        };
        let mut unknown = Vec::new();
        let last_erasure = self.last_erasure().await?;
        for subject in subjects {
            let kept = self.by_subject.get(subject);
            match kept.filter(|kept| kept.as_of >= last_erasure) {
                Some(kept) => {
                    keys.as_of = keys.as_of.min(kept.as_of);
                    keys.by_subject.insert(*subject, kept.key);
                }
                None => unknown.push(*subject),
            }
        }
        if !unknown.is_empty() {
            self.load_current(&unknown, &mut keys).await?;
        }
        Ok(keys)
    }

    async fn load_current(&self, subjects: &[Uuid], keys: &mut SealingKeys) -> Result<(), VaultError> {
        let (stored, as_of) = self.reader.subject_keys(subjects).await?;
        self.notice(as_of);
        keys.as_of = keys.as_of.min(as_of);
        for row in stored {
            match self.unwrap(&row)? {
                FoundKey::Open(key) => {
                    let kept = Kept {
                        key: Arc::clone(&key),
                        as_of,
                    };
                    self.by_subject.insert(row.subject_id, kept);
                    keys.by_subject.insert(row.subject_id, key);
                }
                FoundKey::Fault => return Err(VaultError::Damaged { key_id: row.key_id }),
                FoundKey::Erased => {
                    keys.erased.insert(row.subject_id);
                }
            }
        }
        for subject in subjects {
            if !keys.by_subject.contains_key(subject) && !keys.erased.contains(subject) {
                let (key, row) = self.make(*subject)?;
                keys.new_keys.push(row);
                keys.by_subject.insert(*subject, key);
            }
        }
        Ok(())
    }

    fn make(&self, subject: Uuid) -> Result<(Arc<DataKey>, StoredKey), VaultError> {
        let key = DataKey::generate((self.new_id)(), self.random.as_ref())?;
        let owner = KeyOwner {
            subject_id: subject,
            log_id: self.log_id.0,
        };
        let wrapped = self
            .keks
            .wrap_key(owner, &key, self.random.as_ref())
            .map_err(VaultError::Wrap)?;
        let row = StoredKey {
            key_id: key.id(),
            subject_id: subject,
            wrapped_key: Some(wrapped.bytes),
            kek_id: wrapped.kek_id,
            created_position: 0,
            destroyed_position: None,
        };
        Ok((Arc::new(key), row))
    }

    /// Remembers the keys an append made, once it is in the log.
    pub fn keep(&self, keys: &SealingKeys) {
        for row in &keys.new_keys {
            if let Some(key) = keys.by_subject.get(&row.subject_id) {
                let kept = Kept {
                    key: Arc::clone(key),
                    as_of: keys.as_of,
                };
                self.by_id.insert(row.key_id, kept.clone());
                self.by_subject.insert(row.subject_id, kept);
            }
        }
    }

    /// Whether this process has the key-encryption keys of the log's first and latest persons: those left longest and
    /// those wrapped by whoever writes now. What is in memory is not asked.
    ///
    /// # Errors
    /// [`VaultError::Unusable`] if one is missing, [`VaultError::Store`] if the store does not answer. A key that is
    /// damaged, or wrapped by a later version, is a matter of one person's record, not of the process.
    pub async fn check_keys(&self) -> Result<(), VaultError> {
        let position = self.reader.head().await?.position;
        let latest_after = position.saturating_sub(u64::from(EVENTS_SAMPLED));
        let mut subjects = HashSet::new();
        for after in [0, latest_after] {
            let events = self.reader.read_log(after, EVENTS_SAMPLED).await?;
            subjects.extend(events.iter().filter_map(|event| event.subject_id));
        }
        if subjects.is_empty() {
            return Ok(());
        }
        let subjects: Vec<Uuid> = subjects.into_iter().collect();
        let (rows, _) = self.reader.subject_keys(&subjects).await?;
        for row in rows {
            if let Err(error @ VaultError::Unusable(UnwrapError::UnknownKek { .. })) = self.unwrap(&row) {
                return Err(error);
            }
        }
        Ok(())
    }

    /// The keys of those ids, each found, erased or at fault.
    ///
    /// # Errors
    /// [`VaultError`] when that cannot be told.
    pub async fn opening_keys(&self, key_ids: &HashSet<Uuid>) -> Result<HashMap<Uuid, FoundKey>, VaultError> {
        let mut found = HashMap::with_capacity(key_ids.len());
        let mut unknown = Vec::new();
        let as_of = self.last_erasure().await?;
        for key_id in key_ids {
            match self.by_id.get(key_id).filter(|kept| kept.as_of >= as_of) {
                Some(kept) => {
                    found.insert(*key_id, FoundKey::Open(kept.key));
                }
                None => unknown.push(*key_id),
            }
        }
        if !unknown.is_empty() {
            for row in self.reader.keys(&unknown).await? {
                let key = self.unwrap(&row)?;
                if let FoundKey::Open(open) = &key {
                    let key = Arc::clone(open);
                    self.by_id.insert(row.key_id, Kept { key, as_of });
                }
                found.insert(row.key_id, key);
            }
            for key_id in unknown {
                found.entry(key_id).or_insert(FoundKey::Fault);
            }
        }
        Ok(found)
    }

    fn unwrap(&self, row: &StoredKey) -> Result<FoundKey, VaultError> {
        let wrapped = match (&row.wrapped_key, row.destroyed_position) {
            (_, Some(_)) => return Ok(FoundKey::Erased),
            (None, None) => return Ok(FoundKey::Fault),
            (Some(bytes), None) => WrappedKey {
                kek_id: row.kek_id,
                bytes: bytes.clone(),
            },
        };
        let owner = KeyOwner {
            subject_id: row.subject_id,
            log_id: self.log_id.0,
        };
        match self.keks.unwrap_key(owner, row.key_id, &wrapped) {
            Ok(key) => Ok(FoundKey::Open(Arc::new(key))),
            Err(UnwrapError::DoesNotUnwrap) => Ok(FoundKey::Fault),
            Err(error @ (UnwrapError::UnknownKek { .. } | UnwrapError::UnknownFormat(_))) => {
                Err(VaultError::Unusable(error))
            }
        }
    }
}
