//! A command sent twice: one effect, one answer, for its account alone.

use praxis_auth::claims::Role;
use serde_json::{Value, json};

use crate::practice::{Practice, Reply, events, patient, practice, request, staff, token_of};

const KEY: (&str, &str) = ("idempotency-key", "3f1c-7");

async fn register(practice: &Practice, token: &str, name: &str) -> Reply {
    practice
        .ask("POST /patients", token, &[KEY], &json!({ "family_name": name }))
        .await
}

/// What both callers must see alike.
fn answer(reply: &Reply) -> (u16, &Value, [&str; 2]) {
    let header = |name| reply.headers[name].to_str().unwrap();
    (
        reply.status.as_u16(),
        &reply.json,
        [header("etag"), header("praxis-position")],
    )
}

#[tokio::test]
async fn a_command_sent_again_with_its_key_is_answered_as_before() {
    let (practice, directory) = practice().await;
    let first = register(&practice, &staff(), "Moreau").await;
    practice.register_patient().await;
    let second = register(&practice, &staff(), "Moreau").await;
    assert_eq!(answer(&first), answer(&second));
    assert_eq!((first.is_replayed(), second.is_replayed()), (false, true));
    assert_eq!(events(&directory).await.len(), 2);
}

#[tokio::test]
async fn a_message_sent_again_with_its_key_is_answered_with_the_message_that_is_there() {
    let (practice, directory) = practice().await;
    let id = practice.register_patient().await;
    let token = patient(id);
    let thread = json!({
        "patient_id": id, "topic": "results", "participants": [{ "kind": "patient", "id": id }]
    });
    let thread = practice.post("/threads", &token, thread).await.created();
    let line = format!("POST /threads/{thread}/messages");
    let say = json!({ "body": "Are they in?" });
    let first = practice.ask(&line, &token, &[KEY], &say).await;
    practice.ask(&line, &token, &[], &say).await.created();
    let second = practice.ask(&line, &token, &[KEY], &say).await;
    assert_eq!(answer(&first), answer(&second));
    assert!(second.is_replayed());
    let message = first.json["message_id"].as_str().unwrap();
    let line = format!("{line}/{message}/retract");
    assert_eq!(practice.order(&line, &token).await.ok(), 4);
    assert_eq!(events(&directory).await.len(), 5);
}

#[tokio::test]
async fn a_command_sent_twice_at_once_takes_effect_once() {
    let (practice, directory) = practice().await;
    let (token, other) = (staff(), staff());
    let (first, second) = tokio::join!(
        register(&practice, &token, "Moreau"),
        register(&practice, &other, "Moreau")
    );
    assert_eq!(answer(&first), answer(&second));
    assert_ne!(first.is_replayed(), second.is_replayed());
    assert_eq!(events(&directory).await.len(), 1);
}

#[tokio::test]
async fn a_key_is_refused_for_another_request() {
    let (practice, directory) = practice().await;
    let id = register(&practice, &staff(), "Moreau").await.created();
    register(&practice, &staff(), "Moreaux")
        .await
        .assert_problem(422, "idempotency-key-reused");
    let contact = json!({ "emails": ["jeanne@example.org"] });
    let line = format!("PUT /patients/{id}/contact");
    let other_route = practice.ask(&line, &staff(), &[KEY], &contact).await;
    other_route.assert_problem(422, "idempotency-key-reused");
    let body = json!({ "family_name": "Moreau" });
    let headers = [KEY, ("if-match", "\"0\"")];
    let other_condition = practice.ask("POST /patients", &staff(), &headers, &body).await;
    other_condition.assert_problem(422, "idempotency-key-reused");
    assert_eq!(events(&directory).await.len(), 1);
}

#[tokio::test]
async fn a_key_of_another_account_is_another_key() {
    let (practice, directory) = practice().await;
    let first = register(&practice, &staff(), "Moreau").await;
    let second = register(&practice, &token_of(Role::Staff, 77, None, None), "Moreau").await;
    assert_ne!(first.created(), second.created());
    assert!(!second.is_replayed());
    assert_eq!(events(&directory).await.len(), 2);
}

