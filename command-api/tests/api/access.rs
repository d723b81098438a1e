//! Who may use what: tokens, roles, and records the caller may not know of.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use praxis_auth::claims::{Principal, Role};
use praxis_auth::generate::{KeySize, generate};
use praxis_auth::policy::Access;
use praxis_command_api::routes::RULES;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::practice::{
    Practice, admin, doctor, events, new_id, now, patient, practice, request, set_minutes_after_eight,
    signer, staff, token_of,
};

async fn register(practice: &Practice, token: &str) -> crate::practice::Reply {
    practice
        .post("/patients", token, json!({ "family_name": "Moreau" }))
        .await
}

#[tokio::test]
async fn a_token_that_expired_is_of_others_or_says_it_needs_no_signature_is_refused() {
    let (practice, directory) = practice().await;
    let good = staff();
    let principal = Principal {
        account_id: Uuid::from_u128(2),
        role: Role::Staff,
        patient_id: None,
        practitioner_id: None,
    };
    let foreign = generate(KeySize::Rsa2048).unwrap();
    let foreign = signer(&foreign)
        .mint(&principal, now(), TimeDelta::minutes(10), new_id())
        .unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let none = format!("{none}.{}.", parts[1]);
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
    let named = json!({ "alg": "none", "kid": header["kid"] }).to_string();
    let none_with_signature = format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(named), parts[1], parts[2]);
    let claims = URL_SAFE_NO_PAD.encode(r#"{"iss":"praxis-test","aud":"praxis","role":"ADMIN"}"#);
    let altered = format!("{}.{claims}.{}", parts[0], parts[2]);
    for (name, token) in [
        ("foreign", foreign.as_str()),
        ("alg none", &none),
        ("alg none with a signature", &none_with_signature),
        ("altered", &altered),
        ("nonsense", "a.b.c"),
    ] {
        let reply = register(&practice, token).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json["code"]),
            (401, &json!("unauthenticated")),
            "{name}"
        );
        assert!(reply.headers.contains_key("www-authenticate"), "{name}");
    }
    set_minutes_after_eight(9);
    register(&practice, &good).await.created();
    set_minutes_after_eight(11);
    register(&practice, &good)
        .await
        .assert_problem(401, "unauthenticated");
    assert_eq!(events(&directory).await.len(), 1);
}

/// A path of that template with ids in it.
fn path_of(template: &str) -> String {
    let id = Uuid::from_u128(0xabc).to_string();
    template.replace("{id}", &id).replace("{message_id}", &id)
}

