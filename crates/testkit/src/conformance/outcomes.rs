//! Is it forgotten what commands were answered long ago, and nothing else?

use praxis_event_store::outcomes::{OutcomePage, forget_before};
use praxis_event_store::port::StoredCommand;

use super::sample::{RECORDED_AT, command, commit};
use super::{LogUnderTest, Outcome};

fn recorded(byte: u8, at: i64) -> StoredCommand {
    StoredCommand {
        recorded_at: at,
        ..command(byte)
    }
}

async fn keep(log: &LogUnderTest, commands: Vec<StoredCommand>) -> Outcome {
    commit(log, |mut rows| {
        rows.commands = commands;
        rows
    })
    .await?;
    Ok(())
}

async fn kept(log: &LogUnderTest, bytes: &[u8]) -> Outcome<Vec<u8>> {
    let mut there = Vec::new();
    for byte in bytes {
        if log.reader.command([*byte; 32]).await?.is_some() {
            there.push(*byte);
        }
    }
    Ok(there)
}

/// The instant itself is kept, what is a microsecond older is not.
pub async fn outcomes_older_than_an_instant_are_forgotten(log: LogUnderTest) -> Outcome {
    let outcomes = vec![
        recorded(1, RECORDED_AT - 1),
        recorded(2, RECORDED_AT),
        recorded(3, i64::MIN),
        recorded(0xff, RECORDED_AT - 1),
    ];
    keep(&log, outcomes).await?;
    assert_eq!(forget_before(log.outcomes.as_ref(), RECORDED_AT).await?, 3);
    assert_eq!(kept(&log, &[1, 2, 3, 0xff]).await?, [2]);
    assert_eq!(forget_before(log.outcomes.as_ref(), RECORDED_AT).await?, 0);
    Ok(())
}

/// Page by page in the order of keys, and no further than the page.
pub async fn a_page_of_outcomes_has_its_limit(log: LogUnderTest) -> Outcome {
    keep(&log, (1..=5).map(|byte| recorded(byte, RECORDED_AT)).collect()).await?;
    let page = log.outcomes.forget_outcomes([1; 32], 2, i64::MAX).await?;
    let expected = OutcomePage {
        last_key: Some([3; 32]),
        forgotten: 2,
    };
    assert_eq!(page, expected);
    assert_eq!(kept(&log, &[1, 2, 3, 4, 5]).await?, [1, 4, 5]);
    let page = log.outcomes.forget_outcomes([5; 32], 2, i64::MAX).await?;
    assert_eq!((page.last_key, page.forgotten), (None, 0));
    Ok(())
}

/// A key that was forgotten can be used again.
pub async fn a_forgotten_key_is_as_good_as_new(log: LogUnderTest) -> Outcome {
    keep(&log, vec![recorded(7, RECORDED_AT)]).await?;
    forget_before(log.outcomes.as_ref(), i64::MAX).await?;
    let again = recorded(7, RECORDED_AT + 1);
    keep(&log, vec![again]).await?;
    assert_eq!(log.reader.command([7; 32]).await?, Some(again));
    assert_eq!(
        log.reader.head().await?.position,
        0,
        "the log itself is as it was"
    );
    Ok(())
}

/// What an append decides under the head lock holds until its commit.
pub async fn nothing_is_forgotten_while_another_holds_the_head(log: LogUnderTest) -> Outcome {
    keep(&log, vec![recorded(7, RECORDED_AT)]).await?;
    let tx = log.other_writer.begin().await?;
    let forgetting = forget_before(log.outcomes.as_ref(), i64::MAX).await;
    assert!(forgetting.is_err(), "{forgetting:?}");
    assert_eq!(kept(&log, &[7]).await?, [7]);
    tx.rollback().await?;
    assert_eq!(forget_before(log.outcomes.as_ref(), i64::MAX).await?, 1);
    Ok(())
}