#[tokio::test]
async fn an_accepted_command_is_answered_as_before_when_it_would_be_refused_now() {
    let (practice, directory) = practice().await;
    let id = practice.register_patient().await;
    let contact = json!({ "emails": ["jeanne@example.org"] });
    let line = format!("PUT /patients/{id}/contact");
    let headers = [KEY, ("if-match", "\"1\"")];
    let first = practice.ask(&line, &staff(), &headers, &contact).await;
    assert_eq!(first.ok(), 2);
    // The condition no longer holds; the retry of what held then is not judged by it.
    let second = practice.ask(&line, &staff(), &headers, &contact).await;
    assert_eq!(answer(&first), answer(&second));
    assert!(second.is_replayed());
    assert_eq!(events(&directory).await.len(), 2);
}

#[tokio::test]
async fn a_command_that_changed_nothing_is_remembered_as_such() {
    let (practice, _directory) = practice().await;
    let id = practice.register_patient().await;
    let line = format!("DELETE /patients/{id}");
    assert_eq!(practice.order(&line, &staff()).await.ok(), 2);
    let first = practice.ask(&line, &staff(), &[KEY], &json!({})).await;
    let second = practice.ask(&line, &staff(), &[KEY], &json!({})).await;
    assert_eq!(answer(&first), answer(&second));
    assert_eq!((first.ok(), second.is_replayed()), (2, true));
}

#[tokio::test]
async fn a_refusal_is_decided_again() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    let book = |key: &'static str| {
        let (practice, visit) = (&practice, people.visit(180));
        async move {
            practice
                .ask(
                    "POST /appointments",
                    &staff(),
                    &[("idempotency-key", key)],
                    &visit,
                )
                .await
        }
    };
    let taken = book("a").await.created();
    book("b").await.assert_problem(409, "booking-refused");
    let cancel = json!({ "reason_code": "pat" });
    practice
        .post(&format!("/appointments/{taken}/cancel"), &staff(), cancel)
        .await
        .ok();
    let now_free = book("b").await;
    assert_ne!(now_free.created(), taken);
    assert!(!now_free.is_replayed());
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_before_anything_happens() {
    let (practice, directory) = practice().await;
    let body = json!({ "family_name": "Moreau" });
    for key in ["", "a b"] {
        let reply = practice
            .ask("POST /patients", &staff(), &[("idempotency-key", key)], &body)
            .await;
        reply.assert_problem(400, "invalid-idempotency-key");
    }
    assert!(events(&directory).await.is_empty());
}

#[tokio::test]
async fn only_the_version_the_caller_saw_is_changed() {
    let (practice, directory) = practice().await;
    let id = practice.register_patient().await;
    let line = format!("PUT /patients/{id}/contact");
    let change = async |tag: &str, mail: &str| {
        practice
            .ask(
                &line,
                &staff(),
                &[("if-match", tag)],
                &json!({ "emails": [mail] }),
            )
            .await
    };
    assert_eq!(change("\"1\"", "one@example.org").await.ok(), 2);
    let stale = change("\"1\"", "two@example.org").await;
    stale.assert_problem(412, "precondition-failed");
    assert_eq!(stale.json["version"], 2);
    change("\"3\"", "two@example.org")
        .await
        .assert_problem(412, "precondition-failed");
    assert_eq!(change("*", "two@example.org").await.ok(), 3);
    assert_eq!(events(&directory).await.len(), 3);
}

#[tokio::test]
async fn a_condition_that_cannot_be_read_is_not_taken_for_none() {
    let (practice, directory) = practice().await;
    let id = practice.register_patient().await;
    let uri = format!("PUT /patients/{id}/contact");
    for condition in [&b"\"\xe9\""[..], b"W/\"1\"", b"1", b"\"1\", \"2\""] {
        let mut request = request(&uri, &staff(), &[], r#"{"phones":["+41446681800"]}"#);
        let value = http::HeaderValue::from_bytes(condition).unwrap();
        request.headers_mut().insert("if-match", value);
        practice
            .send(request)
            .await
            .assert_problem(400, "invalid-if-match");
    }
    assert_eq!(events(&directory).await.len(), 1);
}
