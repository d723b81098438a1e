//! What a box promises: it opens in its place with its key, and nowhere and with nothing else.

use proptest::prelude::*;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{BOX_OVERHEAD_LEN, BoxKey, BoxPlace, OpenError, SealError, SealedBox, open, seal};
use crate::record::keys::DataKey;
use crate::record::names::RecordName;
use crate::record::random::testing::{Counting, Dry};

fn name(text: &str) -> RecordName<'_> {
    RecordName::try_new(text).expect("a name")
}

fn place() -> BoxPlace<'static> {
    BoxPlace {
        log_id: Uuid::from_u128(1),
        event_id: Uuid::from_u128(2),
        stream_id: Uuid::from_u128(3),
        stored_type: name("patient.registered"),
        schema_version: 1,
        label: name("name"),
    }
}

fn data_key(id: u128, byte: u8) -> DataKey {
    DataKey::new(Uuid::from_u128(id), Zeroizing::new([byte; 32]))
}

fn sealed(plaintext: &[u8]) -> SealedBox {
    seal(&place(), &data_key(7, 7), plaintext, &Counting::default()).expect("sealed")
}

#[test]
fn a_box_opens_to_what_was_sealed() {
    for plaintext in [&b""[..], b"{}", &[0xff; 4096]] {
        let sealed = sealed(plaintext);
        assert_eq!(sealed.as_bytes().len(), BOX_OVERHEAD_LEN + plaintext.len());
        assert_eq!(sealed.key_id(), Uuid::from_u128(7));
        let read_back = SealedBox::try_from_text(&sealed.to_text()).expect("its own text");
        let opened = open(&place(), &data_key(7, 7), &read_back).expect("opens");
        assert_eq!(opened.as_bytes(), plaintext);
    }
}

#[test]
fn the_same_text_sealed_twice_gives_two_boxes_that_share_no_ciphertext() {
    let random = Counting::default();
    let boxes = [(); 2].map(|()| seal(&place(), &data_key(7, 7), b"same", &random).expect("sealed"));
    assert_ne!(boxes[0].nonce(), boxes[1].nonce());
    assert_ne!(boxes[0].sealed_parts().1, boxes[1].sealed_parts().1);
}

#[test]
fn without_randomness_nothing_is_sealed() {
    let refused = seal(&place(), &data_key(7, 7), b"x", &Dry);
    assert!(matches!(refused, Err(SealError::Random(_))), "{refused:?}");
}

#[test]
fn another_key_another_key_id_another_event_or_label_is_the_wrong_key() {
    let sealed = sealed(b"Ada");
    for wrong in [data_key(7, 8), data_key(8, 7)] {
        assert_eq!(open(&place(), &wrong, &sealed), Err(OpenError::WrongKey));
    }
    for moved in [
        BoxPlace {
            event_id: Uuid::from_u128(9),
            ..place()
        },
        BoxPlace {
            label: name("names"),
            ..place()
        },
        BoxPlace {
            label: name("nam"),
            ..place()
        },
    ] {
        assert_eq!(
            open(&moved, &data_key(7, 7), &sealed),
            Err(OpenError::WrongKey),
            "{moved:?}"
        );
    }
}

#[test]
fn another_log_stream_type_or_version_is_tampering() {
    let sealed = sealed(b"Ada");
    for moved in [
        BoxPlace {
            log_id: Uuid::from_u128(9),
            ..place()
        },
        BoxPlace {
            stream_id: Uuid::from_u128(9),
            ..place()
        },
        BoxPlace {
            stored_type: name("patient.corrected"),
            ..place()
        },
        BoxPlace {
            schema_version: 2,
            ..place()
        },
    ] {
        assert_eq!(
            open(&moved, &data_key(7, 7), &sealed),
            Err(OpenError::Tampered),
            "{moved:?}"
        );
    }
}

#[test]
fn every_flipped_bit_is_noticed_and_named_by_where_it_stands() {
    let sealed = sealed(b"Ada");
    for index in 0..sealed.as_bytes().len() {
        for bit in 0..8 {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[index] ^= 1 << bit;
            let outcome = SealedBox::try_from_bytes(bytes)
                .and_then(|damaged| open(&place(), &data_key(7, 7), &damaged));
            let expected = match index {
                0 => OpenError::UnknownFormat(1 ^ (1 << bit)),
                1..17 | 29..61 => OpenError::WrongKey,
                _ => OpenError::Tampered,
            };
            assert_eq!(outcome, Err(expected), "byte {index}, bit {bit}");
        }
    }
}

