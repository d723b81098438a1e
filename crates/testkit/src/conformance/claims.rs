//! Who owns what: claims are taken, kept apart, and released by their owner alone?

use praxis_event_store::append::Claim;
use praxis_event_store::port::{Lookup, Rows};
use uuid::Uuid;

use super::sample::{claim, commit, id};
use super::{LogUnderTest, Outcome};

/// The owners of a member of the resource `test`, in order, as reader and transaction say alike.
async fn owners(log: &LogUnderTest, member: &[u8]) -> Outcome<Vec<Uuid>> {
    let mut read = log.reader.claim_owners(b"test", member).await?;
    read.sort_unstable();
    let asked = (b"test".to_vec(), member.to_vec());
    let lookup = Lookup {
        claims: vec![asked.clone()],
        ..Lookup::default()
    };
    let mut found = log
        .writer
        .begin()
        .await?
        .look_up(&lookup)
        .await?
        .claims
        .remove(&asked)
        .unwrap_or_default();
    found.sort_unstable();
    assert_eq!(read, found);
    Ok(read)
}

/// A member may have several owners, of whom one leaves.
pub async fn a_member_has_the_owners_that_took_it(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| Rows {
        claims_taken: vec![claim(b"a", 1), claim(b"a", 2), claim(b"b", 3)],
        ..rows
    })
    .await?;
    assert_eq!(owners(&log, b"a").await?, [id(1), id(2)]);
    commit(&log, |rows| Rows {
        claims_released: vec![claim(b"a", 1)],
        ..rows
    })
    .await?;
    assert_eq!(owners(&log, b"a").await?, [id(2)]);
    assert_eq!(owners(&log, b"b").await?, [id(3)]);
    assert!(owners(&log, b"c").await?.is_empty());
    Ok(())
}

/// A release names the owner, so another's claim stays.
pub async fn a_claim_is_released_by_its_owner_only(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| Rows {
        claims_taken: vec![claim(b"a", 1)],
        ..rows
    })
    .await?;
    commit(&log, |rows| Rows {
        claims_released: vec![claim(b"a", 2)],
        ..rows
    })
    .await?;
    assert_eq!(owners(&log, b"a").await?, [id(1)]);
    Ok(())
}

/// Within one batch releases come before what is taken, so one owner can follow another.
pub async fn a_claim_changes_hands_within_a_batch(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| Rows {
        claims_taken: vec![claim(b"a", 1), claim(b"b", 1)],
        ..rows
    })
    .await?;
    commit(&log, |rows| Rows {
        claims_released: vec![claim(b"a", 1), claim(b"b", 1)],
        claims_taken: vec![claim(b"a", 2), claim(b"b", 1)],
        ..rows
    })
    .await?;
    assert_eq!(owners(&log, b"a").await?, [id(2)]);
    assert_eq!(owners(&log, b"b").await?, [id(1)]);
    Ok(())
}

/// Where resource ends and member begins matters.
pub async fn resource_and_member_are_kept_apart(log: LogUnderTest) -> Outcome {
    let of = |resource: &[u8], member: &[u8], owner| Claim {
        resource: resource.to_vec(),
        member: member.to_vec(),
        ..claim(b"", owner)
    };
    commit(&log, |rows| Rows {
        claims_taken: vec![of(b"ab", b"c", 1), of(b"a", b"bc", 2)],
        ..rows
    })
    .await?;
    assert_eq!(log.reader.claim_owners(b"ab", b"c").await?, [id(1)]);
    assert_eq!(log.reader.claim_owners(b"a", b"bc").await?, [id(2)]);
    assert!(log.reader.claim_owners(b"abc", b"").await?.is_empty());
    commit(&log, |rows| Rows {
        claims_released: vec![of(b"ab", b"c", 1)],
        ..rows
    })
    .await?;
    assert!(log.reader.claim_owners(b"ab", b"c").await?.is_empty());
    assert_eq!(log.reader.claim_owners(b"a", b"bc").await?, [id(2)]);
    Ok(())
}

/// The longest names, of every byte there is.
pub async fn the_longest_names_come_back_whole(log: LogUnderTest) -> Outcome {
    let resource: Vec<u8> = (224..=255).collect();
    let member: Vec<u8> = (0..64).collect();
    let longest = Claim {
        resource: resource.clone(),
        member: member.clone(),
        ..claim(b"", 1)
    };
    commit(&log, |rows| Rows {
        claims_taken: vec![longest.clone()],
        ..rows
    })
    .await?;
    assert_eq!(log.reader.claim_owners(&resource, &member).await?, [id(1)]);
    assert!(
        log.reader
            .claim_owners(&resource, &member[..63])
            .await?
            .is_empty()
    );
    commit(&log, |rows| Rows {
        claims_released: vec![longest],
        ..rows
    })
    .await?;
    assert!(log.reader.claim_owners(&resource, &member).await?.is_empty());
    Ok(())
}
