//! What a data key is, and how it is kept: wrapped by a key-encryption key, bound to its person and log.
//!
//! The byte table is in `docs/adr/0001-record-bytes.md`.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::boxes::SealError;
use super::random::{RandomSource, RandomUnavailable};

/// Length of a data key and of a key-encryption key in bytes.
pub const KEY_LEN: usize = 32;

const WRAP_FORMAT: u8 = 1;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// Length of a wrapped data key in bytes.
pub const WRAPPED_KEY_LEN: usize = 1 + NONCE_LEN + KEY_LEN + TAG_LEN;

/// A person's data key with its id. Never copied, cleared on drop, not shown by `Debug`.
pub struct DataKey {
    id: Uuid,
    secret: Zeroizing<[u8; KEY_LEN]>,
}

impl DataKey {
    /// A new key under a new id; an id is never given to a second key.
    pub fn generate(id: Uuid, random: &dyn RandomSource) -> Result<Self, RandomUnavailable> {
        let mut secret = Zeroizing::new([0; KEY_LEN]);
        random.fill(secret.as_mut_slice())?;
        Ok(Self { id, secret })
    }

    /// The key of that id, known already.
    pub const fn new(id: Uuid, secret: Zeroizing<[u8; KEY_LEN]>) -> Self {
        Self { id, secret }
    }

    /// Its id, as in `subject_keys` and in every box.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    pub(super) fn secret(&self) -> &[u8] {
        self.secret.as_slice()
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Whose key it is and in which log: what a wrap is bound to besides the key's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyOwner {
    /// The person.
    pub subject_id: Uuid,
    /// The log.
    pub log_id: Uuid,
}

/// A data key as kept in `subject_keys`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// The key-encryption key it is wrapped under.
    pub kek_id: Uuid,
    /// The wrapped bytes, [`WRAPPED_KEY_LEN`] of them.
    pub bytes: Vec<u8>,
}

/// A key-encryption key: it wraps data keys and does nothing else.
pub struct Kek {
    id: Uuid,
    key: LessSafeKey,
}

/// Why key-encryption keys are not usable as given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KekError {
    /// There is no key.
    #[error("there is no key-encryption key")]
    None,
    /// The bytes given are not [`KEY_LEN`] many.
    #[error("a key-encryption key has {KEY_LEN} bytes, found {len}")]
    Length {
        /// The length found, in bytes.
        len: usize,
    },
    /// Two keys have one id, so a wrap would not say which it needs.
    #[error("two key-encryption keys have the id {kek_id}")]
    Duplicate {
        /// The id given twice.
        kek_id: Uuid,
    },
}

impl Kek {
    /// The key-encryption key of that id. The caller clears its copy of the bytes.
    pub fn try_new(id: Uuid, secret: &[u8]) -> Result<Self, KekError> {
        match UnboundKey::new(&AES_256_GCM, secret) {
            Ok(key) => Ok(Self {
                id,
                key: LessSafeKey::new(key),
            }),
            Err(_) => Err(KekError::Length { len: secret.len() }),
        }
    }

    /// Its id.
    pub const fn id(&self) -> Uuid {
        self.id
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kek")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The key-encryption keys of a process: one wraps, all unwrap.
#[derive(Debug)]
pub struct KekRing {
    current: Kek,
    older: Vec<Kek>,
}

/// Why a data key was not unwrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// No fault of the stored key: this process lacks the key-encryption key. Stop and retry.
    #[error("key-encryption key {kek_id} is not known to this process")]
    UnknownKek {
        /// The id it lacks.
        kek_id: Uuid,
    },
    /// No fault of the stored key: a newer version wrote it. Stop and retry.
    #[error("wrap format {0} is not known to this version")]
    UnknownFormat(u8),
    /// A fault: damaged, exchanged with another row's, or wrapped under another key of that id. Park.
    #[error("the wrapped key does not unwrap under its key-encryption key")]
    DoesNotUnwrap,
}

impl KekRing {
    /// The ring of keys as settings hold them, the current one first.
    ///
    /// # Errors
    /// [`KekError`] when two have one id, or there is none.
    pub fn of(keys: &[(Uuid, [u8; KEY_LEN])]) -> Result<Self, KekError> {
        let mut keks = keys
            .iter()
            .map(|(id, secret)| Kek::try_new(*id, secret))
            .collect::<Result<Vec<_>, _>>()?;
        if keks.is_empty() {
            return Err(KekError::None);
        }
        let current = keks.remove(0);
        Self::try_new(current, keks)
    }

