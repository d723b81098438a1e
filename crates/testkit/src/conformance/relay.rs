//! Does one relay lead at a time, and does progress survive a change of leader?

use std::sync::Arc;
use std::time::Duration;

use praxis_event_store::port::{RelayState, RelayStore};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::sample::id;
use super::{LogUnderTest, Outcome};

/// Longer than any test.
const LONG_MS: u32 = 600_000;

async fn lead(relay: &dyn RelayStore, holder: Uuid, ttl_ms: u32) -> Outcome<RelayState> {
    relay
        .lease(holder, ttl_ms)
        .await?
        .ok_or_else(|| anyhow::anyhow!("another leads"))
}

/// Asks until the lease of the one before has run out.
async fn lead_when_expired(relay: &dyn RelayStore, holder: Uuid) -> Outcome<RelayState> {
    for _ in 0..500 {
        if let Some(state) = relay.lease(holder, LONG_MS).await? {
            return Ok(state);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    anyhow::bail!("the lease does not end")
}

/// Nothing is published yet, and somebody leads.
pub async fn the_first_leader_starts_at_the_beginning(log: LogUnderTest) -> Outcome {
    let state = lead(&*log.relay, id(1), LONG_MS).await?;
    assert!(state.term >= 1);
    assert_eq!(
        state,
        RelayState {
            term: state.term,
            position: 0,
            partitions: vec![],
            frontier: vec![]
        }
    );
    Ok(())
}

/// While one leads, another does not.
pub async fn a_lease_excludes_others(log: LogUnderTest) -> Outcome {
    lead(&*log.relay, id(1), LONG_MS).await?;
    assert_eq!(log.relay.lease(id(2), LONG_MS).await?, None);
    assert_eq!(log.relay.lease(id(2), 0).await?, None);
    Ok(())
}

/// Renewing keeps the term, however often.
pub async fn renewing_keeps_the_term(log: LogUnderTest) -> Outcome {
    let first = lead(&*log.relay, id(1), LONG_MS).await?;
    for _ in 0..3 {
        assert_eq!(lead(&*log.relay, id(1), LONG_MS).await?, first);
    }
    assert_eq!(log.relay.lease(id(2), LONG_MS).await?, None);
    Ok(())
}

/// A lease ends by the clock; the next leader has a later term, and the one before cannot save.
pub async fn an_expired_lease_is_taken_over(log: LogUnderTest) -> Outcome {
    let old = lead(&*log.relay, id(1), 20).await?;
    let new = lead_when_expired(&*log.relay, id(2)).await?;
    assert!(new.term > old.term);
    assert!(!log.relay.save(id(1), &RelayState { position: 5, ..old }).await?);
    assert_eq!(log.relay.lease(id(1), LONG_MS).await?, None);
    assert_eq!(lead(&*log.relay, id(2), LONG_MS).await?, new);
    Ok(())
}

/// A lease made longer in time does not end when it first would have.
pub async fn a_renewed_lease_lasts(log: LogUnderTest) -> Outcome {
    lead(&*log.relay, id(1), 30).await?;
    lead(&*log.relay, id(1), LONG_MS).await?;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(log.relay.lease(id(2), LONG_MS).await?, None);
    Ok(())
}

/// What a leader saved is where the next one begins.
pub async fn progress_is_handed_over(log: LogUnderTest) -> Outcome {
    let leading = lead(&*log.relay, id(1), LONG_MS).await?;
    let saved = RelayState {
        position: i64::MAX.unsigned_abs(),
        partitions: (0..12)
            .map(|partition| partition * 1_000_000_007)
            .chain([i64::MAX.unsigned_abs()])
            .collect(),
        frontier: (0..=255).cycle().take(2_048).collect(),
        ..leading
    };
    assert!(log.relay.save(id(1), &saved).await?);
    assert_eq!(lead(&*log.relay, id(1), LONG_MS).await?, saved);
    log.relay.release(id(1)).await?;
    let next = lead(&*log.relay, id(2), LONG_MS).await?;
    assert!(next.term > saved.term);
    assert_eq!(
        next,
        RelayState {
            term: next.term,
            ..saved
        }
    );
    Ok(())
}

/// Saving what is there already is saving too.
pub async fn saving_twice_is_saving(log: LogUnderTest) -> Outcome {
    let leading = lead(&*log.relay, id(1), LONG_MS).await?;
    assert!(log.relay.save(id(1), &leading).await?);
    assert!(log.relay.save(id(1), &leading).await?);
    Ok(())
}

/// Neither a term that is not the row's nor a holder that does not lead can save.
pub async fn only_the_leader_of_the_term_saves(log: LogUnderTest) -> Outcome {
    let leading = lead(&*log.relay, id(1), LONG_MS).await?;
    let ahead = RelayState {
        position: 9,
        ..leading.clone()
    };
    assert!(!log.relay.save(id(2), &ahead).await?);
    assert!(
        !log.relay
            .save(
                id(1),
                &RelayState {
                    term: leading.term + 1,
                    ..ahead.clone()
                }
            )
            .await?
    );
    assert!(
        !log.relay
            .save(
                id(1),
                &RelayState {
                    term: leading.term - 1,
                    ..ahead
                }
            )
            .await?
    );
    assert_eq!(lead(&*log.relay, id(1), LONG_MS).await?, leading);
    Ok(())
}

/// A leader that goes leaves at once; the term it had is over even for itself.
pub async fn a_released_lease_is_free_at_once(log: LogUnderTest) -> Outcome {
    let first = lead(&*log.relay, id(1), LONG_MS).await?;
    log.relay.release(id(1)).await?;
    assert!(!log.relay.save(id(1), &first).await?);
    let second = lead(&*log.relay, id(2), LONG_MS).await?;
    assert!(second.term > first.term);
    Ok(())
}

/// Who does not lead releases nothing.
pub async fn only_the_leader_releases(log: LogUnderTest) -> Outcome {
    log.relay.release(id(2)).await?;
    let leading = lead(&*log.relay, id(1), LONG_MS).await?;
    log.relay.release(id(2)).await?;
    assert_eq!(log.relay.lease(id(2), LONG_MS).await?, None);
    assert!(log.relay.save(id(1), &leading).await?);
    Ok(())
}

/// Of many that ask at once, one leads.
pub async fn one_of_many_leads(log: LogUnderTest) -> Outcome {
    let mut tasks = JoinSet::new();
    for holder in 1..=8 {
        let relay = Arc::clone(&log.relay);
        tasks.spawn(async move { relay.lease(id(holder), LONG_MS).await });
    }
    let mut leaders = 0;
    while let Some(lease) = tasks.join_next().await {
        leaders += usize::from(lease??.is_some());
    }
    assert_eq!(leaders, 1);
    Ok(())
}
