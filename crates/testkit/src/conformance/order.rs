//! Is there one order: a head that is locked, dense positions, and nothing seen before it is committed?

use praxis_event_store::port::Head;

use super::{LogUnderTest, Outcome};

/// The head of a log that nothing was appended to.
pub async fn a_new_log_is_empty_at_position_zero_and_epoch_one(log: LogUnderTest) -> Outcome {
    let empty = Head {
        log_id: log.log_id,
        epoch: 1,
        position: 0,
        recorded_at: 0,
        tombstone_position: 0,
    };
    assert_eq!(log.reader.head().await?, empty);
    assert_eq!(log.reader.read_log(0, 10).await?, []);
    let tx = log.writer.begin().await?;
    assert_eq!(*tx.head(), empty);
    tx.rollback().await?;
    Ok(())
}