    /// A ring that wraps with `current` and unwraps with that and all `older` ones.
    pub fn try_new(current: Kek, older: Vec<Kek>) -> Result<Self, KekError> {
        for (index, kek) in older.iter().enumerate() {
            if kek.id == current.id || older[..index].iter().any(|other| other.id == kek.id) {
                return Err(KekError::Duplicate { kek_id: kek.id });
            }
        }
        Ok(Self { current, older })
    }

    /// The id that new wraps carry.
    pub const fn current_id(&self) -> Uuid {
        self.current.id
    }

    /// Wraps a data key for its owner under the current key-encryption key, with a fresh random nonce.
    pub fn wrap_key(
        &self,
        owner: KeyOwner,
        key: &DataKey,
        random: &dyn RandomSource,
    ) -> Result<WrappedKey, SealError> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce)?;
        let mut sealed = Zeroizing::new([0; KEY_LEN]);
        sealed.copy_from_slice(key.secret());
        let tag = self
            .current
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated_data(owner, key.id)),
                sealed.as_mut_slice(),
            )
            .map_err(|_| SealError::Refused)?;
        let bytes = [&[WRAP_FORMAT], nonce.as_slice(), sealed.as_slice(), tag.as_ref()].concat();
        Ok(WrappedKey {
            kek_id: self.current.id,
            bytes,
        })
    }

    /// The data key of that id and owner.
    pub fn unwrap_key(
        &self,
        owner: KeyOwner,
        key_id: Uuid,
        wrapped: &WrappedKey,
    ) -> Result<DataKey, UnwrapError> {
        let (format, rest) = wrapped.bytes.split_first().ok_or(UnwrapError::DoesNotUnwrap)?;
        if *format != WRAP_FORMAT {
            return Err(UnwrapError::UnknownFormat(*format));
        }
        let (nonce, sealed) = rest
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(UnwrapError::DoesNotUnwrap)?;
        let (ciphertext, tag) = sealed
            .split_first_chunk::<KEY_LEN>()
            .ok_or(UnwrapError::DoesNotUnwrap)?;
        let kek = self.find(wrapped.kek_id).ok_or(UnwrapError::UnknownKek {
            kek_id: wrapped.kek_id,
        })?;
        let mut secret = Zeroizing::new([0; KEY_LEN]);
        kek.key
            .open_separate_gather(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(associated_data(owner, key_id)),
                ciphertext,
                tag,
                secret.as_mut_slice(),
            )
            .map_err(|_| UnwrapError::DoesNotUnwrap)?;
        Ok(DataKey { id: key_id, secret })
    }

    fn find(&self, kek_id: Uuid) -> Option<&Kek> {
        std::iter::once(&self.current)
            .chain(&self.older)
            .find(|kek| kek.id == kek_id)
    }
}

