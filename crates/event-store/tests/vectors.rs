//! Are the record's bytes still those that were fixed? Every checked-in vector, recomputed.
//!
//! The vectors were made by a program in another language from the byte tables alone (`scripts/check-vectors.py`
//! checks them without this crate). A vector that fails means that stored logs could no longer be read: the code is
//! wrong, never the vector.

#[cfg(test)]
mod vectors {
    use std::num::NonZeroU8;
    use std::path::Path;

    use praxis_event_store::record::boxes::{self, BoxKey, BoxPlace, OpenError, SealedBox};
    use praxis_event_store::record::claims_keys::{ClaimTag, ClaimsKey, ClaimsKeys, RequestParts};
    use praxis_event_store::record::command_key::command_key_hash;
    use praxis_event_store::record::frontier::Frontier;
    use praxis_event_store::record::hash::{Hash, sha256};
    use praxis_event_store::record::keys::{DataKey, Kek, KekRing, KeyOwner, UnwrapError, WrappedKey};
    use praxis_event_store::record::leaf::{LeafEntry, LeafFormat};
    use praxis_event_store::record::names::RecordName;
    use praxis_event_store::record::random::{RandomSource, RandomUnavailable};
    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use uuid::Uuid;
    use zeroize::Zeroizing;

    /// Bytes written as hexadecimal digits.
    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Hex(Vec<u8>);

    impl TryFrom<String> for Hex {
        type Error = String;

        fn try_from(text: String) -> Result<Self, Self::Error> {
            let digits = |pair: &[u8]| {
                std::str::from_utf8(pair)
                    .ok()
                    .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            };
            let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(digits).collect();
            bytes.map(Self).ok_or_else(|| format!("not hexadecimal: {text}"))
        }
    }

    impl Hex {
        fn array<const N: usize>(&self) -> [u8; N] {
            self.0
                .as_slice()
                .try_into()
                .expect("a vector of the right length")
        }
    }

