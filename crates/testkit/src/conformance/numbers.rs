//! Is no number ever given twice?

use std::collections::HashSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::{LogUnderTest, Outcome};

/// Numbers start at 1 and follow each other, whichever process asks.
pub async fn numbers_start_at_one_and_follow(log: LogUnderTest) -> Outcome {
    assert_eq!(log.writer.reserve_numbers("patient", 1).await?, 1);
    assert_eq!(log.writer.reserve_numbers("patient", 10).await?, 2);
    assert_eq!(log.other_writer.reserve_numbers("patient", 1).await?, 12);
    assert_eq!(log.writer.reserve_numbers("patient", 1).await?, 13);
    Ok(())
}

/// Each counter counts for itself.
pub async fn counters_are_kept_apart(log: LogUnderTest) -> Outcome {
    assert_eq!(log.writer.reserve_numbers("patient", 5).await?, 1);
    assert_eq!(log.writer.reserve_numbers("Patient", 5).await?, 1);
    assert_eq!(log.writer.reserve_numbers("invoice", 1).await?, 1);
    assert_eq!(log.writer.reserve_numbers("patient", 1).await?, 6);
    Ok(())
}

/// The largest range there is.
pub async fn a_range_may_be_as_large_as_its_type(log: LogUnderTest) -> Outcome {
    assert_eq!(log.writer.reserve_numbers("patient", u32::MAX).await?, 1);
    assert_eq!(
        log.writer.reserve_numbers("patient", u32::MAX).await?,
        1 + u64::from(u32::MAX)
    );
    assert_eq!(
        log.writer.reserve_numbers("patient", 1).await?,
        1 + 2 * u64::from(u32::MAX)
    );
    Ok(())
}

/// Many tasks of two processes, ranges of several lengths.
pub async fn concurrent_ranges_never_meet(log: LogUnderTest) -> Outcome {
    let mut tasks = JoinSet::new();
    for task in 0..8_u32 {
        let writer = Arc::clone(if task % 2 == 0 {
            &log.writer
        } else {
            &log.other_writer
        });
        tasks.spawn(async move {
            let mut ranges = Vec::new();
            for round in 0..10 {
                let count = 1 + (task + round) % 3;
                let first = writer.reserve_numbers("patient", count).await?;
                ranges.push(first..first + u64::from(count));
            }
            Outcome::Ok(ranges)
        });
    }
    let mut given = HashSet::new();
    while let Some(ranges) = tasks.join_next().await {
        for number in ranges??.into_iter().flatten() {
            assert!(given.insert(number), "{number} was given twice");
        }
    }
    let next = log.writer.reserve_numbers("patient", 1).await?;
    assert!(given.iter().all(|number| (1..next).contains(number)));
    Ok(())
}