/// Format byte, key id, subject id, log id: fixed widths, so no prefixes are needed.
fn associated_data(owner: KeyOwner, key_id: Uuid) -> [u8; 49] {
    let mut out = [WRAP_FORMAT; 49];
    out[1..17].copy_from_slice(key_id.as_bytes());
    out[17..33].copy_from_slice(owner.subject_id.as_bytes());
    out[33..].copy_from_slice(owner.log_id.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{DataKey, Kek, KekError, KekRing, KeyOwner, UnwrapError, WRAPPED_KEY_LEN, WrappedKey};
    use crate::record::boxes::SealError;
    use crate::record::random::testing::{Counting, Dry};

    const OWNER: KeyOwner = KeyOwner {
        subject_id: Uuid::from_u128(1),
        log_id: Uuid::from_u128(2),
    };
    const KEY_ID: Uuid = Uuid::from_u128(3);

    fn kek(id: u128, byte: u8) -> Kek {
        Kek::try_new(Uuid::from_u128(id), &[byte; 32]).expect("a key")
    }

    fn ring() -> KekRing {
        KekRing::try_new(kek(10, 10), vec![]).expect("one key")
    }

    fn data_key() -> DataKey {
        DataKey::generate(KEY_ID, &Counting::default()).expect("generated")
    }

    fn wrapped() -> WrappedKey {
        ring()
            .wrap_key(OWNER, &data_key(), &Counting::default())
            .expect("wrapped")
    }

    #[test]
    fn a_wrapped_key_unwraps_for_its_owner() {
        let wrapped = wrapped();
        assert_eq!(wrapped.bytes.len(), WRAPPED_KEY_LEN);
        let key = ring().unwrap_key(OWNER, KEY_ID, &wrapped).expect("unwraps");
        assert_eq!((key.id(), key.secret()), (KEY_ID, data_key().secret()));
    }

    #[test]
    fn a_key_wrapped_before_a_rotation_unwraps_after_it() {
        let rotated = KekRing::try_new(kek(11, 11), vec![kek(10, 10)]).expect("two keys");
        assert!(rotated.unwrap_key(OWNER, KEY_ID, &wrapped()).is_ok());
        let anew = rotated
            .wrap_key(OWNER, &data_key(), &Counting::default())
            .expect("wrapped");
        assert_eq!(anew.kek_id, rotated.current_id());
    }

    #[test]
    fn a_retired_kek_is_no_fault_of_the_key() {
        let retired = KekRing::try_new(kek(11, 11), vec![]).expect("one key");
        let outcome = retired.unwrap_key(OWNER, KEY_ID, &wrapped()).map(|key| key.id());
        assert_eq!(
            outcome,
            Err(UnwrapError::UnknownKek {
                kek_id: Uuid::from_u128(10)
            })
        );
    }

    #[test]
    fn other_bytes_under_a_known_kek_id_are_a_fault() {
        let impostor = KekRing::try_new(kek(10, 99), vec![]).expect("one key");
        let outcome = impostor.unwrap_key(OWNER, KEY_ID, &wrapped()).map(|key| key.id());
        assert_eq!(outcome, Err(UnwrapError::DoesNotUnwrap));
    }

    #[test]
    fn a_wrap_moved_to_another_key_person_or_log_does_not_unwrap() {
        let elsewhere = Uuid::from_u128(9);
        for (owner, key_id) in [
            (OWNER, elsewhere),
            (
                KeyOwner {
                    subject_id: elsewhere,
                    ..OWNER
                },
                KEY_ID,
            ),
            (
                KeyOwner {
                    log_id: elsewhere,
                    ..OWNER
                },
                KEY_ID,
            ),
            (
                KeyOwner {
                    subject_id: OWNER.log_id,
                    log_id: OWNER.subject_id,
                },
                KEY_ID,
            ),
        ] {
            let outcome = ring().unwrap_key(owner, key_id, &wrapped()).map(|key| key.id());
            assert_eq!(outcome, Err(UnwrapError::DoesNotUnwrap), "{owner:?} {key_id}");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_other_length_is_noticed() {
        let whole = wrapped();
        let unwrap = |bytes| {
            ring()
                .unwrap_key(
                    OWNER,
                    KEY_ID,
                    &WrappedKey {
                        kek_id: whole.kek_id,
                        bytes,
                    },
                )
                .map(|key| key.id())
        };
        for index in 0..whole.bytes.len() {
            for bit in 0..8 {
                let mut bytes = whole.bytes.clone();
                bytes[index] ^= 1 << bit;
                let expected = if index == 0 {
                    UnwrapError::UnknownFormat(1 ^ (1 << bit))
                } else {
                    UnwrapError::DoesNotUnwrap
                };
                assert_eq!(unwrap(bytes), Err(expected), "byte {index}, bit {bit}");
            }
            assert_eq!(
                unwrap(whole.bytes[..index].to_vec()),
                Err(UnwrapError::DoesNotUnwrap),
                "{index} bytes"
            );
        }
        assert_eq!(
            unwrap([whole.bytes.as_slice(), &[0]].concat()),
            Err(UnwrapError::DoesNotUnwrap)
        );
    }

    #[test]
    fn without_randomness_no_key_is_made_and_none_wrapped() {
        assert!(DataKey::generate(KEY_ID, &Dry).is_err());
        let outcome = ring().wrap_key(OWNER, &data_key(), &Dry);
        assert!(matches!(outcome, Err(SealError::Random(_))), "{outcome:?}");
    }

    #[test]
    fn a_kek_of_another_length_or_with_an_id_given_twice_is_refused() {
        for len in [0, 16, 31, 33, 64] {
            assert_eq!(
                Kek::try_new(KEY_ID, &vec![1; len]).map(|_| ()),
                Err(KekError::Length { len })
            );
        }
        for older in [vec![kek(1, 2)], vec![kek(2, 2), kek(1, 3)]] {
            let outcome = KekRing::try_new(kek(1, 1), older).map(|_| ());
            assert_eq!(
                outcome,
                Err(KekError::Duplicate {
                    kek_id: Uuid::from_u128(1)
                })
            );
        }
        let outcome = KekRing::try_new(kek(1, 1), vec![kek(2, 2), kek(2, 3)]).map(|_| ());
        assert_eq!(
            outcome,
            Err(KekError::Duplicate {
                kek_id: Uuid::from_u128(2)
            })
        );
    }

    #[test]
    fn debug_shows_ids_only() {
        let shown = format!("{:?} {:?}", data_key(), ring());
        assert!(shown.contains(&KEY_ID.to_string()), "{shown}");
        assert!(!shown.contains("[0") && !shown.contains("AES"), "{shown}");
    }
}
