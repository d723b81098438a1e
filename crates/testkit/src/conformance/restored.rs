//! Is a log read for what it is, and does it begin another life once and for all?

use std::sync::{Mutex, PoisonError};

use praxis_event_store::audit::{Audited, Expected, audit};
use praxis_event_store::port::{RelayState, Rows};
use praxis_event_store::record::frontier::Frontier;
use praxis_event_store::record::leaf::recomputed_leaf_hash;
use praxis_event_store::restore::{BeginLifeError, NewLife};

use super::sample::{RECORDED_AT, commit, id, stream, with_events_at};
use super::{LogUnderTest, Outcome};

/// Events of two streams in turn, each with the leaf hash that is its own.
async fn write_sound(log: &LogUnderTest, len: u64) -> Outcome<Rows> {
    let log_id = log.log_id.0;
    commit(log, |mut rows| {
        for round in 0..len {
            let (of, version) = (u128::from(round % 2) + 1, round / 2);
            rows = with_events_at(rows, stream(of), version, 1, RECORDED_AT);
        }
        for event in &mut rows.events {
            event.leaf_hash = recomputed_leaf_hash(log_id, event).expect("a leaf of the current format");
        }
        rows
    })
    .await
}

async fn audited(log: &LogUnderTest, expected: &[Expected]) -> Outcome<(Audited, Vec<String>)> {
    let faults = Mutex::new(Vec::new());
    let audited = audit(log.audit.as_ref(), expected, &mut |fault| {
        let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.push(fault.to_string());
    })
    .await?;
    Ok((
        audited,
        faults.into_inner().unwrap_or_else(PoisonError::into_inner),
    ))
}

async fn new_life(log: &LogUnderTest) -> Outcome<NewLife> {
    let (audited, _) = audited(log, &[]).await?;
    Ok(NewLife {
        frontier: audited
            .frontier
            .map(|frontier| frontier.to_bytes())
            .unwrap_or_default(),
        verified: audited.head,
        above_epoch: 0,
        numbers_skipped: 10,
    })
}

/// What was written is what is read, in slices of any length; a log without events is sound too.
pub async fn a_sound_log_is_found_sound(log: LogUnderTest) -> Outcome {
    let (empty, faults) = audited(&log, &[]).await?;
    assert_eq!((empty.head.position, faults), (0, vec![]));
    write_sound(&log, 700).await?;
    let (of_all, faults) = audited(&log, &[]).await?;
    assert_eq!((of_all.head, faults), (log.reader.head().await?, vec![]));
    let root = of_all.frontier.map(|frontier| Expected {
        size: frontier.size(),
        root: frontier.root(),
    });
    let expected = root.ok_or_else(|| anyhow::anyhow!("a sound log has a root"))?;
    let (compared, faults) = audited(&log, &[expected]).await?;
    assert_eq!((compared.roots_equal, faults), (1, vec![]));
    Ok(())
}

/// A row that is lost, and one that was changed behind the adapter's back.
pub async fn what_was_lost_or_changed_is_named(log: LogUnderTest) -> Outcome {
    write_sound(&log, 10).await?;
    log.place.change_payload(4).await?;
    assert_eq!(audited(&log, &[]).await?.1, ["4 leaf-differs"]);
    log.place.lose_event(7).await?;
    assert_eq!(
        audited(&log, &[]).await?.1,
        ["4 leaf-differs", "7 position-missing", "9 stream-out-of-order"]
    );
    log.place.lose_event(10).await?;
    let told = audited(&log, &[]).await?.1;
    assert_eq!(
        told,
        [
            "4 leaf-differs",
            "7 position-missing",
            "9 stream-out-of-order",
            "10 position-missing"
        ]
    );
    Ok(())
}

/// The first row of four lies before where a log begins, the last after where it says that it ends.
pub async fn rows_outside_of_the_log_are_named(log: LogUnderTest) -> Outcome {
    write_sound(&log, 4).await?;
    log.place.change_number(1, "position", 0).await?;
    log.place.change_number(4, "position", 6).await?;
    assert_eq!(
        audited(&log, &[]).await?.1,
        [
            "0 rows-before-first",
            "5-6 rows-beyond-head",
            "1 position-missing",
            "4 position-missing"
        ]
    );
    Ok(())
}

/// A version of 0 has none before it, where a column without negative numbers could overflow.
pub async fn every_number_that_was_changed_is_named(log: LogUnderTest) -> Outcome {
    write_sound(&log, 8).await?;
    for (position, column, to) in [
        (2, "recorded_at", RECORDED_AT - 1),
        (3, "recorded_at", RECORDED_AT - 2),
        (4, "leaf_format", 2),
        (5, "stream_version", 0),
        (6, "stream_version", 9),
        (8, "recorded_at", RECORDED_AT + 1),
    ] {
        log.place.change_number(position, column, to).await?;
    }
    assert_eq!(
        audited(&log, &[]).await?.1,
        [
            "2 recorded-at-went-back",
            "2 leaf-differs",
            "3 recorded-at-went-back",
            "3 leaf-differs",
            "4 leaf-format-unknown",
            "5 stream-out-of-order",
            "5 leaf-differs",
            "6 stream-out-of-order",
            "6 leaf-differs",
            "7 stream-out-of-order",
            "8 stream-out-of-order",
            "8 leaf-differs",
            "8 head-time-differs"
        ]
    );
    Ok(())
}

