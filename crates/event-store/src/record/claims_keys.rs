//! How small personal values are compared without being kept: HMACs of claim members and of requests.
//!
//! A plain hash of an e-mail address or an identifier is found by guessing; these need a key. The byte table is in
//! `docs/adr/0001-record-bytes.md`.

use std::fmt;
use std::num::NonZeroU8;

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key, verify};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::hash::HASH_LEN;
use super::names::{RecordName, put_prefixed};

/// Length of a claims key in bytes.
pub const CLAIMS_KEY_LEN: usize = 32;

/// Length of a claim tag in bytes: the key id byte, then the HMAC.
pub const CLAIM_TAG_LEN: usize = 1 + HASH_LEN;

const CLAIM_DOMAIN: &[u8] = b"praxis/claim/1";
const REQUEST_DOMAIN: &[u8] = b"praxis/request/1";

/// The key id byte and HMAC-SHA-256 of a claim member or a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimTag([u8; CLAIM_TAG_LEN]);

impl ClaimTag {
    /// A tag as stored.
    pub const fn new(bytes: [u8; CLAIM_TAG_LEN]) -> Self {
        Self(bytes)
    }

    /// The 33 bytes as stored.
    pub const fn as_bytes(&self) -> &[u8; CLAIM_TAG_LEN] {
        &self.0
    }

    /// The text form kept in open payload fields: base64url without padding, 44 letters.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The tag of that text form, if it is one. Each tag has exactly one text.
    pub fn try_from_text(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    const fn key_id(&self) -> u8 {
        let [key_id, ..] = self.0;
        key_id
    }

    fn mac(&self) -> &[u8] {
        &self.0[1..]
    }
}

impl fmt::Debug for ClaimTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClaimTag({})", self.to_text())
    }
}

/// What a stored request is recognised by. The account is not in it: the command key it is filed under has it.
#[derive(Clone, Copy)]
pub struct RequestParts<'a> {
    /// The method, as received.
    pub method: &'a str,
    /// The path with its query, as received.
    pub path: &'a str,
    /// The `If-Match` header, if there was one.
    pub if_match: Option<&'a str>,
    /// The body, as received; an absent one is empty.
    pub body: &'a [u8],
}

/// One claims key with the id byte its tags begin with. Cleared on drop by the cryptographic library.
pub struct ClaimsKey {
    id: NonZeroU8,
    key: Key,
}

/// Why claims keys are not usable as given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsKeyError {
    /// There is no key.
    #[error("there is no claims key")]
    None,
    /// The bytes given are not [`CLAIMS_KEY_LEN`] many.
    #[error("a claims key has {CLAIMS_KEY_LEN} bytes, found {len}")]
    Length {
        /// The length found, in bytes.
        len: usize,
    },
    /// Two keys have one id.
    #[error("two claims keys have the id {id}")]
    Duplicate {
        /// The id given twice.
        id: NonZeroU8,
    },
}

/// A stored tag was made under a claims key that this process does not have: neither a match nor a mismatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("claims key {id} is not known to this process")]
pub struct UnknownClaimsKey {
    /// The key id byte of the tag.
    pub id: u8,
}

impl ClaimsKey {
    /// The claims key of that id. The caller clears its copy of the bytes.
    pub fn try_new(id: NonZeroU8, secret: &[u8]) -> Result<Self, ClaimsKeyError> {
        if secret.len() == CLAIMS_KEY_LEN {
            Ok(Self {
                id,
                key: Key::new(HMAC_SHA256, secret),
            })
        } else {
            Err(ClaimsKeyError::Length { len: secret.len() })
        }
    }

    fn tag(&self, message: &[u8]) -> ClaimTag {
        let mut context = Context::with_key(&self.key);
        context.update(message);
        let mut tag = [self.id.get(); CLAIM_TAG_LEN];
        tag[1..].copy_from_slice(context.sign().as_ref());
        ClaimTag(tag)
    }
}

impl fmt::Debug for ClaimsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimsKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The claims keys of a process: one makes tags, all recognise them.
#[derive(Debug)]
pub struct ClaimsKeys {
    current: ClaimsKey,
    older: Vec<ClaimsKey>,
}

