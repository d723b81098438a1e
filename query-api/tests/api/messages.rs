//! Who reads what is said in a conversation, now and as it was?

use praxis_auth::claims::{Principal, Role};
use praxis_events::event::Event;
use praxis_events::ids::{EventId, MessageId, ThreadId};
use praxis_events::personal::Personal;
use praxis_events::recorded::RecordedEvent;
use praxis_events::sealed::Sealed;
use praxis_events::thread::{MessageSent, ThreadEvent};
use praxis_read_models::models::messages::MessageRow;
use praxis_testkit::rows::Rows;
use serde_json::Value;
use uuid::Uuid;

use crate::practice::{Practice, at, auditor, caller};

/// The messages of the practice's lively conversation, as rows say, in order.
fn rows<'a>(practice: &Practice, rows: &'a Rows) -> Vec<&'a MessageRow> {
    let thread = practice.thread().id;
    let mut of_it: Vec<_> = rows
        .messages
        .values()
        .filter(|row| row.thread_id == thread)
        .collect();
    of_it.sort_by_key(|row| row.sequence);
    of_it
}

fn path(practice: &Practice, rest: &str) -> String {
    format!("/threads/{}/messages{rest}", practice.thread().id)
}

fn assert_shown(shown: &Value, row: &MessageRow) {
    assert_eq!(shown["id"], row.id.to_string());
    assert_eq!(shown["sequence"], row.sequence);
    assert_eq!(shown["author"], serde_json::to_value(row.author).unwrap());
    assert_eq!(shown["sent_at"], serde_json::to_value(row.sent_at).unwrap());
    let readers: Vec<_> = shown["receipts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|receipt| receipt["reader"].clone())
        .collect();
    let expected: Vec<_> = row
        .receipts
        .iter()
        .map(|receipt| serde_json::to_value(receipt.reader).unwrap())
        .collect();
    assert_eq!(readers, expected);
}

#[tokio::test]
async fn those_who_take_part_read_all_but_what_was_retracted() {
    let practice = Practice::new();
    let (patient, doctor) = Practice::participants(practice.thread());
    for reader in [patient, doctor] {
        let shown = practice.walk(reader, &path(&practice, "?limit=2")).await;
        let rows = rows(&practice, &practice.rows);
        assert_eq!(shown.len(), rows.len());
        for (shown, row) in shown.iter().zip(rows) {
            assert_shown(shown, row);
            match row.retracted_at {
                None => assert_eq!(shown["body"], **row.body.value().unwrap().reveal()),
                Some(at) => {
                    assert!(shown.get("body").is_none());
                    assert_eq!(shown["retracted_at"], serde_json::to_value(at).unwrap());
                }
            }
        }
    }
}

#[tokio::test]
async fn an_auditor_sees_every_message_and_reads_none() {
    let practice = Practice::new();
    let as_of = format!("?as_of={}", at(practice.head()));
    for rest in ["", as_of.as_str()] {
        let shown = practice.walk(auditor(), &path(&practice, rest)).await;
        let rows = rows(&practice, &practice.rows);
        assert_eq!(shown.len(), rows.len());
        for (shown, row) in shown.iter().zip(rows) {
            assert_shown(shown, row);
            assert!(shown.get("body").is_none());
        }
    }
}

#[tokio::test]
async fn what_a_conversation_is_about_is_for_those_who_take_part() {
    let practice = Practice::new();
    let thread = practice.thread();
    let (patient, doctor) = Practice::participants(thread);
    let topic = thread.topic.value().unwrap().reveal().clone();
    let own = format!("/threads/{}", thread.id);
    let then = format!("{own}?as_of={}", at(practice.head()));
    for path in [own, then] {
        for reader in [patient, doctor] {
            assert_eq!(practice.get(reader, &path).await.json["topic"], *topic);
        }
        for role in [Role::Admin, Role::Staff, Role::Auditor] {
            let shown = practice.get(caller(role), &path).await;
            assert_eq!(shown.status, 200);
            assert!(shown.json.get("topic").is_none(), "{role:?} {path}");
        }
    }
    let list = format!("/threads?patient_id={}", patient.patient_id.unwrap());
    let to_staff = practice.walk(caller(Role::Staff), &list).await;
    assert!(!to_staff.is_empty() && to_staff.iter().all(|item| item.get("topic").is_none()));
    let to_patient = practice.walk(patient, &list).await;
    assert!(to_patient.iter().all(|item| item.get("topic").is_some()));
}

#[tokio::test]
async fn messages_are_shown_as_they_were_page_by_page() {
    let practice = Practice::new();
    let thread = practice.thread().id.0;
    for event in practice.events.iter().filter(|event| event.stream.id == thread) {
        let up_to = usize::try_from(event.position).unwrap();
        let then = Rows::of(&practice.events[..up_to]);
        let as_of = format!("?limit=1&as_of={}", at(event.position));
        let shown = practice.walk(auditor(), &path(&practice, &as_of)).await;
        let rows = rows(&practice, &then);
        assert_eq!(shown.len(), rows.len());
        for (shown, row) in shown.iter().zip(rows) {
            assert_shown(shown, row);
            assert_eq!(shown.get("retracted_at").is_some(), row.retracted_at.is_some());
        }
    }
}

#[tokio::test]
async fn what_was_retracted_since_is_not_read_by_going_back_in_time() {
    let practice = Practice::new();
    let retracted = rows(&practice, &practice.rows)
        .into_iter()
        .find(|row| row.retracted_at.is_some())
        .unwrap();
    let thread = practice.thread().id.0;
    let sent = practice
        .events
        .iter()
        .find(|event| event.stream.id == thread && event.stream_version == retracted.sequence);
    let as_of = format!("?as_of={}", at(sent.unwrap().position));
    let (patient, _) = Practice::participants(practice.thread());
    let last = |items: Vec<Value>| items.last().unwrap().clone();
    let to_patient = last(practice.walk(patient, &path(&practice, &as_of)).await);
    assert_eq!(to_patient["id"], retracted.id.to_string());
    assert!(to_patient.get("body").is_none() && to_patient.get("retracted_at").is_none());
}

/// The positions of the lively conversation's events that are retractions, and of those that are not.
fn retractions(practice: &Practice) -> (Vec<u64>, Vec<u64>) {
    let thread = practice.thread().id.0;
    let (gone, rest): (Vec<_>, Vec<_>) = practice
        .events
        .iter()
        .filter(|event| event.stream.id == thread)
        .partition(|event| matches!(event.event, Event::Thread(ThreadEvent::MessageRetracted(_))));
    let positions = |events: Vec<&RecordedEvent>| events.iter().map(|event| event.position).collect();
    (positions(gone), positions(rest))
}

#[tokio::test]
async fn what_cannot_be_read_later_does_not_hide_what_was_said_before() {
    let practice = Practice::new();
    let (_, others) = retractions(&practice);
    let [.., before, last] = others[..] else {
        panic!("a lively conversation")
    };
    let (patient, _) = Practice::participants(practice.thread());
    let as_of = path(&practice, &format!("?as_of={}", at(before)));
    let readable = practice.walk(patient, &as_of).await;
    assert!(readable.iter().any(|item| item.get("body").is_some()));
    practice.decoder.set_unreadable([last]);
    assert_eq!(practice.walk(patient, &as_of).await, readable);
    let reply = practice
        .get(
            patient,
            &path(&practice, &format!("?as_of={}", at(practice.head()))),
        )
        .await;
    assert_eq!(reply.code(), (503, "unknown-event-version"));
}

#[tokio::test]
async fn while_a_later_retraction_cannot_be_read_no_words_are_shown() {
    let practice = Practice::new();
    let (gone, others) = retractions(&practice);
    let before = others.iter().rfind(|position| **position < gone[0]).unwrap();
    let as_of = path(&practice, &format!("?as_of={}", at(*before)));
    let (patient, _) = Practice::participants(practice.thread());
    practice.decoder.set_unreadable([gone[0]]);
    let to_patient = practice.walk(patient, &as_of).await;
    assert!(!to_patient.is_empty());
    assert!(to_patient.iter().all(|item| item.get("body").is_none()));
}

#[tokio::test]
async fn others_do_not_learn_of_a_conversation() {
    let practice = Practice::new();
    let thread = practice.thread().id;
    let now = at(practice.head());
    let outsiders: [Principal; 2] = [caller(Role::Patient), caller(Role::Doctor)];
    for outsider in outsiders {
        for rest in ["", "/messages"] {
            for as_of in [String::new(), format!("?as_of={now}")] {
                let path = format!("/threads/{thread}{rest}{as_of}");
                assert_eq!(
                    practice.get(outsider, &path).await.code(),
                    (404, "not-found"),
                    "{path}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_conversations_of_another_are_not_listed() {
    let practice = Practice::new();
    let (patient, doctor) = Practice::participants(practice.thread());
    let of_patient = format!("/threads?patient_id={}", patient.patient_id.unwrap());
    let of_doctor = format!("/threads?practitioner_id={}", doctor.practitioner_id.unwrap());
    for (reader, path, expected) in [
        (patient, &of_patient, 200),
        (patient, &of_doctor, 404),
        (doctor, &of_patient, 404),
        (doctor, &of_doctor, 200),
        (caller(Role::Staff), &of_patient, 200),
    ] {
        assert_eq!(practice.get(reader, path).await.status, expected, "{path}");
    }
    let own = practice.walk(patient, "/threads").await;
    assert!(
        own.iter()
            .any(|item| item["id"] == practice.thread().id.to_string())
    );
}

/// A practice whose lively conversation goes on for that many messages more.
fn talkative(more: u64) -> (Practice, ThreadId) {
    let practice = Practice::new();
    let (thread, head) = (practice.thread(), practice.head());
    let is_of_it = |event: &&RecordedEvent| event.stream.id == thread.id.0;
    let last = practice.events.iter().rfind(is_of_it).unwrap();
    let author = thread.participants[0].participant;
    let said = (1..=more).map(|count| RecordedEvent {
        position: head + count,
        event_id: EventId(Uuid::from_u128(u128::from(count))),
        stream_version: last.stream_version + count,
        event: MessageSent {
            message_id: MessageId(Uuid::from_u128(u128::from(count))),
            author,
            body: Sealed::Value(Personal::new("and another thing".to_owned())),
        }
        .into(),
        ..last.clone()
    });
    let events = practice.events.iter().cloned().chain(said).collect();
    (Practice::with_events(events), thread.id)
}

#[tokio::test]
async fn a_conversation_longer_than_one_reading_of_the_log_is_folded_whole() {
    let (practice, thread) = talkative(1_100);
    let row = &practice.rows.threads[&thread];
    let path = format!("/threads/{thread}?as_of={}", at(practice.head()));
    let reply = practice.get(auditor(), &path).await;
    assert_eq!(reply.json["version"], row.place.version);
    assert_eq!(reply.json["message_count"], row.message_count);
    assert!(row.message_count > 1_100);
}
