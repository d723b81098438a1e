//! Are rows kept as they are, whole and in bulk?

use chrono::{DateTime, TimeDelta};
use praxis_events::ids::{MessageId, PatientId};
use praxis_events::personal::Personal;
use praxis_events::sealed::Sealed;
use praxis_read_models::models::messages::MessageRow;
use praxis_read_models::models::patients::PatientRow;

use super::{Open, RegistryUnderTest, checkpoint, load, save, usual_history};
use crate::conformance::{Outcome, sample};
use crate::history::{history, redact};
use crate::rows::Rows;

async fn held(open: &Open, rows: &Rows) -> Outcome<Rows> {
    load(open.views.begin().await?.as_mut(), rows).await
}

pub async fn every_row_comes_back_as_it_was_saved(under: RegistryUnderTest) -> Outcome {
    let (open, rows) = Open::filled(under, &usual_history()).await?;
    assert_eq!(held(&open, &rows).await?, rows);
    Ok(())
}

pub async fn a_row_saved_again_is_replaced(under: RegistryUnderTest) -> Outcome {
    let events = usual_history();
    let (open, _) = Open::filled(under, &events[..600]).await?;
    let rows = Rows::of(&events);
    open.save(&rows).await?;
    assert_eq!(held(&open, &rows).await?, rows);
    Ok(())
}

pub async fn rows_that_are_not_there_are_left_out(under: RegistryUnderTest) -> Outcome {
    let events = usual_history();
    let (open, rows) = Open::filled(under, &events[..600]).await?;
    assert_eq!(held(&open, &Rows::of(&events)).await?, rows);
    Ok(())
}

pub async fn no_keys_load_nothing_and_no_rows_save_nothing(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    open.save(&Rows::default()).await?;
    assert_eq!(held(&open, &Rows::default()).await?, Rows::default());
    Ok(())
}

pub async fn erased_rows_come_back_erased(under: RegistryUnderTest) -> Outcome {
    let events = usual_history();
    let (open, _) = Open::filled(under, &events).await?;
    let erased = Rows::of(&events.iter().map(redact).collect::<Vec<_>>());
    open.save(&erased).await?;
    assert_eq!(held(&open, &erased).await?, erased);
    Ok(())
}

/// Texts that quoting, JSON or a collation could spoil.
pub async fn any_text_comes_back_as_it_was(under: RegistryUnderTest) -> Outcome {
    let (open, mut rows) = Open::filled(under, &history(22, 60)).await?;
    let texts = [
        "'\"\\ ; --",
        "\u{1F9E1}\u{0000}\u{FFFD}",
        " space ",
        "e\u{301}\u{e9}",
        "",
        "%_",
        "null",
        "{\"a\":[1]}",
    ];
    for (row, text) in rows.patients.values_mut().zip(texts.iter().cycle()) {
        if let Sealed::Value(known) = &mut row.demographics {
            known.family_name = Personal::new((*text).to_owned());
        }
    }
    for (row, text) in rows.locations.values_mut().zip(texts.iter().cycle()) {
        (*text).clone_into(&mut row.name);
    }
    for (row, text) in rows.messages.values_mut().zip(texts.iter().cycle()) {
        row.body = Sealed::Value(Personal::new((*text).to_owned()));
    }
    open.save(&rows).await?;
    assert_eq!(held(&open, &rows).await?, rows);
    Ok(())
}

pub async fn five_thousand_rows_are_one_batch(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let rows = Rows::of(&history(23, 3));
    let pattern = rows.patients.values().next().expect("a history has a patient");
    let many = Rows {
        patients: (0..5_000_u128)
            .map(|n| PatientId(sample::id(n)))
            .map(|id| {
                (
                    id,
                    PatientRow {
                        id,
                        ..pattern.clone()
                    },
                )
            })
            .collect(),
        ..Rows::default()
    };
    open.save(&many).await?;
    assert_eq!(held(&open, &many).await?, many);
    Ok(())
}

