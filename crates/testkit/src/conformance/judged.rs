//! Do adapter and judge together keep the rules that span streams: through one batch, and from batch to batch?

use praxis_event_store::append::{
    Append, Claim, CommandRecord, Conflict, Delta, PreparedEvent, Span, StreamRead, StreamWrite,
};
use praxis_event_store::judge::{Scrutiny, Verdict, judge, lookup_for};
use praxis_event_store::port::WriteError;
use praxis_event_store::record::leaf::recomputed_leaf_hash;

use super::sample::{claim, data_key, id, over_span, span, stream};
use super::{LogUnderTest, Outcome};

/// An append of one event to the `n`-th stream, new unless told otherwise, under a command key of its own.
fn append(n: u8, expected_version: u64) -> Append {
    let payload = format!(r#"{{"n":{n}}}"#).into_bytes();
    let metadata = b"{}".to_vec();
    let event = PreparedEvent {
        event_id: id(1_000 + 100 * u128::from(expected_version) + u128::from(n)),
        event_type: "sample-happened",
        schema_version: 1,
        subject_id: None,
        metadata_hash: sha256(&metadata),
        metadata,
        payload_hash: sha256(&payload),
        payload,
    };
    let stream = stream(n.into());
    Append {
        command: CommandRecord {
            key: [n.wrapping_add(u8::try_from(expected_version).unwrap_or(u8::MAX) * 50); 32],
            request: [n; 33],
            other_requests: Vec::new(),
            answer_id: stream.id,
            version: 0,
        },
        writes: vec![StreamWrite {
            stream,
            expected_version,
            events: vec![event],
        }],
        reads: vec![],
        claims: Delta::default(),
        spans: Delta::default(),
        new_keys: vec![],
        subjects: vec![],
        keys_as_of: 0,
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    praxis_event_store::record::hash::sha256(bytes)
}

fn taking_claim(n: u8, claim: Claim) -> Append {
    Append {
        claims: Delta {
            released: vec![],
            taken: vec![claim],
        },
        ..append(n, 0)
    }
}

fn taking_span(n: u8, span: Span) -> Append {
    Append {
        spans: Delta {
            released: vec![],
            taken: vec![span],
        },
        ..append(n, 0)
    }
}

/// Judges and commits a batch as the sequencer does.
async fn sequence(log: &LogUnderTest, batch: &[&Append], scrutiny: Scrutiny) -> Outcome<Vec<Verdict>> {
    let mut tx = log.writer.begin().await?;
    let facts = tx.look_up(&lookup_for(batch, tx.head(), scrutiny)).await?;
    let judgement = judge(batch, tx.head(), tx.now_micros(), facts, scrutiny)?;
    tx.write(&judgement.rows).await?;
    tx.commit().await?;
    Ok(judgement.verdicts)
}

fn accepted(verdicts: &[Verdict]) -> Vec<bool> {
    verdicts
        .iter()
        .map(|verdict| matches!(verdict, Verdict::Accepted(_)))
        .collect()
}

/// Two members want one thing: the first has it, the second is told who.
pub async fn a_claim_is_taken_once_within_a_batch(log: LogUnderTest) -> Outcome {
    let (first, second) = (
        taking_claim(1, claim(b"mrn", 1)),
        taking_claim(2, claim(b"mrn", 2)),
    );
    let verdicts = sequence(&log, &[&first, &second], Scrutiny::IndexesDecide).await?;
    assert_eq!(accepted(&verdicts), [true, false]);
    let conflict = Conflict::Claim {
        claim: claim(b"mrn", 2),
        owners: vec![id(1)],
    };
    assert_eq!(verdicts[1], Verdict::Refused(vec![conflict]));
    assert_eq!(log.reader.claim_owners(b"test", b"mrn").await?, [id(1)]);
    assert_eq!(log.reader.head().await?.position, 1);
    Ok(())
}

/// And from one batch to the next.
pub async fn a_claim_is_taken_once_over_batches(log: LogUnderTest) -> Outcome {
    sequence(
        &log,
        &[&taking_claim(1, claim(b"mrn", 1))],
        Scrutiny::IndexesDecide,
    )
    .await?;
    let verdicts = sequence(
        &log,
        &[&taking_claim(2, claim(b"mrn", 2))],
        Scrutiny::IndexesDecide,
    )
    .await?;
    assert_eq!(accepted(&verdicts), [false]);
    assert_eq!(log.reader.claim_owners(b"test", b"mrn").await?, [id(1)]);
    Ok(())
}

/// A rotation of the claims key: what was claimed, and what was answered, under the old key alone is met by an append
/// that speaks of both, in either order of them.
pub async fn what_was_kept_under_an_older_claims_key_is_met(log: LogUnderTest) -> Outcome {
    let before = taking_claim(1, claim(b"\x01mrn", 1));
    sequence(&log, &[&before], Scrutiny::IndexesDecide).await?;
    for members in [[b"\x02mrn", b"\x01mrn"], [b"\x01mrn", b"\x02mrn"]] {
        let mut after = append(2, 0);
        after.claims.taken = members.iter().map(|member| claim(*member, 2)).collect();
        let verdicts = sequence(&log, &[&after], Scrutiny::IndexesDecide).await?;
        let conflict = Conflict::Claim {
            claim: claim(b"\x01mrn", 2),
            owners: vec![id(1)],
        };
        assert_eq!(verdicts, [Verdict::Refused(vec![conflict])]);
    }
    let mut retry = before.clone();
    retry.command.other_requests = vec![[9; 33], retry.command.request];
    retry.command.request = [8; 33];
    let mut another = retry.clone();
    another.command.other_requests = vec![[9; 33]];
    let verdicts = sequence(&log, &[&retry, &another], Scrutiny::LookUpAll).await?;
    assert_eq!(accepted(&verdicts), [true, false]);
    assert_eq!(verdicts[1], Verdict::Refused(vec![Conflict::KeyReused]));
    assert_eq!(log.reader.head().await?.position, 1);
    Ok(())
}

/// Neither under a key that was found before the erasure, nor under a new one made by a process that knows of none.
pub async fn nothing_is_sealed_for_a_person_who_was_erased(log: LogUnderTest) -> Outcome {
    let sealed_for = |n: u8, key: u128, subject: u128, new_key: bool| Append {
        subjects: vec![id(subject)],
        new_keys: new_key.then(|| data_key(key, subject, 0)).into_iter().collect(),
        ..append(n, 0)
    };
    let first = sealed_for(1, 21, 11, true);
    assert_eq!(
        accepted(&sequence(&log, &[&first], Scrutiny::IndexesDecide).await?),
        [true]
    );
    log.place.erase(id(11), 1).await?;
    let (under_old_key, under_new_key) = (sealed_for(2, 21, 11, false), sealed_for(3, 22, 11, true));
    let anothers = sealed_for(4, 23, 12, true);
    let batch = [&under_old_key, &under_new_key, &anothers];
    let verdicts = sequence(&log, &batch, Scrutiny::IndexesDecide).await?;
    assert_eq!(accepted(&verdicts), [false, false, true]);
    let erased = Verdict::Refused(vec![Conflict::Erased { subject_id: id(11) }]);
    assert_eq!(verdicts[..2], [erased.clone(), erased]);
    assert_eq!(log.reader.keys(&[id(22)]).await?, []);
    Ok(())
}

/// A limit of three is met by three, spread over two batches.
pub async fn a_claim_with_capacity_is_taken_that_often(log: LogUnderTest) -> Outcome {
    let open = |n: u8| {
        taking_claim(
            n,
            Claim {
                capacity: 3,
                ..claim(b"open-bookings", n.into())
            },
        )
    };
    let verdicts = sequence(&log, &[&open(1), &open(2)], Scrutiny::IndexesDecide).await?;
    assert_eq!(accepted(&verdicts), [true, true]);
    let verdicts = sequence(&log, &[&open(3), &open(4)], Scrutiny::IndexesDecide).await?;
    assert_eq!(accepted(&verdicts), [true, false]);
    assert_eq!(log.reader.claim_owners(b"test", b"open-bookings").await?.len(), 3);
    Ok(())
}

/// Overlapping bookings in one batch and over two: one is in the log.
pub async fn time_is_booked_once(log: LogUnderTest) -> Outcome {
    let batch = [
        taking_span(1, span(9, 11, 1)),
        taking_span(2, span(10, 12, 2)),
        taking_span(3, span(11, 12, 3)),
    ];
    let verdicts = sequence(&log, &batch.each_ref(), Scrutiny::IndexesDecide).await?;
    assert_eq!(accepted(&verdicts), [true, false, true]);
    let verdicts = sequence(&log, &[&taking_span(4, span(8, 10, 4))], Scrutiny::IndexesDecide).await?;
    let conflict = Conflict::Span {
        span: span(8, 10, 4),
        taken_by: span(9, 11, 1),
    };
    assert_eq!(verdicts, [Verdict::Refused(vec![conflict])]);
    Ok(())
}

/// A cancellation and the booking that follows it share a batch.
pub async fn time_released_in_a_batch_can_be_booked_in_it(log: LogUnderTest) -> Outcome {
    sequence(&log, &[&taking_span(1, span(9, 10, 1))], Scrutiny::IndexesDecide).await?;
    let cancelled = Append {
        spans: Delta {
            released: vec![span(9, 10, 1)],
            taken: vec![],
        },
        ..append(1, 1)
    };
    let batch = [
        cancelled,
        taking_span(2, span(9, 10, 2)),
        taking_span(3, span(9, 10, 3)),
    ];
    let verdicts = sequence(&log, &batch.each_ref(), Scrutiny::IndexesDecide).await?;
    assert_eq!(accepted(&verdicts), [true, true, false]);
    let verdicts = sequence(&log, &[&taking_span(4, span(9, 10, 4))], Scrutiny::IndexesDecide).await?;
    let conflict = Conflict::Span {
        span: span(9, 10, 4),
        taken_by: span(9, 10, 2),
    };
    assert_eq!(verdicts, [Verdict::Refused(vec![conflict])]);
    Ok(())
}

/// An overbooking is not checked, and a normal booking is checked against it until it is gone.
pub async fn overbooked_time_frees_and_fills(log: LogUnderTest) -> Outcome {
    let batch = [
        taking_span(1, span(9, 10, 1)),
        taking_span(2, over_span(9, 10, 2)),
    ];
    assert_eq!(
        accepted(&sequence(&log, &batch.each_ref(), Scrutiny::IndexesDecide).await?),
        [true, true]
    );
    let normal_gone = Append {
        spans: Delta {
            released: vec![span(9, 10, 1)],
            taken: vec![],
        },
        ..append(1, 1)
    };
    sequence(&log, &[&normal_gone], Scrutiny::IndexesDecide).await?;
    let refused = sequence(&log, &[&taking_span(3, span(9, 10, 3))], Scrutiny::IndexesDecide).await?;
    assert_eq!(accepted(&refused), [false]);
    let over_gone = Append {
        spans: Delta {
            released: vec![over_span(9, 10, 2)],
            taken: vec![],
        },
        ..append(2, 1)
    };
    sequence(&log, &[&over_gone], Scrutiny::IndexesDecide).await?;
    let filled = sequence(&log, &[&taking_span(3, span(9, 10, 3))], Scrutiny::IndexesDecide).await?;
    assert_eq!(accepted(&filled), [true]);
    Ok(())
}

/// What the indexes refuse, explicit questions explain: the stale writer is refused, its neighbour is not.
pub async fn a_stale_version_is_found_by_the_index_and_then_explained(log: LogUnderTest) -> Outcome {
    sequence(&log, &[&append(1, 0)], Scrutiny::IndexesDecide).await?;
    let (mut stale, neighbour) = (append(1, 0), append(2, 0));
    stale.command.key = [99; 32];
    let refused = sequence(&log, &[&stale, &neighbour], Scrutiny::IndexesDecide).await;
    let error = refused
        .err()
        .ok_or_else(|| anyhow::anyhow!("the index let a stale version pass"))?;
    assert!(
        matches!(error.downcast_ref(), Some(WriteError::Duplicate)),
        "{error:?}"
    );
    let verdicts = sequence(&log, &[&stale, &neighbour], Scrutiny::LookUpAll).await?;
    let conflict = Conflict::Version {
        stream: stream(1),
        expected: 0,
        actual: 1,
    };
    assert_eq!(verdicts[0], Verdict::Refused(vec![conflict]));
    assert_eq!(accepted(&verdicts), [false, true]);
    Ok(())
}

/// A command sent again gets its first answer, in its batch and after it; another request under its key gets none.
pub async fn a_command_key_gets_one_answer(log: LogUnderTest) -> Outcome {
    let command = append(1, 0);
    let verdicts = sequence(&log, &[&command, &command], Scrutiny::IndexesDecide).await?;
    let [Verdict::Accepted(first), Verdict::Accepted(again)] = &verdicts[..] else {
        anyhow::bail!("{verdicts:?}");
    };
    assert!(!first.replayed && again.replayed);
    assert_eq!((again.id, again.version, again.position), (id(1), 1, 1));
    let mut other_request = append(2, 0);
    other_request.command.key = command.command.key;
    let later = sequence(&log, &[&command, &other_request], Scrutiny::LookUpAll).await?;
    assert_eq!(
        later,
        [verdicts[1].clone(), Verdict::Refused(vec![Conflict::KeyReused])]
    );
    assert_eq!(log.reader.head().await?.position, 1);
    Ok(())
}

/// A decision that read a stream is refused once that stream has moved, in the same batch or before it.
pub async fn a_stream_read_must_not_have_moved(log: LogUnderTest) -> Outcome {
    let reading = |n: u8, expected_version| Append {
        reads: vec![StreamRead {
            stream: stream(1),
            expected_version,
        }],
        ..append(n, 0)
    };
    sequence(&log, &[&append(1, 0)], Scrutiny::IndexesDecide).await?;
    let batch = [reading(2, 1), append(1, 1), reading(3, 1), reading(4, 2)];
    let verdicts = sequence(&log, &batch.each_ref(), Scrutiny::IndexesDecide).await?;
    assert_eq!(accepted(&verdicts), [true, true, false, true]);
    let verdicts = sequence(&log, &[&reading(5, 1), &reading(6, 2)], Scrutiny::IndexesDecide).await?;
    assert_eq!(accepted(&verdicts), [false, true]);
    Ok(())
}

/// The leaf hash of what is read back is the one that was stored.
pub async fn the_leaf_of_a_stored_row_is_recomputed_from_it(log: LogUnderTest) -> Outcome {
    let mut of_a_person = append(2, 0);
    of_a_person.writes[0].events[0].subject_id = Some(id(2));
    sequence(&log, &[&append(1, 0), &of_a_person], Scrutiny::IndexesDecide).await?;
    let events = log.reader.read_log(0, 10).await?;
    assert_eq!(events.len(), 2);
    for event in &events {
        assert_eq!(recomputed_leaf_hash(log.log_id.0, event)?, event.leaf_hash);
    }
    Ok(())
}
