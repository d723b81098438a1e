//! How a sealed group becomes a box and how a box is opened.
//!
//! The byte table and the attacks it was held against are in `docs/adr/0001-record-bytes.md`.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::keys::DataKey;
use super::names::{RecordName, put_prefixed};
use super::random::{RandomSource, RandomUnavailable};

const BOX_FORMAT: u8 = 1;
const KEY_INFO: &[u8] = b"praxis/box/1";

const KEY_ID_AT: usize = 1;
const NONCE_AT: usize = KEY_ID_AT + 16;
const COMMITMENT_AT: usize = NONCE_AT + NONCE_LEN;
const CIPHERTEXT_AT: usize = COMMITMENT_AT + COMMITMENT_LEN;

const NONCE_LEN: usize = 12;
const COMMITMENT_LEN: usize = 32;
const TAG_LEN: usize = 16;
const AEAD_KEY_LEN: usize = 32;
const BOX_KEY_LEN: usize = AEAD_KEY_LEN + COMMITMENT_LEN;

/// By how many bytes a box is longer than what it seals; also the length of the shortest box.
pub const BOX_OVERHEAD_LEN: usize = CIPHERTEXT_AT + TAG_LEN;

/// Where a box belongs. It opens nowhere else. Position and time are not part of it, so an event can be sealed
/// before it has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoxPlace<'a> {
    /// The log.
    pub log_id: Uuid,
    /// The event.
    pub event_id: Uuid,
    /// The event's stream.
    pub stream_id: Uuid,
    /// The event type as stored, never as upcast.
    pub stored_type: RecordName<'a>,
    /// The schema version as stored, never as upcast.
    pub schema_version: u32,
    /// Which sealed group of the event. No two boxes of one event share a label and a key.
    pub label: RecordName<'a>,
}

impl BoxPlace<'_> {
    /// The associated data of the box under that key: every field prefixed with its length, in this order for good.
    pub fn associated_data(&self, key_id: Uuid) -> Vec<u8> {
        let mut out = Vec::with_capacity(
            7 * 4 + 4 * 16 + 4 + self.stored_type.as_bytes().len() + self.label.as_bytes().len(),
        );
        put_prefixed(&mut out, self.log_id.as_bytes());
        put_prefixed(&mut out, self.event_id.as_bytes());
        put_prefixed(&mut out, self.stream_id.as_bytes());
        put_prefixed(&mut out, self.stored_type.as_bytes());
        put_prefixed(&mut out, &self.schema_version.to_be_bytes());
        put_prefixed(&mut out, key_id.as_bytes());
        put_prefixed(&mut out, self.label.as_bytes());
        out
    }
}

/// The bytes of a box: of a known format and long enough, nothing more is known of them.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedBox(Vec<u8>);

/// Why a value was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There is no randomness for a nonce.
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
    /// The cryptographic library refused; it does so only beyond its limits (64 GiB for a box).
    #[error("the cryptographic library refused to seal")]
    Refused,
}

/// Why a box does not open. All but [`OpenError::UnknownFormat`] are faults of the stored event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not base64url without padding, or too short to be a box.
    #[error("the box is malformed")]
    Malformed,
    /// Written by a newer version: stop rather than park.
    #[error("box format {0} is not known to this version")]
    UnknownFormat(u8),
    /// Sealed under another key, or for another event or label: the commitment differs.
    #[error("the box was sealed under another key, or for another event or label")]
    WrongKey,
    /// The right key, but the box or the fields around it were changed since.
    #[error("the box, or the event around it, was changed since it was sealed")]
    Tampered,
    /// The cryptographic library refused to derive a key; it has no reason to.
    #[error("the cryptographic library refused to derive a key")]
    Refused,
}

impl SealedBox {
    /// The box those bytes are, by format byte and length alone.
    pub fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, OpenError> {
        match bytes.first() {
            None => Err(OpenError::Malformed),
            Some(&format) if format != BOX_FORMAT => Err(OpenError::UnknownFormat(format)),
            Some(_) if bytes.len() < BOX_OVERHEAD_LEN => Err(OpenError::Malformed),
            Some(_) => Ok(Self(bytes)),
        }
    }

    /// The box of a payload's text form. Exactly one text is accepted for each box: no padding, no stray bits.
    pub fn try_from_text(text: &str) -> Result<Self, OpenError> {
        URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| OpenError::Malformed)
            .and_then(Self::try_from_bytes)
    }

    /// The text form kept in a payload: base64url without padding (RFC 4648 section 5).
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The data key it says it was sealed under; true only once it opens.
    pub fn key_id(&self) -> Uuid {
        Uuid::from_bytes(self.part(KEY_ID_AT))
    }

    fn nonce(&self) -> [u8; NONCE_LEN] {
        self.part(NONCE_AT)
    }

    fn commitment(&self) -> [u8; COMMITMENT_LEN] {
        self.part(COMMITMENT_AT)
    }

    /// Ciphertext and tag.
    fn sealed_parts(&self) -> (&[u8], &[u8]) {
        self.0.split_at(self.0.len() - TAG_LEN)
    }

    fn part<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut part = [0; N];
        part.copy_from_slice(&self.0[at..at + N]);
        part
    }
}

impl fmt::Debug for SealedBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedBox")
            .field("key_id", &self.key_id())
            .field("len", &self.0.len())
            .finish()
    }
}