pub async fn extreme_values_come_back_as_they_were(under: RegistryUnderTest) -> Outcome {
    let (open, mut rows) = Open::filled(under, &usual_history()).await?;
    let last = u64::try_from(i64::MAX)?;
    let instants = [
        DateTime::UNIX_EPOCH - TimeDelta::microseconds(1),
        DateTime::from_timestamp(-62_135_596_800, 0).expect("the year 1"),
        DateTime::from_timestamp(253_402_300_799, 999_999_000).expect("the end of the year 9999"),
    ];
    for row in rows.patients.values_mut() {
        row.record_number = u64::MAX;
        row.place.version = u64::MAX;
        row.place.position = u64::MAX;
    }
    for (row, instant) in rows.appointments.values_mut().zip(instants.iter().cycle()) {
        row.slot.starts = *instant;
        row.slot.ends = *instant;
        row.slot.local_start = instant.naive_utc();
    }
    for (row, instant) in rows.threads.values_mut().zip(instants.iter().cycle()) {
        row.last_activity_at = *instant;
        row.message_count = u64::MAX;
    }
    for row in rows.messages.values_mut() {
        row.sequence = last;
        row.receipts.clear();
    }
    open.save(&rows).await?;
    assert_eq!(held(&open, &rows).await?, rows);
    for row in rows.appointments.values() {
        let day = open
            .reads
            .appointments_of_day(row.practitioner_id, row.local_date(), None, 1_000)
            .await?;
        assert!(day.iter().any(|found| found.appointment == *row));
    }
    for row in rows.messages.values() {
        let listed = open
            .reads
            .messages_of(row.thread_id, Some(last - 1), 1_000)
            .await?;
        assert!(listed.contains(row));
        assert_eq!(open.reads.messages_of(row.thread_id, Some(last), 10).await?, []);
    }
    Ok(())
}

/// Together they exceed what any server takes at once.
pub async fn rows_too_large_for_one_statement_are_saved(under: RegistryUnderTest) -> Outcome {
    const WORDS: usize = 80 * 1024;
    const MESSAGES: u128 = 250;
    let open = Open::fresh(under).await?;
    let rows = Rows::of(&usual_history());
    let pattern = rows.messages.into_values().next().expect("a message");
    let messages = (0..MESSAGES)
        .map(|n| {
            let id = MessageId(sample::id(n));
            let body = Sealed::Value(Personal::new(format!("{n:03} ").repeat(WORDS)));
            (
                id,
                MessageRow {
                    id,
                    body,
                    ..pattern.clone()
                },
            )
        })
        .collect();
    let large = Rows {
        messages,
        ..Rows::default()
    };
    open.save(&large).await?;
    assert!(held(&open, &large).await? == large, "a large message was changed");
    Ok(())
}

pub async fn looking_does_not_wait_for_a_transaction(under: RegistryUnderTest) -> Outcome {
    let (open, rows) = Open::filled(under, &history(24, 50)).await?;
    let mut tx = open.views.begin().await?;
    tx.move_checkpoint(&checkpoint(0, 0), &checkpoint(0, 9)).await?;
    save(tx.as_mut(), &Rows::of(&history(24, 80))).await?;
    for (id, row) in &rows.patients {
        assert_eq!(open.reads.patient(*id).await?.as_ref(), Some(row));
    }
    assert_eq!(open.reads.checkpoints().await?.first(), Some(&checkpoint(0, 0)));
    assert_eq!(open.views.checkpoints().await?.first(), Some(&checkpoint(0, 0)));
    assert_eq!(open.views.parked(0, 10).await?, []);
    assert_eq!(open.views.parked_stream_count().await?, 0);
    tx.commit().await?;
    assert_eq!(open.reads.checkpoints().await?.first(), Some(&checkpoint(0, 9)));
    Ok(())
}

pub async fn rows_are_seen_only_after_commit(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let rows = Rows::of(&history(24, 50));
    let mut tx = open.views.begin().await?;
    save(tx.as_mut(), &rows).await?;
    assert_eq!(open.reads.patients_page(None, 10).await?, []);
    assert_eq!(
        load(tx.as_mut(), &rows).await?,
        rows,
        "the transaction sees its own rows"
    );
    tx.commit().await?;
    assert_ne!(open.reads.patients_page(None, 10).await?, []);
    Ok(())
}

pub async fn a_dropped_transaction_leaves_nothing(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let rows = Rows::of(&history(24, 50));
    let mut tx = open.views.begin().await?;
    save(tx.as_mut(), &rows).await?;
    drop(tx);
    assert_eq!(held(&open, &rows).await?, Rows::default());
    Ok(())
}