impl ClaimsKeys {
    /// The keys as settings hold them, the current one first.
    ///
    /// # Errors
    /// [`ClaimsKeyError`] when two have one id, or there is none.
    pub fn of(keys: &[(NonZeroU8, [u8; CLAIMS_KEY_LEN])]) -> Result<Self, ClaimsKeyError> {
        let mut keys = keys
            .iter()
            .map(|(id, secret)| ClaimsKey::try_new(*id, secret))
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(ClaimsKeyError::None);
        }
        let current = keys.remove(0);
        Self::try_new(current, keys)
    }

    /// Keys that make tags with `current` and recognise those of that and of all `older` ones.
    pub fn try_new(current: ClaimsKey, older: Vec<ClaimsKey>) -> Result<Self, ClaimsKeyError> {
        for (index, key) in older.iter().enumerate() {
            if key.id == current.id || older[..index].iter().any(|other| other.id == key.id) {
                return Err(ClaimsKeyError::Duplicate { id: key.id });
            }
        }
        Ok(Self { current, older })
    }

    /// The tag of a claim member, under the current key.
    pub fn claim_tag(&self, resource: RecordName<'_>, member: &[u8]) -> ClaimTag {
        self.current.tag(&claim_message(resource, member))
    }

    /// The tags of a claim member under every known key, the current first: what a uniqueness check asks for, so
    /// that a claim made before a rotation still stands.
    pub fn claim_tags(&self, resource: RecordName<'_>, member: &[u8]) -> Vec<ClaimTag> {
        let message = claim_message(resource, member);
        std::iter::once(&self.current)
            .chain(&self.older)
            .map(|key| key.tag(&message))
            .collect()
    }

    /// Whether a stored tag is of that claim member, in constant time.
    pub fn is_claim(
        &self,
        tag: &ClaimTag,
        resource: RecordName<'_>,
        member: &[u8],
    ) -> Result<bool, UnknownClaimsKey> {
        self.verify(tag, &claim_message(resource, member))
    }

    /// The tag of a request, under the current key.
    pub fn request_tag(&self, request: &RequestParts<'_>) -> ClaimTag {
        self.current.tag(&request_message(request))
    }

    /// The tags of a request under the keys that are not current: by them an outcome kept before a rotation is recognised.
    pub fn other_request_tags(&self, request: &RequestParts<'_>) -> Vec<ClaimTag> {
        if self.older.is_empty() {
            return Vec::new();
        }
        let message = request_message(request);
        self.older.iter().map(|key| key.tag(&message)).collect()
    }

    /// Whether a stored tag is of that request, in constant time.
    pub fn is_request(&self, tag: &ClaimTag, request: &RequestParts<'_>) -> Result<bool, UnknownClaimsKey> {
        self.verify(tag, &request_message(request))
    }

    fn verify(&self, tag: &ClaimTag, message: &[u8]) -> Result<bool, UnknownClaimsKey> {
        std::iter::once(&self.current)
            .chain(&self.older)
            .find(|key| key.id.get() == tag.key_id())
            .map(|key| verify(&key.key, message, tag.mac()).is_ok())
            .ok_or(UnknownClaimsKey { id: tag.key_id() })
    }
}

/// `praxis/claim/1`, the resource with its length, the member to the end.
fn claim_message(resource: RecordName<'_>, member: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(CLAIM_DOMAIN.len() + 4 + resource.as_bytes().len() + member.len());
    out.extend_from_slice(CLAIM_DOMAIN);
    put_prefixed(&mut out, resource.as_bytes());
    out.extend_from_slice(member);
    out
}