#[test]
fn every_shortened_or_lengthened_box_is_refused() {
    let sealed = sealed(b"Ada");
    let len = sealed.as_bytes().len();
    for kept in 0..len {
        let outcome = SealedBox::try_from_bytes(sealed.as_bytes()[..kept].to_vec())
            .and_then(|short| open(&place(), &data_key(7, 7), &short));
        let expected = if kept < BOX_OVERHEAD_LEN {
            OpenError::Malformed
        } else {
            OpenError::Tampered
        };
        assert_eq!(outcome, Err(expected), "{kept} of {len} bytes");
    }
    let longer = SealedBox::try_from_bytes([sealed.as_bytes(), &[0]].concat()).expect("long enough");
    assert_eq!(open(&place(), &data_key(7, 7), &longer), Err(OpenError::Tampered));
}

#[test]
fn a_box_has_exactly_one_text() {
    let sealed = sealed(b"Ada!!");
    let text = sealed.to_text();
    assert_eq!(
        sealed.as_bytes().len() % 3,
        1,
        "the last letter carries stray bits"
    );
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    );
    let stray_bit = match text.as_bytes()[text.len() - 1] {
        b'A' => "B",
        b'Q' => "R",
        b'g' => "h",
        _ => "x",
    };
    let unclean = format!("{}{stray_bit}", &text[..text.len() - 1]);
    for wrong in [
        unclean,
        format!("{text}=="),
        format!("{text} "),
        format!("{text}\n"),
        text.replace(&text[..1], "+"),
        String::new(),
    ] {
        assert_eq!(
            SealedBox::try_from_text(&wrong),
            Err(OpenError::Malformed),
            "{wrong}"
        );
    }
}

#[test]
fn a_disclosed_key_opens_its_box_and_no_other() {
    let random = Counting::default();
    let key = data_key(7, 7);
    let other_place = BoxPlace {
        event_id: Uuid::from_u128(9),
        ..place()
    };
    let sealed = seal(&place(), &key, b"Ada", &random).expect("sealed");
    let other = seal(&other_place, &key, b"Bea", &random).expect("sealed");

    let handed_over = BoxKey::derive(&key, place().event_id, place().label)
        .expect("derived")
        .disclose();
    let disclosed = BoxKey::from_disclosed(key.id(), handed_over);

    assert_eq!(
        disclosed.open(&place(), &sealed).expect("opens").as_bytes(),
        b"Ada"
    );
    assert_eq!(disclosed.open(&other_place, &other), Err(OpenError::WrongKey));
    assert_eq!(disclosed.open(&place(), &other), Err(OpenError::WrongKey));
}

#[test]
fn debug_shows_no_secret() {
    let key = data_key(7, 0xab);
    let box_key = BoxKey::derive(&key, place().event_id, place().label).expect("derived");
    let opened = open(&place(), &data_key(7, 7), &sealed(b"Ada")).expect("opens");
    let shown = format!("{key:?} {box_key:?} {opened:?}");
    assert!(shown.contains("len: 3"), "{shown}");
    assert!(!shown.contains('['), "no bytes at all: {shown}");
    for secret in ["171", "0xab", "abab", "65, 100, 97", "Ada"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

proptest! {
    #[test]
    fn any_two_places_have_different_associated_data(
        ids in any::<[[u8; 4]; 2]>(),
        versions in any::<[u32; 2]>(),
        types in ["[a-c.]{1,3}", "[a-c.]{1,3}"],
        labels in ["[a-c.]{1,3}", "[a-c.]{1,3}"],
    ) {
        let built: Vec<_> = (0..2).map(|side| {
            let [log, event, stream, key] = ids[side].map(|byte| Uuid::from_u128(u128::from(byte % 2)));
            let place = BoxPlace {
                log_id: log,
                event_id: event,
                stream_id: stream,
                stored_type: name(&types[side]),
                schema_version: versions[side] % 2,
                label: name(&labels[side]),
            };
            (place, key)
        }).collect();
        let data = [0, 1].map(|side: usize| built[side].0.associated_data(built[side].1));
        prop_assert_eq!(built[0] == built[1], data[0] == data[1]);
    }

    #[test]
    fn any_plaintext_opens_again_and_any_changed_byte_does_not(
        plaintext in proptest::collection::vec(any::<u8>(), 0..600),
        at in any::<prop::sample::Index>(),
        change in 1_u8..,
    ) {
        let sealed = sealed(&plaintext);
        let opened = open(&place(), &data_key(7, 7), &sealed).expect("opens");
        prop_assert_eq!(opened.as_bytes(), plaintext);
        let mut bytes = sealed.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        let outcome = SealedBox::try_from_bytes(bytes).and_then(|damaged| open(&place(), &data_key(7, 7), &damaged));
        prop_assert!(outcome.is_err());
    }
}
