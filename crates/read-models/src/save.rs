//! How does a batch of events become stored rows: those it touches are loaded, folded in memory and saved in bulk.

use std::collections::BTreeMap;

use praxis_events::recorded::RecordedEvent;

use crate::fold::{Placed as _, fold};
use crate::views::{StoredModel, ViewsError, ViewsTransaction};

/// Whether events may have been folded before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folded {
    /// The transaction has moved a checkpoint past them: rows they begin are not there, and are not looked for.
    Never,
    /// Somebody else may have.
    Perhaps,
}

/// Folds events into the rows of every read model, as they stand in the transaction.
///
/// # Errors
/// [`ViewsError`]; then the transaction is of no use.
pub async fn fold_events(
    tx: &mut dyn ViewsTransaction,
    events: &[RecordedEvent],
    before: Folded,
) -> Result<(), ViewsError> {
    macro_rules! fold_every_model {
        ($($model:ty: $load:ident, $save:ident;)+) => { $(fold_model::<$model>(tx, events, before).await?;)+ };
    }
    crate::for_each_read_model!(fold_every_model);
    Ok(())
}

async fn fold_model<M: StoredModel>(
    tx: &mut dyn ViewsTransaction,
    events: &[RecordedEvent],
    before: Folded,
) -> Result<(), ViewsError> {
    let mut rows: BTreeMap<M::Key, Option<M::Row>> = BTreeMap::new();
    let mut older = Vec::new();
    for event in events {
        for key in M::keys(event) {
            rows.entry(key).or_insert_with(|| {
                if before == Folded::Perhaps || !M::begins(event) {
                    older.push(key);
                }
                None
            });
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let mut loaded_at = BTreeMap::new();
    if !older.is_empty() {
        older.sort_unstable();
        for row in M::load(tx, &older).await? {
            loaded_at.insert(M::key(&row), row.place());
            rows.insert(M::key(&row), Some(row));
        }
    }
    for event in events {
        for key in M::keys(event) {
            if let Some(row) = rows.get_mut(&key) {
                fold::<M>(row, key, event);
            }
        }
    }
    let changed: Vec<M::Row> = rows
        .into_iter()
        .filter_map(|(key, row)| row.filter(|row| loaded_at.get(&key) != Some(&row.place())))
        .collect();
    if changed.is_empty() {
        Ok(())
    } else {
        M::save(tx, &changed).await
    }
}
