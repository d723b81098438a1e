//! Which key opens whose boxes, and which is there to make new ones?

use praxis_event_store::port::{Rows, StoredKey};

use super::sample::{commit, data_key, destroyed, id};
use super::{LogUnderTest, Outcome};

fn by_id(mut keys: Vec<StoredKey>) -> Vec<StoredKey> {
    keys.sort_unstable_by_key(|key| key.key_id);
    keys
}

/// Keys by id, destroyed or not; ids that name none have none.
pub async fn keys_are_found_by_id(log: LogUnderTest) -> Outcome {
    let stored = vec![
        data_key(1, 11, 1),
        destroyed(&data_key(2, 11, 2), 9),
        data_key(3, 12, 3),
    ];
    commit(&log, |rows| Rows {
        keys: stored.clone(),
        ..rows
    })
    .await?;
    assert_eq!(by_id(log.reader.keys(&[id(2), id(8), id(1)]).await?), stored[..2]);
    assert_eq!(log.reader.keys(&[id(8)]).await?, []);
    assert_eq!(log.reader.keys(&[]).await?, []);
    Ok(())
}

/// The newest key of each subject.
pub async fn the_newest_key_of_each_subject_is_used(log: LogUnderTest) -> Outcome {
    // Ids against the order of positions, so that neither stands in for the other.
    let stored = vec![
        data_key(3, 11, 1),
        data_key(1, 11, 5),
        data_key(2, 11, 2),
        data_key(4, 12, 1),
    ];
    commit(&log, |rows| Rows {
        keys: stored.clone(),
        ..rows
    })
    .await?;
    let (keys, as_of) = log.reader.subject_keys(&[id(11), id(12), id(13)]).await?;
    assert_eq!(by_id(keys), [stored[1].clone(), stored[3].clone()]);
    assert_eq!(as_of, 0);
    let (keys, _) = log.reader.subject_keys(&[id(12)]).await?;
    assert_eq!(keys, [stored[3].clone()]);
    Ok(())
}

/// A destroyed key stands for its person, though another was made before or after it: they were erased.
pub async fn a_destroyed_key_stands_for_its_person(log: LogUnderTest) -> Outcome {
    let stored = vec![
        data_key(1, 11, 1),
        destroyed(&data_key(2, 11, 5), 9),
        data_key(3, 11, 7),
        destroyed(&data_key(4, 12, 5), 9),
        data_key(5, 13, 1),
    ];
    commit(&log, |rows| Rows {
        keys: stored.clone(),
        ..rows
    })
    .await?;
    let (keys, _) = log.reader.subject_keys(&[id(11), id(12)]).await?;
    assert_eq!(by_id(keys), [stored[1].clone(), stored[3].clone()]);
    Ok(())
}

/// Nobody asked for, and somebody asked for twice.
pub async fn subjects_may_be_none_or_repeated(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| Rows {
        keys: vec![data_key(1, 11, 1)],
        ..rows
    })
    .await?;
    assert_eq!(log.reader.subject_keys(&[]).await?, (vec![], 0));
    assert_eq!(
        log.reader.subject_keys(&[id(11), id(11)]).await?,
        (vec![data_key(1, 11, 1)], 0)
    );
    Ok(())
}
