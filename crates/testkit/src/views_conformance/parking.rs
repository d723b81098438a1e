//! Are parked events kept in order, until they are told to go?

use praxis_read_models::views::{PARKED_BEHIND, ParkedEvent};

use super::{Open, RegistryUnderTest};
use crate::conformance::{Outcome, sample};

fn parked(stream: u128, position: u64, code: &str) -> ParkedEvent {
    ParkedEvent {
        stream_type: "patient".to_owned(),
        stream_id: sample::id(stream),
        partition: 1,
        position,
        stream_version: position + 100,
        event_type: "patient.registered".to_owned(),
        code: code.to_owned(),
    }
}

async fn park(open: &Open, events: &[ParkedEvent]) -> Outcome {
    let mut tx = open.views.begin().await?;
    tx.park(events).await?;
    Ok(tx.commit().await?)
}

/// Two streams, in the order they might have been parked in.
fn two_streams() -> [ParkedEvent; 4] {
    [
        parked(1, 10, "shape"),
        parked(2, 11, "box"),
        parked(1, 12, PARKED_BEHIND),
        parked(2, 15, PARKED_BEHIND),
    ]
}

pub async fn parked_events_are_listed_in_order(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let events = two_streams();
    park(&open, &events[2..]).await?;
    park(&open, &events[..2]).await?;
    assert_eq!(open.views.parked(0, 10).await?, events);
    assert_eq!(open.views.parked(0, 3).await?, events[..3]);
    assert_eq!(open.views.parked(11, 10).await?, events[2..]);
    assert_eq!(open.views.parked(15, 10).await?, []);
    Ok(())
}

pub async fn an_event_parked_again_stays_as_it_was(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    park(&open, &[parked(1, 10, "shape")]).await?;
    park(
        &open,
        &[parked(1, 10, PARKED_BEHIND), parked(1, 11, PARKED_BEHIND)],
    )
    .await?;
    assert_eq!(
        open.views.parked(0, 10).await?,
        [parked(1, 10, "shape"), parked(1, 11, PARKED_BEHIND)]
    );
    Ok(())
}

pub async fn parked_streams_are_found_among_others(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    park(&open, &two_streams()).await?;
    let mut tx = open.views.begin().await?;
    assert_eq!(
        tx.parked_among(&[sample::id(3), sample::id(2), sample::id(4)])
            .await?,
        [sample::id(2)]
    );
    assert!(tx.parked_among(&[]).await?.is_empty());
    let mut both = tx
        .parked_among(&(0..2_000).map(sample::id).collect::<Vec<_>>())
        .await?;
    both.sort();
    assert_eq!(both, [sample::id(1), sample::id(2)]);
    Ok(())
}

pub async fn a_stream_comes_back_up_to_a_position(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let events = two_streams();
    park(&open, &events).await?;
    let mut tx = open.views.begin().await?;
    tx.unpark(sample::id(1), 11).await?;
    tx.commit().await?;
    assert_eq!(open.views.parked(0, 10).await?, events[1..]);
    let mut tx = open.views.begin().await?;
    tx.unpark(sample::id(2), 15).await?;
    assert_eq!(
        tx.parked_among(&[sample::id(1), sample::id(2)]).await?,
        [sample::id(1)]
    );
    tx.commit().await?;
    assert_eq!(open.views.parked(0, 10).await?, events[2..3]);
    Ok(())
}

pub async fn parked_events_are_seen_by_readers(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    assert_eq!(
        (
            open.views.parked_stream_count().await?,
            open.reads.parked_stream_count().await?
        ),
        (0, 0)
    );
    park(&open, &two_streams()).await?;
    assert_eq!(
        (
            open.views.parked_stream_count().await?,
            open.reads.parked_stream_count().await?
        ),
        (2, 2)
    );
    assert_eq!(open.reads.parked_since(sample::id(2)).await?, Some(11));
    assert_eq!(open.reads.parked_since(sample::id(3)).await?, None);
    Ok(())
}

pub async fn a_kind_of_stream_not_known_is_kept(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let unknown = ParkedEvent {
        stream_type: "invoice".to_owned(),
        ..parked(1, 10, "newer-version")
    };
    park(&open, std::slice::from_ref(&unknown)).await?;
    assert_eq!(open.views.parked(0, 10).await?, [unknown]);
    Ok(())
}

/// Positions go into signed numbers of 63 bits, and no further.
pub async fn extreme_positions_are_kept(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let last = u64::try_from(i64::MAX)?;
    let extreme = ParkedEvent {
        partition: u32::MAX,
        stream_version: last,
        ..parked(1, last, "shape")
    };
    park(&open, std::slice::from_ref(&extreme)).await?;
    assert_eq!(open.views.parked(last - 1, 10).await?, [extreme]);
    assert_eq!(open.reads.parked_since(sample::id(1)).await?, Some(last));
    Ok(())
}

pub async fn a_dropped_transaction_parks_nothing(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let events = two_streams();
    park(&open, &events[..1]).await?;
    let mut tx = open.views.begin().await?;
    tx.park(&events[1..]).await?;
    tx.unpark(sample::id(1), 10).await?;
    drop(tx);
    assert_eq!(open.views.parked(0, 10).await?, events[..1]);
    Ok(())
}
