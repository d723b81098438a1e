//! Do checkpoints move by compare-and-set, together with the rows, one projector at a time?

use praxis_events::ids::LogId;
use praxis_read_models::views::{Checkpoint, Move};
use uuid::Uuid;

use super::{Open, RegistryUnderTest, checkpoint, save};
use crate::conformance::Outcome;
use crate::history::history;
use crate::rows::Rows;

pub async fn partitions_are_started_once(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let starts = [checkpoint(0, 0), checkpoint(1, 0), checkpoint(2, 0)];
    assert_eq!(open.views.checkpoints().await?, starts);
    open.views
        .start_partitions(&[checkpoint(1, 9), checkpoint(3, 9)])
        .await?;
    let [first, second, third] = starts;
    assert_eq!(
        open.views.checkpoints().await?,
        [first, second, third, checkpoint(3, 9)]
    );
    assert_eq!(open.reads.checkpoints().await?, open.views.checkpoints().await?);
    Ok(())
}

pub async fn a_checkpoint_moves_from_where_it_is(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let to = Checkpoint {
        epoch: 2,
        ..checkpoint(1, 12)
    };
    let mut tx = open.views.begin().await?;
    assert!(tx.move_checkpoint(&checkpoint(1, 0), &to).await?);
    assert!(
        tx.move_checkpoint(&to, &to).await?,
        "moving to the same place is a way to lock it"
    );
    tx.commit().await?;
    assert_eq!(
        open.views.checkpoints().await?,
        [checkpoint(0, 0), to, checkpoint(2, 0)]
    );
    Ok(())
}

pub async fn a_checkpoint_does_not_move_from_elsewhere(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let here = checkpoint(0, 0);
    let elsewhere = [
        checkpoint(0, 1),
        Checkpoint {
            epoch: 2,
            ..here.clone()
        },
        Checkpoint {
            log_id: LogId(Uuid::from_u128(78)),
            ..here.clone()
        },
    ];
    for from in elsewhere {
        let mut tx = open.views.begin().await?;
        assert!(!tx.move_checkpoint(&from, &checkpoint(0, 5)).await?);
        tx.commit().await?;
    }
    assert_eq!(open.views.checkpoints().await?.first(), Some(&here));
    Ok(())
}

pub async fn several_checkpoints_move_together(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let step = |partition, from, to| Move {
        from: checkpoint(partition, from),
        to: checkpoint(partition, to),
    };
    let mut tx = open.views.begin().await?;
    assert!(tx.move_checkpoints(&[]).await?);
    assert!(
        tx.move_checkpoints(&[step(0, 0, 7), step(1, 0, 0), step(2, 0, 8)])
            .await?
    );
    tx.commit().await?;
    let reached = [checkpoint(0, 7), checkpoint(1, 0), checkpoint(2, 8)];
    assert_eq!(open.views.checkpoints().await?, reached);
    let mut tx = open.views.begin().await?;
    assert!(
        !tx.move_checkpoints(&[step(0, 7, 9), step(1, 5, 9), step(2, 8, 9)])
            .await?
    );
    drop(tx);
    assert_eq!(open.views.checkpoints().await?, reached);
    Ok(())
}

pub async fn a_partition_that_was_not_started_does_not_move(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let mut tx = open.views.begin().await?;
    assert!(!tx.move_checkpoint(&checkpoint(3, 0), &checkpoint(3, 5)).await?);
    tx.commit().await?;
    assert_eq!(open.views.checkpoints().await?.len(), 3);
    Ok(())
}

pub async fn checkpoints_move_with_the_rows_or_not_at_all(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let mut tx = open.views.begin().await?;
    assert!(tx.move_checkpoint(&checkpoint(0, 0), &checkpoint(0, 50)).await?);
    save(tx.as_mut(), &Rows::of(&history(31, 50))).await?;
    assert_eq!(
        open.reads.checkpoints().await?.first(),
        Some(&checkpoint(0, 0)),
        "not before the commit"
    );
    drop(tx);
    assert_eq!(open.views.checkpoints().await?.first(), Some(&checkpoint(0, 0)));
    assert_eq!(open.reads.patients_page(None, 10).await?, []);
    Ok(())
}

/// The second of two projectors waits for the first, and then finds that it came too late.
pub async fn who_moved_first_wins(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let mut first = open.views.begin().await?;
    assert!(
        first
            .move_checkpoint(&checkpoint(0, 0), &checkpoint(0, 5))
            .await?
    );
    let second = async {
        let mut tx = open.views.begin().await?;
        tx.move_checkpoint(&checkpoint(0, 0), &checkpoint(0, 7)).await
    };
    let first = async {
        tokio::task::yield_now().await;
        first.commit().await
    };
    let (moved, committed) = tokio::join!(second, first);
    committed?;
    assert!(!moved?);
    assert_eq!(open.views.checkpoints().await?.first(), Some(&checkpoint(0, 5)));
    Ok(())
}