/// What was sealed; its `Debug` shows only its length, and its memory is cleared.
#[derive(Clone, PartialEq, Eq)]
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    /// The bytes; each call is a place to review.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plaintext")
            .field("len", &self.0.len())
            .finish_non_exhaustive()
    }
}

/// The key of the one box of an event and label: what is handed over to disclose that box and no other.
///
/// It shows the holder this box's content and says nothing of the data key or of any other box. The holder cannot
/// recompute the commitment from the key, so a disclosure convinces someone who trusts the sealer (see the ADR).
pub struct BoxKey {
    key_id: Uuid,
    secret: Zeroizing<[u8; BOX_KEY_LEN]>,
}

struct BoxKeyLen;

impl KeyType for BoxKeyLen {
    fn len(&self) -> usize {
        BOX_KEY_LEN
    }
}

impl BoxKey {
    /// The key of the box of that event and label: HKDF-SHA-256(data key, salt key id, info `praxis/box/1` ‖ event id
    /// ‖ label), 32 bytes of AES key and then 32 bytes of commitment.
    pub fn derive(key: &DataKey, event_id: Uuid, label: RecordName<'_>) -> Result<Self, CryptoRefused> {
        let mut secret = Zeroizing::new([0; BOX_KEY_LEN]);
        Salt::new(HKDF_SHA256, key.id().as_bytes())
            .extract(key.secret())
            .expand(&[KEY_INFO, event_id.as_bytes(), label.as_bytes()], BoxKeyLen)
            .and_then(|okm| okm.fill(secret.as_mut_slice()))
            .map_err(|_| CryptoRefused)?;
        Ok(Self {
            key_id: key.id(),
            secret,
        })
    }

    /// A key that was disclosed: 64 bytes, as [`BoxKey::disclose`] gave them.
    pub const fn from_disclosed(key_id: Uuid, secret: Zeroizing<[u8; BOX_KEY_LEN]>) -> Self {
        Self { key_id, secret }
    }

    /// The 64 bytes to hand over; each call is a disclosure to review.
    pub fn disclose(&self) -> Zeroizing<[u8; BOX_KEY_LEN]> {
        self.secret.clone()
    }

    /// Opens the one box this key is of.
    pub fn open(&self, place: &BoxPlace<'_>, sealed: &SealedBox) -> Result<Plaintext, OpenError> {
        let (aead_key, commitment) = self.secret.split_at(AEAD_KEY_LEN);
        if sealed.key_id() != self.key_id
            || verify_slices_are_equal(&sealed.commitment(), commitment).is_err()
        {
            return Err(OpenError::WrongKey);
        }
        let (before_tag, tag) = sealed.sealed_parts();
        let ciphertext = &before_tag[CIPHERTEXT_AT..];
        let mut plaintext = Zeroizing::new(vec![0; ciphertext.len()]);
        aes_key(aead_key)
            .map_err(|CryptoRefused| OpenError::Refused)?
            .open_separate_gather(
                Nonce::assume_unique_for_key(sealed.nonce()),
                Aad::from(place.associated_data(self.key_id)),
                ciphertext,
                tag,
                &mut plaintext,
            )
            .map_err(|_| OpenError::Tampered)?;
        Ok(Plaintext(plaintext))
    }

    fn seal(
        &self,
        place: &BoxPlace<'_>,
        nonce: [u8; NONCE_LEN],
        plaintext: &[u8],
    ) -> Result<SealedBox, CryptoRefused> {
        let (aead_key, commitment) = self.secret.split_at(AEAD_KEY_LEN);
        let mut out = Vec::with_capacity(BOX_OVERHEAD_LEN + plaintext.len());
        out.push(BOX_FORMAT);
        out.extend_from_slice(self.key_id.as_bytes());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(commitment);
        out.extend_from_slice(plaintext);
        let tag = aes_key(aead_key)?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.associated_data(self.key_id)),
                &mut out[CIPHERTEXT_AT..],
            )
            .map_err(|_| CryptoRefused)?;
        out.extend_from_slice(tag.as_ref());
        Ok(SealedBox(out))
    }
}

impl fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxKey")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The cryptographic library refused what is within its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library refused")]
pub struct CryptoRefused;

impl From<CryptoRefused> for SealError {
    fn from(CryptoRefused: CryptoRefused) -> Self {
        Self::Refused
    }
}

/// Seals a group for its place under the person's data key, with a fresh random nonce.
pub fn seal(
    place: &BoxPlace<'_>,
    key: &DataKey,
    plaintext: &[u8],
    random: &dyn RandomSource,
) -> Result<SealedBox, SealError> {
    let box_key = BoxKey::derive(key, place.event_id, place.label)?;
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce)?;
    Ok(box_key.seal(place, nonce, plaintext)?)
}

/// Opens a box in its place with the person's data key, which [`SealedBox::key_id`] names.
pub fn open(place: &BoxPlace<'_>, key: &DataKey, sealed: &SealedBox) -> Result<Plaintext, OpenError> {
    BoxKey::derive(key, place.event_id, place.label)
        .map_err(|CryptoRefused| OpenError::Refused)?
        .open(place, sealed)
}

fn aes_key(bytes: &[u8]) -> Result<LessSafeKey, CryptoRefused> {
    UnboundKey::new(&AES_256_GCM, bytes)
        .map(LessSafeKey::new)
        .map_err(|_| CryptoRefused)
}

#[cfg(test)]
mod tests;
