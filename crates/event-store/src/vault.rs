//! Whose data key seals and which one opens: keys of persons, unwrapped and cached within a bound.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use praxis_events::ids::LogId;
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::port::{LogReader, StoreError, StoredKey};
use crate::record::keys::{DataKey, KekRing, KeyOwner, UnwrapError, WrappedKey};
use crate::record::random::{RandomSource, RandomUnavailable};

/// How many data keys are kept unwrapped, by id and again by person.
const KEYS_CACHED_MAX: usize = 100_000;

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
    /// By person.
    pub by_subject: HashMap<Uuid, Arc<DataKey>>,
    /// Those among them that are made by this append.
    pub new_keys: Vec<StoredKey>,
    /// The head's tombstone position when the others were found usable.
    pub as_of: u64,
}

/// A key in memory, and whose it is: a person who is forgotten may have several.
#[derive(Clone)]
struct Owned {
    subject_id: Uuid,
    key: Arc<DataKey>,
}

#[derive(Clone)]
struct Current {
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
    by_id: Cache<Uuid, Owned>,
    by_subject: Cache<Uuid, Current>,
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

    /// A key for each person: their current one, or a new one where they have none.
    ///
    /// # Errors
    /// [`VaultError`]; nothing was stored.
    pub async fn sealing_keys(&self, subjects: &HashSet<Uuid>) -> Result<SealingKeys, VaultError> {
        let mut keys = SealingKeys {
            as_of: u64::MAX,
            ..SealingKeys::default()
        };
        let mut unknown = Vec::new();
        for subject in subjects {
            match self.by_subject.get(subject) {
                Some(current) => {
                    keys.as_of = keys.as_of.min(current.as_of);
                    keys.by_subject.insert(*subject, current.key);
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
        keys.as_of = keys.as_of.min(as_of);
        for row in stored {
            match self.unwrap(&row)? {
                FoundKey::Open(key) => {
                    let current = Current {
                        key: Arc::clone(&key),
                        as_of,
                    };
                    self.by_subject.insert(row.subject_id, current);
                    keys.by_subject.insert(row.subject_id, key);
                }
                FoundKey::Fault => return Err(VaultError::Damaged { key_id: row.key_id }),
                FoundKey::Erased => {}
            }
        }
        for subject in subjects {
            if !keys.by_subject.contains_key(subject) {
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
                self.remember(row, key);
                self.by_subject.insert(
                    row.subject_id,
                    Current {
                        key: Arc::clone(key),
                        as_of: keys.as_of,
                    },
                );
            }
        }
    }

    fn remember(&self, row: &StoredKey, key: &Arc<DataKey>) {
        self.by_id.insert(
            row.key_id,
            Owned {
                subject_id: row.subject_id,
                key: Arc::clone(key),
            },
        );
    }

    /// Forgets a person's keys, all of them, after an erasure or when one turned out to be destroyed. Walks the whole
    /// memory, as erasures are rare.
    pub fn forget(&self, subject: Uuid) {
        self.by_subject.remove(&subject);
        self.by_id.retain(|_, owned| owned.subject_id != subject);
    }

    /// Forgets one key, also as the one its person's next events would be sealed with. Walks the whole memory, as
    /// [`Vault::forget`] does.
    pub fn forget_key(&self, key_id: Uuid) {
        self.by_id.remove(&key_id);
        self.by_subject.retain(|_, current| current.key.id() != key_id);
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
        for key_id in key_ids {
            match self.by_id.get(key_id) {
                Some(owned) => {
                    found.insert(*key_id, FoundKey::Open(owned.key));
                }
                None => unknown.push(*key_id),
            }
        }
        if !unknown.is_empty() {
            for row in self.reader.keys(&unknown).await? {
                let key = self.unwrap(&row)?;
                if let FoundKey::Open(open) = &key {
                    self.remember(&row, open);
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
