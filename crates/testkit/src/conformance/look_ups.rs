//! Is every question answered exactly: nothing missing, nothing that was not asked for?

use std::collections::{HashMap, HashSet};

use praxis_event_store::port::{Facts, Lookup, Rows};

use super::sample::{claim, command, commit, data_key, destroyed, id, span, stream, with_events};
use super::{LogUnderTest, Outcome};

/// No question, no answer.
pub async fn an_empty_look_up_answers_nothing(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| with_events(rows, stream(1), 0, 1)).await?;
    assert_eq!(log.reader.look_up(&Lookup::default()).await?, Facts::default());
    let mut tx = log.writer.begin().await?;
    assert_eq!(tx.look_up(&Lookup::default()).await?, Facts::default());
    Ok(())
}

/// Every kind of question on an empty log.
pub async fn a_new_log_knows_nothing(log: LogUnderTest) -> Outcome {
    let lookup = Lookup {
        streams: vec![id(1), id(2)],
        commands: vec![[1; 32]],
        claims: vec![(b"test".to_vec(), b"m".to_vec())],
        spans: vec![span(0, 1, 1)],
        subjects: vec![id(3)],
    };
    let mut facts = log.writer.begin().await?.look_up(&lookup).await?;
    // A claim that nobody holds may be absent or have no owners.
    facts.claims.retain(|_, owners| !owners.is_empty());
    assert_eq!(facts, Facts::default());
    Ok(())
}

/// The version of each stream that exists.
pub async fn versions_are_those_of_the_streams_asked_for(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| {
        (1..=3).fold(rows, |rows, n| with_events(rows, stream(n), 0, 4))
    })
    .await?;
    commit(&log, |rows| with_events(rows, stream(2), 4, 3)).await?;
    let lookup = Lookup {
        streams: vec![id(1), id(2), id(9)],
        ..Lookup::default()
    };
    let expected = HashMap::from([(id(1), 4), (id(2), 7)]);
    assert_eq!(
        log.writer.begin().await?.look_up(&lookup).await?.versions,
        expected
    );
    assert_eq!(log.reader.look_up(&lookup).await?.versions, expected);
    Ok(())
}

/// The kept outcome of each command that was accepted.
pub async fn commands_are_those_asked_for(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| Rows {
        commands: (1..=5).map(command).collect(),
        ..rows
    })
    .await?;
    let lookup = Lookup {
        commands: vec![[2; 32], [4; 32], [9; 32]],
        ..Lookup::default()
    };
    let expected = HashMap::from([([2; 32], command(2)), ([4; 32], command(4))]);
    assert_eq!(
        log.writer.begin().await?.look_up(&lookup).await?.commands,
        expected
    );
    assert_eq!(log.reader.look_up(&lookup).await?.commands, expected);
    assert_eq!(log.reader.command([5; 32]).await?, Some(command(5)));
    assert_eq!(log.reader.command([6; 32]).await?, None);
    Ok(())
}

/// Who was erased among those asked for, and only they.
pub async fn persons_with_a_destroyed_key_are_erased(log: LogUnderTest) -> Outcome {
    let keys = vec![
        data_key(1, 11, 1),
        destroyed(&data_key(2, 12, 1), 3),
        destroyed(&data_key(3, 13, 1), 4),
        data_key(4, 12, 2),
    ];
    commit(&log, |rows| Rows { keys, ..rows }).await?;
    let lookup = Lookup {
        subjects: vec![id(11), id(12), id(19)],
        ..Lookup::default()
    };
    assert_eq!(
        log.writer.begin().await?.look_up(&lookup).await?.erased,
        HashSet::from([id(12)])
    );
    Ok(())
}

/// All kinds at once do not disturb each other.
pub async fn all_kinds_are_answered_together(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| Rows {
        commands: vec![command(1)],
        keys: vec![destroyed(&data_key(1, 11, 1), 3)],
        claims_taken: vec![claim(b"m", 1)],
        spans_taken: vec![span(0, 1, 1)],
        ..with_events(rows, stream(1), 0, 1)
    })
    .await?;
    let claimed = (b"test".to_vec(), b"m".to_vec());
    let lookup = Lookup {
        streams: vec![id(1)],
        commands: vec![[1; 32]],
        claims: vec![claimed.clone()],
        spans: vec![span(0, 1, 9)],
        subjects: vec![id(11)],
    };
    let expected = Facts {
        versions: HashMap::from([(id(1), 1)]),
        commands: HashMap::from([([1; 32], command(1))]),
        claims: HashMap::from([(claimed, vec![id(1)])]),
        spans: vec![span(0, 1, 1)],
        erased: HashSet::from([id(11)]),
    };
    assert_eq!(log.writer.begin().await?.look_up(&lookup).await?, expected);
    Ok(())
}

/// As many questions as a full batch asks.
pub async fn fifteen_hundred_questions_are_answered(log: LogUnderTest) -> Outcome {
    commit(&log, |rows| {
        (0..750).fold(rows, |rows, n| with_events(rows, stream(n), 0, 1))
    })
    .await?;
    let members: Vec<[u8; 2]> = (0..750_u16).map(u16::to_be_bytes).collect();
    commit(&log, |rows| Rows {
        claims_taken: members
            .iter()
            .zip(1..)
            .map(|(member, owner)| claim(member, owner))
            .collect(),
        spans_taken: (0..750).map(|hour| span(2 * hour, 2 * hour + 1, 1)).collect(),
        ..rows
    })
    .await?;
    let lookup = Lookup {
        streams: (0..1_500).map(id).collect(),
        claims: (0..1_500_u16)
            .map(|n| (b"test".to_vec(), n.to_be_bytes().to_vec()))
            .collect(),
        spans: (0..1_500).map(|hour| span(hour, hour + 1, 1)).collect(),
        ..Lookup::default()
    };
    let facts = log.writer.begin().await?.look_up(&lookup).await?;
    assert_eq!(facts.versions.len(), 750);
    assert_eq!(
        facts.claims.values().filter(|owners| owners.len() == 1).count(),
        750
    );
    assert_eq!(facts.spans.len(), 750);
    Ok(())
}
