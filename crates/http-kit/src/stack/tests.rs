//! Does everything around a route answer with problems, in every case?

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::routing::{get, post};
use http::Request;
use praxis_auth::generate::{KeySize, generate};
use praxis_auth::keys::PublicKeys;
use praxis_auth::policy::{PolicyTable, Rule, Verb};
use praxis_auth::verify::TokenVerifier;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::body;
use crate::fields::{Fields, FromFields, values};
use crate::problem::PROBLEM_JSON;
use crate::sources::fixed;

struct Word(String);

impl FromFields for Word {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        fields.required("word", values::string).map(Self)
    }
}

fn router(limits: Limits) -> Router {
    let rules = [
        Rule::public(Verb::Get, "/slow"),
        Rule::public(Verb::Get, "/panic"),
        Rule::public(Verb::Post, "/word"),
    ];
    let pair = generate(KeySize::Rsa2048).unwrap();
    let keys = PublicKeys::try_from_pem(pair.public_pem()).unwrap();
    let door = Door::new(
        PolicyTable::try_new(rules).unwrap(),
        TokenVerifier::new(keys, "i", "a"),
    );
    let routes = Router::new()
        .route("/slow", get(std::future::pending::<()>))
        .route("/panic", get(panics))
        .route(
            "/word",
            post(|word: body::Body<Word>| async move { word.value.0 }),
        );
    surround(routes, fixed::sources(), door, limits)
}

async fn panics() {
    panic!("Marker");
}

fn limits() -> Limits {
    Limits {
        body_bytes_max: 32,
        request_timeout: Duration::from_millis(20),
        requests_max: 1,
    }
}

async fn problem(response: Response) -> Value {
    assert_eq!(response.headers()["content-type"], PROBLEM_JSON);
    let document = to_bytes(response.into_body(), 10_000).await.unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    assert!(document["correlation_id"].is_string(), "{document}");
    document
}

fn get_request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn word(body: &str) -> Request<Body> {
    let request = Request::post("/word").header("content-type", "application/json");
    request.body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_503_with_retry_after() {
    let response = router(limits()).oneshot(get_request("/slow")).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(problem(response).await["code"], "timed-out");
}

#[tokio::test]
async fn a_panic_is_500_and_its_words_stay_inside() {
    let response = router(limits()).oneshot(get_request("/panic")).await.unwrap();
    assert_eq!(response.status(), 500);
    let document = problem(response).await;
    assert_eq!(document["code"], "internal");
    assert!(!document.to_string().contains("Marker"));
}

#[tokio::test]
async fn the_body_limit_holds() {
    assert_eq!(
        router(limits())
            .oneshot(word(r#"{"word":"a"}"#))
            .await
            .unwrap()
            .status(),
        200
    );
    let large = format!(r#"{{"word":"{}"}}"#, "a".repeat(32));
    let response = router(limits()).oneshot(word(&large)).await.unwrap();
    assert_eq!(problem(response).await["code"], "payload-too-large");
}

#[tokio::test]
async fn requests_over_the_limit_are_refused_until_one_ends() {
    let limits = Limits {
        request_timeout: Duration::from_mins(1),
        ..limits()
    };
    let router = router(limits);
    let mut first = Box::pin(router.clone().oneshot(get_request("/slow")));
    assert!(
        std::future::poll_fn(|task| std::task::Poll::Ready(first.as_mut().poll(task).is_pending())).await
    );
    let refused = router.clone().oneshot(word(r#"{"word":"a"}"#)).await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(problem(refused).await["code"], "overloaded");
    drop(first);
    assert_eq!(
        router.oneshot(word(r#"{"word":"a"}"#)).await.unwrap().status(),
        200
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let response = router(limits()).oneshot(get_request("/nothing")).await.unwrap();
    assert_eq!(problem(response).await["code"], "not-found");
    let response = router(limits()).oneshot(get_request("/word")).await.unwrap();
    assert_eq!(response.headers()["allow"], "POST");
    assert_eq!(problem(response).await["code"], "method-not-allowed");
}

#[tokio::test]
async fn every_response_carries_the_ids_of_its_request() {
    for request in [
        get_request("/nothing"),
        get_request("/slow"),
        get_request("/panic"),
        word("{}"),
    ] {
        let response = router(limits()).oneshot(request).await.unwrap();
        assert!(response.headers().contains_key("x-correlation-id"));
        assert!(response.headers().contains_key("traceparent"));
    }
}