/// A frontier of the log's own events is none that is told; one of others is, and so is a relay that is ahead.
pub async fn what_the_relay_keeps_is_compared(log: LogUnderTest) -> Outcome {
    write_sound(&log, 5).await?;
    let own = audited(&log, &[]).await?.0.frontier;
    let own = own.ok_or_else(|| anyhow::anyhow!("a sound log has a frontier"))?;
    let mut others = Frontier::new();
    others.append(1, [7; 32])?;
    let led = log.relay.lease(id(1), 600_000).await?;
    let led = led.ok_or_else(|| anyhow::anyhow!("nobody else leads"))?;
    for (position, frontier, faults) in [
        (5, &own, &[][..]),
        (6, &others, &["1 frontier-differs", "6 relay-beyond-head"]),
    ] {
        let kept = RelayState {
            position,
            frontier: frontier.to_bytes(),
            ..led.clone()
        };
        assert!(log.relay.save(id(1), &kept).await?);
        assert_eq!(audited(&log, &[]).await?.1, faults);
    }
    Ok(())
}

/// Epoch, relay and counters change together, and nothing else does.
pub async fn another_life_has_another_epoch_and_no_leader(log: LogUnderTest) -> Outcome {
    write_sound(&log, 5).await?;
    let led = log.relay.lease(id(1), 600_000).await?;
    let led = led.ok_or_else(|| anyhow::anyhow!("nobody else leads"))?;
    let progress = RelayState {
        position: 9,
        partitions: vec![9, 4],
        ..led
    };
    assert!(log.relay.save(id(1), &progress).await?);
    log.relay.release(id(1)).await?;
    assert_eq!(log.writer.reserve_numbers("patient", 3).await?, 1);
    let life = new_life(&log).await?;
    let begun = log.restored.begin_life(&life).await?;
    assert!(begun.epoch > life.verified.epoch);
    assert_eq!(
        begun,
        praxis_event_store::port::Head {
            epoch: begun.epoch,
            ..life.verified.clone()
        }
    );
    let again = log.place.open_again().await?;
    assert_eq!(again.reader.head().await?, begun);
    let led = again.relay.lease(id(2), 600_000).await?;
    let led = led.ok_or_else(|| anyhow::anyhow!("the former leader is gone"))?;
    assert!(led.term > progress.term);
    assert_eq!(
        led,
        RelayState {
            term: led.term,
            position: 5,
            partitions: vec![],
            frontier: life.frontier.clone()
        },
        "what the relay had beyond the head is not kept"
    );
    assert_eq!(again.writer.reserve_numbers("patient", 1).await?, 14);
    Ok(())
}

/// What the relay had published of what the log has goes on from there.
pub async fn another_life_goes_on_where_the_relay_was(log: LogUnderTest) -> Outcome {
    write_sound(&log, 5).await?;
    let led = log.relay.lease(id(1), 600_000).await?;
    let progress = RelayState {
        position: 4,
        partitions: vec![3, 4],
        ..led.ok_or_else(|| anyhow::anyhow!("nobody else leads"))?
    };
    assert!(log.relay.save(id(1), &progress).await?);
    log.relay.release(id(1)).await?;
    log.restored.begin_life(&new_life(&log).await?).await?;
    let again = log.place.open_again().await?;
    let led = again.relay.lease(id(2), 600_000).await?;
    let led = led.ok_or_else(|| anyhow::anyhow!("the former leader is gone"))?;
    assert_eq!((led.position, led.partitions), (4, vec![3, 4]));
    Ok(())
}

/// Repeated, as by an operator whose first attempt was cut off, each is later than those before.
pub async fn a_life_begun_twice_is_later(log: LogUnderTest) -> Outcome {
    write_sound(&log, 5).await?;
    let first = log.restored.begin_life(&new_life(&log).await?).await?;
    let again = log.place.open_again().await?;
    let life = NewLife {
        verified: first.clone(),
        above_epoch: first.epoch + 1_000_000,
        ..new_life(&log).await?
    };
    let second = again.restored.begin_life(&life).await?;
    assert_eq!(second.epoch, first.epoch + 1_000_001);
    Ok(())
}

/// What was verified is not what is there any more.
pub async fn a_log_that_moved_begins_no_life(log: LogUnderTest) -> Outcome {
    write_sound(&log, 4).await?;
    let life = new_life(&log).await?;
    write_sound_after(&log).await?;
    let refused = log.restored.begin_life(&life).await;
    assert!(matches!(
        refused,
        Err(BeginLifeError::Moved {
            verified: 4,
            found: 5
        })
    ));
    assert_eq!(log.reader.head().await?.epoch, 1);
    Ok(())
}

async fn write_sound_after(log: &LogUnderTest) -> Outcome<Rows> {
    commit(log, |rows| with_events_at(rows, stream(3), 0, 1, RECORDED_AT)).await
}

/// A leader that lives would go on publishing as if nothing had happened.
pub async fn a_log_with_a_leader_begins_no_life(log: LogUnderTest) -> Outcome {
    write_sound(&log, 4).await?;
    log.relay.lease(id(1), 600_000).await?;
    let life = new_life(&log).await?;
    assert!(matches!(
        log.restored.begin_life(&life).await,
        Err(BeginLifeError::Led)
    ));
    assert_eq!(log.reader.head().await?.epoch, 1);
    log.relay.release(id(1)).await?;
    log.restored.begin_life(&life).await?;
    Ok(())
}