/// `praxis/request/1`, method and path with their lengths, a presence byte and `If-Match` with its length, the body
/// to the end.
fn request_message(request: &RequestParts<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(REQUEST_DOMAIN.len() + 96 + request.path.len() + request.body.len());
    out.extend_from_slice(REQUEST_DOMAIN);
    put_prefixed(&mut out, request.method.as_bytes());
    put_prefixed(&mut out, request.path.as_bytes());
    match request.if_match {
        None => out.push(0),
        Some(if_match) => {
            out.push(1);
            put_prefixed(&mut out, if_match.as_bytes());
        }
    }
    out.extend_from_slice(request.body);
    out
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU8;

    use super::{
        ClaimTag, ClaimsKey, ClaimsKeyError, ClaimsKeys, RequestParts, UnknownClaimsKey, claim_message,
    };
    use crate::record::names::RecordName;

    fn id(id: u8) -> NonZeroU8 {
        NonZeroU8::new(id).expect("not zero")
    }

    fn key(number: u8) -> ClaimsKey {
        ClaimsKey::try_new(id(number), &[number; 32]).expect("32 bytes")
    }

    fn keys(current: u8, older: &[u8]) -> ClaimsKeys {
        ClaimsKeys::try_new(key(current), older.iter().copied().map(key).collect()).expect("distinct ids")
    }

    fn name(text: &str) -> RecordName<'_> {
        RecordName::try_new(text).expect("a name")
    }

    const REQUEST: RequestParts<'_> = RequestParts {
        method: "POST",
        path: "/patients",
        if_match: None,
        body: b"{}",
    };

    #[test]
    fn a_claim_is_recognised_after_a_rotation_and_found_under_every_key() {
        let before = keys(1, &[]).claim_tag(name("email"), b"ada@example.org");
        let rotated = keys(2, &[1]);
        assert_eq!(before.as_bytes()[0], 1);
        assert_eq!(
            rotated.is_claim(&before, name("email"), b"ada@example.org"),
            Ok(true)
        );
        assert_eq!(
            rotated.is_claim(&before, name("email"), b"bea@example.org"),
            Ok(false)
        );
        let tags = rotated.claim_tags(name("email"), b"ada@example.org");
        assert_eq!(
            tags,
            [rotated.claim_tag(name("email"), b"ada@example.org"), before]
        );
    }

    #[test]
    fn a_tag_of_a_key_that_is_gone_neither_matches_nor_differs() {
        let tag = keys(1, &[]).request_tag(&REQUEST);
        assert_eq!(
            keys(2, &[]).is_request(&tag, &REQUEST),
            Err(UnknownClaimsKey { id: 1 })
        );
    }

    #[test]
    fn the_same_member_of_two_resources_has_unrelated_tags() {
        let keys = keys(1, &[]);
        assert_ne!(keys.claim_tag(name("a"), b"x"), keys.claim_tag(name("b"), b"x"));
        assert_ne!(keys.claim_tag(name("a"), b"bx"), keys.claim_tag(name("ab"), b"x"));
    }

    #[test]
    fn any_other_request_has_another_tag() {
        let keys = keys(1, &[]);
        let tag = keys.request_tag(&REQUEST);
        assert_eq!(keys.is_request(&tag, &REQUEST), Ok(true));
        for other in [
            RequestParts {
                method: "PUT",
                ..REQUEST
            },
            RequestParts {
                method: "POST/",
                path: "patients",
                ..REQUEST
            },
            RequestParts {
                path: "/patients?",
                ..REQUEST
            },
            RequestParts {
                if_match: Some(""),
                ..REQUEST
            },
            RequestParts {
                if_match: Some("\"3\""),
                ..REQUEST
            },
            RequestParts { body: b"", ..REQUEST },
            RequestParts {
                path: "/patients{",
                body: b"}",
                ..REQUEST
            },
        ] {
            assert_eq!(
                keys.is_request(&tag, &other),
                Ok(false),
                "{} {} {:?}",
                other.method,
                other.path,
                other.if_match
            );
        }
    }

    #[test]
    fn a_body_cannot_pass_for_an_if_match_header() {
        let keys = keys(1, &[]);
        let with_header = RequestParts {
            if_match: Some("\"3\""),
            body: b"{}",
            ..REQUEST
        };
        // What the header's framing would be with a presence byte and without one.
        for body in [&b"\x00\x00\x00\x03\"3\"{}"[..], b"\x00\x00\x03\"3\"{}"] {
            let in_the_body = RequestParts { body, ..REQUEST };
            assert_ne!(keys.request_tag(&with_header), keys.request_tag(&in_the_body));
        }
    }

    #[test]
    fn a_claim_cannot_pass_for_a_request() {
        let keys = keys(1, &[]);
        let claim = keys.claim_tag(name("POST"), b"{}");
        assert_eq!(keys.is_request(&claim, &REQUEST), Ok(false));
        assert!(
            claim_message(name("a"), b"").starts_with(b"praxis/claim/1\0"),
            "no later tag extends the domain"
        );
    }

    #[test]
    fn a_tag_has_exactly_one_text_of_44_letters() {
        let tag = keys(1, &[]).request_tag(&REQUEST);
        let text = tag.to_text();
        assert_eq!(text.len(), 44);
        assert_eq!(ClaimTag::try_from_text(&text), Some(tag));
        for wrong in [
            "",
            &text[..43],
            &format!("{text}="),
            &format!("{text}AAAA"),
            &text.replace(&text[..1], "+"),
        ] {
            assert_eq!(ClaimTag::try_from_text(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_changed_bit_of_a_tag_is_noticed() {
        let keys = keys(1, &[2]);
        let tag = keys.claim_tag(name("email"), b"ada@example.org");
        for index in 0..tag.as_bytes().len() {
            for bit in 0..8 {
                let mut bytes = *tag.as_bytes();
                bytes[index] ^= 1 << bit;
                let outcome = keys.is_claim(&ClaimTag::new(bytes), name("email"), b"ada@example.org");
                assert_ne!(outcome, Ok(true), "byte {index}, bit {bit}");
            }
        }
    }

    #[test]
    fn keys_of_another_length_or_with_one_id_are_refused() {
        for len in [0, 31, 33] {
            let outcome = ClaimsKey::try_new(id(1), &vec![1; len]).map(|_| ());
            assert_eq!(outcome, Err(ClaimsKeyError::Length { len }));
        }
        for older in [vec![key(1)], vec![key(2), key(1)]] {
            let outcome = ClaimsKeys::try_new(key(1), older).map(|_| ());
            assert_eq!(outcome, Err(ClaimsKeyError::Duplicate { id: id(1) }));
        }
        assert!(!format!("{:?}", key(7)).contains("Hmac"), "debug shows ids only");
    }
}
