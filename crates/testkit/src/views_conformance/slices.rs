//! Are the stored rows those of the log, however its events are cut into batches?

use praxis_events::recorded::RecordedEvent;
use praxis_read_models::save::{Folded, fold_events};
use praxis_read_models::views::Views;

use super::{RegistryUnderTest, checkpoint, load};
use crate::conformance::Outcome;
use crate::history::{below, history};
use crate::rows::Rows;

/// Histories, each cut in its own way. Few, because a generation is made for each.
const CASES: u64 = 8;
const EVENTS_LEN: usize = 240;
const SLICE_EVENTS_MAX: usize = 50;
/// How far a batch that somebody may have folded goes back.
const OVERLAP_EVENTS_MAX: usize = 20;
const LIST_ITEMS_MAX: u32 = 1_000;

pub async fn any_slicing_of_batches_gives_equal_rows(under: RegistryUnderTest) -> Outcome {
    for seed in 0..CASES {
        let number = under.registry.register(super::PARTITIONS, 1).await?.number;
        let views = under.registry.open_views(number).await?;
        let events = history(seed, EVENTS_LEN);
        fold_in_slices(views.as_ref(), &events, seed).await?;
        let expected = Rows::of(&events);
        let mut tx = views.begin().await?;
        assert_eq!(load(tx.as_mut(), &expected).await?, expected, "seed {seed}");
        drop(tx);
        let reads = under.registry.open_reads(number).await?;
        for patient in expected.patients.keys() {
            let mut bookings: Vec<_> = expected.appointments.values().collect();
            bookings.retain(|row| row.patient_id == *patient);
            bookings.sort_by_key(|row| (row.slot.starts, row.id));
            let listed = reads
                .appointments_of_patient(*patient, None, LIST_ITEMS_MAX)
                .await?;
            assert!(
                listed.iter().map(|found| &found.appointment).eq(bookings),
                "seed {seed}"
            );
        }
    }
    Ok(())
}

/// Slices as a projector writes them, each behind its checkpoint; and again, from further back, as a retry does.
async fn fold_in_slices(views: &dyn Views, events: &[RecordedEvent], seed: u64) -> Outcome {
    views.start_partitions(&[checkpoint(0, 0)]).await?;
    let (mut random, mut done) = (seed, 0);
    while done < events.len() {
        let end = events.len().min(done + 1 + below(&mut random, SLICE_EVENTS_MAX));
        let [from, to] = [done, end].map(|len| checkpoint(0, u64::try_from(len).expect("few")));
        let mut tx = views.begin().await?;
        assert!(tx.move_checkpoint(&from, &to).await?);
        fold_events(tx.as_mut(), &events[done..end], Folded::Never).await?;
        tx.commit().await?;
        let back = below(&mut random, OVERLAP_EVENTS_MAX);
        if back.is_multiple_of(2) {
            let mut tx = views.begin().await?;
            fold_events(
                tx.as_mut(),
                &events[done.saturating_sub(back)..end],
                Folded::Perhaps,
            )
            .await?;
            tx.commit().await?;
        }
        done = end;
    }
    Ok(())
}
