//! Are rows kept as they are, whole and in bulk?

use praxis_events::personal::Personal;
use praxis_events::sealed::Sealed;
use praxis_read_models::models::patients::PatientRow;

use super::{Open, RegistryUnderTest, load, save, usual_history};
use crate::conformance::Outcome;
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
            .map(|n| praxis_events::ids::PatientId(crate::conformance::sample::id(n)))
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