#[tokio::test]
async fn no_route_answers_without_a_token() {
    let (practice, _directory) = practice().await;
    for rule in RULES {
        let line = format!("{} {}", rule.verb, path_of(rule.path));
        let mut request = request(&line, "", &[], "{}");
        request.headers_mut().remove("authorization");
        practice
            .send(request)
            .await
            .assert_problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn every_route_refuses_every_role_it_does_not_serve() {
    let (practice, directory) = practice().await;
    for rule in RULES {
        let Access::Roles(served) = rule.access else {
            panic!("{} is public", rule.path)
        };
        for role in Role::ALL {
            let token = token_of(role, 9, Some(Uuid::from_u128(5)), Some(Uuid::from_u128(6)));
            let line = format!("{} {}", rule.verb, path_of(rule.path));
            let reply = practice.ask(&line, &token, &[], &json!({ "nonsense": 1 })).await;
            // Those served come as far as their input.
            let expected = if served.contains(&role) { 422 } else { 403 };
            assert_eq!(reply.status.as_u16(), expected, "{line} as {}", role.name());
        }
    }
    assert!(events(&directory).await.is_empty());
}

#[tokio::test]
async fn a_record_that_is_not_there_is_not_found() {
    let (practice, directory) = practice().await;
    let id = Uuid::from_u128(0xabc);
    let reply = practice.order(&format!("DELETE /patients/{id}"), &staff()).await;
    reply.assert_problem(404, "not-found");
    assert_eq!(reply.reasons(), ["patient_not_found"]);
    practice
        .step(id, "arrive", &staff())
        .await
        .assert_problem(404, "not-found");
    let thread = format!("POST /threads/{id}/messages/{id}/read");
    practice
        .order(&thread, &doctor(id))
        .await
        .assert_problem(404, "not-found");
    practice
        .order(&format!("POST /appointments/{id}/dance"), &staff())
        .await
        .assert_problem(404, "not-found");
    let other_method = practice.order("PUT /threads", &staff()).await;
    other_method.assert_problem(405, "method-not-allowed");
    assert_eq!(other_method.headers["allow"], "POST, GET, HEAD");
    assert!(events(&directory).await.is_empty());
}

/// A problem document without what belongs to the one request.
fn without_request(mut document: Value) -> Value {
    let document_object = document.as_object_mut().unwrap();
    document_object.remove("correlation_id");
    document_object.remove("instance");
    document
}

#[tokio::test]
async fn a_patient_is_told_the_same_of_anothers_record_as_of_none() {
    let (practice, directory) = practice().await;
    let people = practice.people().await;
    let booked = practice
        .post("/appointments", &staff(), people.visit(3_000))
        .await
        .created();
    let stranger = patient(practice.register_patient().await);
    let nobody = Uuid::from_u128(0xabc);
    let before = events(&directory).await.len();
    let contact = json!({ "emails": ["x@example.org"] });
    let mut told = Vec::new();
    for id in [people.patient, nobody] {
        let line = format!("PUT /patients/{id}/contact");
        told.push(practice.ask(&line, &stranger, &[], &contact).await);
        let mut visit = people.visit(6_000);
        visit["patient_id"] = json!(id);
        told.push(practice.post("/appointments", &stranger, visit).await);
        let thread = json!({ "patient_id": id, "topic": "x", "participants": [] });
        told.push(practice.post("/threads", &stranger, thread).await);
    }
    for id in [booked, nobody] {
        told.push(
            practice
                .post(&format!("/appointments/{id}/cancel"), &stranger, json!({}))
                .await,
        );
    }
    for reply in &told {
        reply.assert_problem(404, "not-found");
    }
    let mut documents = told.into_iter().map(|reply| without_request(reply.json));
    let documents: [Value; 8] = std::array::from_fn(|_| documents.next().unwrap());
    for (of_another, of_none) in [(0, 3), (1, 4), (2, 5), (6, 7)] {
        assert_eq!(documents[of_another], documents[of_none]);
    }
    assert_eq!(events(&directory).await.len(), before);
}

#[tokio::test]
async fn only_participants_speak_in_a_conversation_and_others_do_not_learn_of_it() {
    let (practice, directory) = practice().await;
    let people = practice.people().await;
    let other_doctor = doctor(practice.register_practitioner().await);
    let other_patient = patient(practice.register_patient().await);
    let body = json!({
        "patient_id": people.patient, "topic": "results",
        "participants": [{ "kind": "patient", "id": people.patient }]
    });
    let thread = practice
        .post("/threads", &patient(people.patient), body)
        .await
        .created();
    let message = practice
        .post(
            &format!("/threads/{thread}/messages"),
            &patient(people.patient),
            json!({ "body": "hello" }),
        )
        .await;
    let message = message.json["message_id"].as_str().unwrap();
    let before = events(&directory).await.len();
    let nobody = Uuid::from_u128(0xabc);
    for outsider in [&other_doctor, &other_patient] {
        for rest in ["", "/read", "/retract"] {
            let mut told = Vec::new();
            for id in [thread, nobody] {
                let path = match rest {
                    "" => format!("/threads/{id}/messages"),
                    step => format!("/threads/{id}/messages/{message}{step}"),
                };
                let body = if rest.is_empty() {
                    json!({ "body": "hello" })
                } else {
                    json!({})
                };
                let reply = practice.post(&path, outsider, body).await;
                reply.assert_problem(404, "not-found");
                told.push(without_request(reply.json));
            }
            assert_eq!(told[0], told[1], "{rest}");
        }
    }
    practice
        .post(
            &format!("/threads/{thread}/messages"),
            &admin(),
            json!({ "body": "hello" }),
        )
        .await
        .assert_problem(403, "forbidden");
    assert_eq!(events(&directory).await.len(), before);
}

#[tokio::test]
async fn a_condition_tells_no_more_of_a_record_than_the_command_would() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    let stranger = patient(practice.register_patient().await);
    let contact = json!({ "emails": ["x@example.org"] });
    let mut told = Vec::new();
    for id in [people.patient, Uuid::from_u128(0xabc)] {
        let line = format!("PUT /patients/{id}/contact");
        let reply = practice
            .ask(&line, &stranger, &[("if-match", "\"7\"")], &contact)
            .await;
        reply.assert_problem(404, "not-found");
        told.push(without_request(reply.json));
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn a_rule_of_the_record_forbids_what_the_role_allows() {
    let (practice, _directory) = practice().await;
    let people = practice.people().await;
    let id = practice
        .post("/appointments", &staff(), people.visit(30))
        .await
        .created();
    practice.step(id, "check-in", &staff()).await.ok();
    let stranger = doctor(practice.register_practitioner().await);
    let reply = practice.step(id, "complete", &stranger).await;
    reply.assert_problem(403, "forbidden");
    assert_eq!(reply.reasons(), ["not_assigned_practitioner"]);
    let mut visit = people.visit(60);
    visit["overbooking_reason_code"] = json!("urgent");
    let reply = practice
        .post("/appointments", &doctor(people.practitioner), visit)
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.reasons()),
        (403, vec!["overbooking_not_permitted"])
    );
}