    /// Gives the nonce of a vector.
    struct Fixed<'a>(&'a Hex);

    impl RandomSource for Fixed<'_> {
        fn fill(&self, dest: &mut [u8]) -> Result<(), RandomUnavailable> {
            dest.copy_from_slice(&self.0.0);
            Ok(())
        }
    }

    fn load<T: DeserializeOwned>(file: &str) -> T {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/vectors")
            .join(file);
        let text = std::fs::read_to_string(path).expect("a checked-in file");
        serde_json::from_str(&text).expect("vectors of the expected shape")
    }

    fn name(text: &str) -> RecordName<'_> {
        RecordName::try_new(text).expect("a name")
    }

    #[derive(Deserialize)]
    struct Boxes {
        boxes: Vec<BoxCase>,
        refused: Vec<RefusedBox>,
    }

    #[derive(Deserialize)]
    struct Place {
        log_id: Uuid,
        event_id: Uuid,
        stream_id: Uuid,
        stored_type: String,
        schema_version: u32,
        label: String,
        key_id: Uuid,
        data_key: Hex,
    }

    impl Place {
        fn place(&self) -> BoxPlace<'_> {
            BoxPlace {
                log_id: self.log_id,
                event_id: self.event_id,
                stream_id: self.stream_id,
                stored_type: name(&self.stored_type),
                schema_version: self.schema_version,
                label: name(&self.label),
            }
        }

        fn key(&self) -> DataKey {
            DataKey::new(self.key_id, Zeroizing::new(self.data_key.array()))
        }
    }

    #[derive(Deserialize)]
    struct BoxCase {
        name: String,
        #[serde(flatten)]
        place: Place,
        nonce: Hex,
        plaintext: Hex,
        box_key: Hex,
        associated_data: Hex,
        sealed: Hex,
        text: String,
    }

    #[derive(Deserialize)]
    struct RefusedBox {
        name: String,
        #[serde(flatten)]
        place: Place,
        text: String,
        refusal: String,
    }

    #[test]
    fn every_box_is_sealed_to_the_same_bytes_and_opens() {
        let boxes: Boxes = load("boxes.json");
        assert!(!boxes.boxes.is_empty());
        for case in boxes.boxes {
            let (place, key) = (case.place.place(), case.place.key());
            assert_eq!(
                place.associated_data(key.id()),
                case.associated_data.0,
                "{}",
                case.name
            );
            let sealed = boxes::seal(&place, &key, &case.plaintext.0, &Fixed(&case.nonce)).expect("sealed");
            assert_eq!(sealed.as_bytes(), case.sealed.0, "{}", case.name);
            assert_eq!(sealed.to_text(), case.text, "{}", case.name);

            let stored = SealedBox::try_from_text(&case.text).expect("a box");
            let opened = boxes::open(&place, &key, &stored).expect("opens");
            assert_eq!(opened.as_bytes(), case.plaintext.0, "{}", case.name);
            let disclosed = BoxKey::from_disclosed(key.id(), Zeroizing::new(case.box_key.array()));
            let opened = disclosed.open(&place, &stored).expect("opens");
            assert_eq!(opened.as_bytes(), case.plaintext.0, "{}", case.name);
        }
    }

    #[test]
    fn every_spoilt_box_is_refused_for_the_same_reason() {
        let boxes: Boxes = load("boxes.json");
        assert!(!boxes.refused.is_empty());
        for case in boxes.refused {
            let refusal = SealedBox::try_from_text(&case.text)
                .and_then(|sealed| boxes::open(&case.place.place(), &case.place.key(), &sealed))
                .expect_err(&case.name);
            let refusal = match refusal {
                OpenError::Malformed => "malformed",
                OpenError::UnknownFormat(_) => "unknown-format",
                OpenError::WrongKey => "wrong-key",
                OpenError::Tampered => "tampered",
                OpenError::Refused => "refused",
            };
            assert_eq!(refusal, case.refusal, "{}", case.name);
        }
    }

    #[derive(Deserialize)]
    struct Wraps {
        wraps: Vec<WrapCase>,
        refused: Vec<RefusedWrap>,
    }

    #[derive(Deserialize)]
    struct WrapPlace {
        kek_id: Uuid,
        kek: Hex,
        key_id: Uuid,
        subject_id: Uuid,
        log_id: Uuid,
    }

    impl WrapPlace {
        fn ring(&self) -> KekRing {
            let kek = Kek::try_new(self.kek_id, &self.kek.0).expect("32 bytes");
            KekRing::try_new(kek, Vec::new()).expect("one key")
        }

        fn owner(&self) -> KeyOwner {
            KeyOwner {
                subject_id: self.subject_id,
                log_id: self.log_id,
            }
        }

        fn unwrap_key(&self, wrapped: &Hex) -> Result<DataKey, UnwrapError> {
            let wrapped = WrappedKey {
                kek_id: self.kek_id,
                bytes: wrapped.0.clone(),
            };
            self.ring().unwrap_key(self.owner(), self.key_id, &wrapped)
        }
    }

    #[derive(Deserialize)]
    struct WrapCase {
        name: String,
        #[serde(flatten)]
        place: WrapPlace,
        data_key: Hex,
        nonce: Hex,
        wrapped: Hex,
    }

    #[derive(Deserialize)]
    struct RefusedWrap {
        name: String,
        #[serde(flatten)]
        place: WrapPlace,
        wrapped: Hex,
        refusal: String,
    }

    #[test]
    fn every_data_key_is_wrapped_to_the_same_bytes_and_unwraps() {
        let wraps: Wraps = load("wraps.json");
        assert!(!wraps.wraps.is_empty());
        for case in wraps.wraps {
            let key = DataKey::new(case.place.key_id, Zeroizing::new(case.data_key.array()));
            let ring = case.place.ring();
            let wrapped = ring
                .wrap_key(case.place.owner(), &key, &Fixed(&case.nonce))
                .expect("wrapped");
            assert_eq!(wrapped.bytes, case.wrapped.0, "{}", case.name);
            assert_eq!(wrapped.kek_id, case.place.kek_id, "{}", case.name);

            // A key does not show its bytes; that wrapping it again gives the same bytes shows that it is the same.
            let unwrapped = case.place.unwrap_key(&case.wrapped).expect("unwraps");
            let again = ring
                .wrap_key(case.place.owner(), &unwrapped, &Fixed(&case.nonce))
                .expect("wrapped");
            assert_eq!(again.bytes, case.wrapped.0, "{}", case.name);
        }
    }

    #[test]
    fn every_spoilt_wrap_is_refused_for_the_same_reason() {
        let wraps: Wraps = load("wraps.json");
        assert!(!wraps.refused.is_empty());
        for case in wraps.refused {
            let refusal = case
                .place
                .unwrap_key(&case.wrapped)
                .map(|key| key.id())
                .expect_err(&case.name);
            let refusal = match refusal {
                UnwrapError::UnknownKek { .. } => "unknown-kek",
                UnwrapError::UnknownFormat(_) => "unknown-format",
                UnwrapError::DoesNotUnwrap => "does-not-unwrap",
            };
            assert_eq!(refusal, case.refusal, "{}", case.name);
        }
    }

    #[derive(Deserialize)]
    struct ClaimVectors {
        claims: Vec<ClaimCase>,
        requests: Vec<RequestCase>,
        command_keys: Vec<CommandKeyCase>,
    }

    #[derive(Deserialize)]
    struct ClaimCase {
        name: String,
        key_id: NonZeroU8,
        key: Hex,
        resource: String,
        member: String,
        tag: Hex,
        text: String,
    }

    #[derive(Deserialize)]
    struct RequestCase {
        name: String,
        key_id: NonZeroU8,
        key: Hex,
        method: String,
        path: String,
        if_match: Option<String>,
        body: Hex,
        tag: Hex,
    }

    #[derive(Deserialize)]
    struct CommandKeyCase {
        name: String,
        account_id: Uuid,
        key: String,
        hash: Hex,
    }

    fn claims_keys(id: NonZeroU8, key: &Hex) -> ClaimsKeys {
        let key = ClaimsKey::try_new(id, &key.0).expect("32 bytes");
        ClaimsKeys::try_new(key, Vec::new()).expect("one key")
    }

    #[test]
    fn every_claim_has_the_same_tag() {
        let claims: ClaimVectors = load("claims.json");
        assert!(!claims.claims.is_empty());
        for case in claims.claims {
            let keys = claims_keys(case.key_id, &case.key);
            let tag = keys.claim_tag(name(&case.resource), case.member.as_bytes());
            assert_eq!(tag, ClaimTag::new(case.tag.array()), "{}", case.name);
            assert_eq!(tag.to_text(), case.text, "{}", case.name);
            assert_eq!(
                keys.is_claim(&tag, name(&case.resource), case.member.as_bytes()),
                Ok(true),
                "{}",
                case.name
            );
        }
    }

    #[test]
    fn every_request_has_the_same_tag() {
        let claims: ClaimVectors = load("claims.json");
        assert!(!claims.requests.is_empty());
        for case in claims.requests {
            let keys = claims_keys(case.key_id, &case.key);
            let request = RequestParts {
                method: &case.method,
                path: &case.path,
                if_match: case.if_match.as_deref(),
                body: &case.body.0,
            };
            let tag = ClaimTag::new(case.tag.array());
            assert_eq!(keys.request_tag(&request), tag, "{}", case.name);
            assert_eq!(keys.is_request(&tag, &request), Ok(true), "{}", case.name);
        }
    }

    #[test]
    fn every_command_key_has_the_same_hash() {
        let claims: ClaimVectors = load("claims.json");
        assert!(!claims.command_keys.is_empty());
        for case in claims.command_keys {
            assert_eq!(
                command_key_hash(case.account_id, &case.key),
                case.hash.array::<32>(),
                "{}",
                case.name
            );
        }
    }

    #[derive(Deserialize)]
    struct Entries {
        entries: Vec<EntryCase>,
    }

    #[derive(Deserialize)]
    struct EntryCase {
        name: String,
        format: u8,
        log_id: Uuid,
        position: u64,
        recorded_at_us: i64,
        stream_id: Uuid,
        stream_version: u64,
        event_id: Uuid,
        schema_version: u32,
        stream_type: String,
        event_type: String,
        subject_id: Option<Uuid>,
        metadata: String,
        payload: String,
        entry: Hex,
        leaf_hash: Hex,
    }

    #[test]
    fn every_leaf_entry_has_the_same_bytes_and_hash() {
        let entries: Entries = load("leaf-entries.json");
        assert!(!entries.entries.is_empty());
        for case in entries.entries {
            let entry = LeafEntry {
                format: LeafFormat::try_from(case.format).expect("known"),
                log_id: case.log_id,
                position: case.position,
                recorded_at_us: case.recorded_at_us,
                stream_id: case.stream_id,
                stream_version: case.stream_version,
                event_id: case.event_id,
                schema_version: case.schema_version,
                stream_type: name(&case.stream_type),
                event_type: name(&case.event_type),
                subject_id: case.subject_id,
                metadata_hash: sha256(case.metadata.as_bytes()),
                payload_hash: sha256(case.payload.as_bytes()),
            };
            assert_eq!(entry.to_bytes(), case.entry.0, "{}", case.name);
            assert_eq!(entry.leaf_hash(), case.leaf_hash.array::<32>(), "{}", case.name);
        }
    }

    #[derive(Deserialize)]
    struct Tree {
        roots: Vec<Hex>,
        frontiers: Vec<FrontierCase>,
    }

    #[derive(Deserialize)]
    struct FrontierCase {
        size: u64,
        bytes: Hex,
    }

    fn tree_leaf(index: u64) -> Hash {
        let mut input = vec![0];
        input.extend_from_slice(&index.to_be_bytes());
        sha256(&input)
    }

    #[test]
    fn every_size_has_the_same_root_and_frontier() {
        let tree: Tree = load("frontier-roots.json");
        assert_eq!(tree.roots.len(), 71);
        assert!(!tree.frontiers.is_empty());
        let mut frontier = Frontier::new();
        for root in &tree.roots {
            assert_eq!(frontier.root(), root.array::<32>(), "size {}", frontier.size());
            for case in tree.frontiers.iter().filter(|case| case.size == frontier.size()) {
                assert_eq!(frontier.to_bytes(), case.bytes.0, "size {}", case.size);
                assert_eq!(
                    Frontier::try_from_bytes(&case.bytes.0).as_ref(),
                    Ok(&frontier),
                    "size {}",
                    case.size
                );
            }
            let next = frontier.size();
            frontier
                .append(next + 1, tree_leaf(next))
                .expect("the next position");
        }
        assert!(
            tree.frontiers.iter().all(|case| case.size < frontier.size()),
            "every frontier was compared"
        );
    }
}
