//! Who gets through the door, and what do the others hear?

use std::sync::LazyLock;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use chrono::{DateTime, TimeDelta, Utc};
use praxis_auth::claims::Role;
use praxis_auth::generate::{KeySize, PemPair, generate};
use praxis_auth::keys::PublicKeys;
use praxis_auth::policy::Rule;
use praxis_auth::sign::TokenSigner;
use praxis_auth::verify::{LEEWAY_SECONDS, TokenFault};
use serde_json::Value;
use tower::ServiceExt as _;
use uuid::Uuid;

use super::*;
use crate::context;
use crate::sources::fixed;

static PAIR: LazyLock<PemPair> = LazyLock::new(|| generate(KeySize::Rsa2048).unwrap());
static FOREIGN: LazyLock<PemPair> = LazyLock::new(|| generate(KeySize::Rsa2048).unwrap());

const RULES: &[Rule] = &[
    Rule::public(Verb::Get, "/health"),
    Rule::roles(Verb::Get, "/patients/{id}", &[Role::Staff]),
    Rule::roles(Verb::Post, "/patients", &[Role::Staff]),
];

fn router() -> Router {
    let policy = PolicyTable::try_new(RULES.iter().copied()).unwrap();
    let keys = PublicKeys::try_from_pem(PAIR.public_pem()).unwrap();
    let door = Door::new(policy, TokenVerifier::new(keys, "issuer", "audience"));
    let who = |caller: Option<axum::Extension<Caller>>| async move {
        caller.map_or_else(|| "nobody".to_owned(), |caller| caller.0.0.account_id.to_string())
    };
    Router::new()
        .route("/health", get(who))
        .route("/patients/{id}", get(who))
        // No rule names DELETE here, nor anything of /unlisted.
        .route("/patients", post(who).delete(who))
        .route("/unlisted", delete(who).get(who))
        .layer(from_fn_with_state(door, enforce))
        .layer(from_fn_with_state(fixed::sources(), context::provide))
}

fn token(pair: &PemPair, role: Role, issued: DateTime<Utc>) -> String {
    let principal = Principal {
        account_id: Uuid::from_u128(77),
        role,
        patient_id: None,
        practitioner_id: None,
    };
    let signer = TokenSigner::try_new(pair.private_pem(), "issuer", "audience").unwrap();
    signer
        .mint(&principal, issued, TimeDelta::minutes(5), Uuid::from_u128(1))
        .unwrap()
}

fn good(role: Role) -> String {
    format!("Bearer {}", token(&PAIR, role, fixed::sources().now()))
}

async fn send(method: &str, path: &str, authorization: &[&str]) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    for value in authorization {
        request = request.header(AUTHORIZATION, *value);
    }
    router()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), 10_000).await.unwrap().to_vec()).unwrap()
}

async fn code(response: Response) -> String {
    let document: Value = serde_json::from_str(&text(response).await).unwrap();
    document["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_caller_of_a_served_role_gets_through_and_is_known() {
    let response = send("GET", "/patients/5", &[&good(Role::Staff)]).await;
    assert_eq!(text(response).await, Uuid::from_u128(77).to_string());
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case_and_head_counts_as_get() {
    let authorization = good(Role::Staff).replace("Bearer", "bEARER");
    assert_eq!(send("HEAD", "/patients/5", &[&authorization]).await.status(), 200);
}

#[tokio::test]
async fn a_public_route_ignores_tokens_good_or_bad() {
    for authorization in [&[][..], &["Bearer nonsense"], &[&good(Role::Admin)]] {
        assert_eq!(text(send("GET", "/health", authorization).await).await, "nobody");
    }
}

#[tokio::test]
async fn without_a_token_the_answer_is_401_with_a_challenge() {
    let response = send("GET", "/patients/5", &[]).await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    assert_eq!(code(response).await, "unauthenticated");
}

#[tokio::test]
async fn every_bad_token_hears_the_same() {
    let now = fixed::sources().now();
    let bad = [
        format!("Bearer {}", token(&FOREIGN, Role::Staff, now)),
        format!("Bearer {}", token(&PAIR, Role::Staff, now - TimeDelta::hours(1))),
        "Bearer eyJhbGciOiJub25lIn0.e30.".to_owned(),
        "Bearer ".to_owned(),
        "Basic YTpi".to_owned(),
        "nonsense".to_owned(),
    ];
    let mut bodies = std::collections::BTreeSet::new();
    for authorization in &bad {
        let response = send("GET", "/patients/5", &[authorization]).await;
        assert_eq!(response.status(), 401, "{authorization}");
        assert_eq!(
            response.headers()["www-authenticate"],
            "Bearer error=\"invalid_token\""
        );
        bodies.insert(text(response).await);
    }
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let twice = good(Role::Staff);
    assert_eq!(send("GET", "/patients/5", &[&twice, &twice]).await.status(), 401);
}

#[tokio::test]
async fn another_role_is_forbidden() {
    for role in [Role::Admin, Role::Auditor] {
        let response = send("GET", "/patients/5", &[&good(role)]).await;
        assert_eq!(response.status(), 403);
        assert_eq!(code(response).await, "forbidden");
    }
}

#[tokio::test]
async fn a_served_route_without_a_rule_does_not_exist_for_anyone() {
    let (staff, admin) = (good(Role::Staff), good(Role::Admin));
    for authorization in [&[][..], &[&*staff], &[&*admin]] {
        for method in ["GET", "DELETE"] {
            let response = send(method, "/unlisted", authorization).await;
            assert_eq!(response.status(), 404);
            assert_eq!(code(response).await, "not-found");
        }
        assert_eq!(send("GET", "/no-such-path", authorization).await.status(), 404);
    }
}

#[tokio::test]
async fn a_served_method_without_a_rule_is_405_and_tells_the_methods_that_have_one() {
    let response = send("DELETE", "/patients", &[&good(Role::Staff)]).await;
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "POST");
    assert_eq!(code(response).await, "method-not-allowed");
    let response = send("BREW", "/patients/5", &[&good(Role::Staff)]).await;
    assert_eq!(response.headers()["allow"], "GET, HEAD");
}

/// A door that has let a token in judges it again each time, and no other token by it.
#[test]
fn a_token_that_was_good_is_refused_once_it_has_expired() {
    let keys = PublicKeys::try_from_pem(PAIR.public_pem()).unwrap();
    let verifier = TokenVerifier::new(keys, "issuer", "audience");
    let known = KnownTokens::new();
    let issued = fixed::sources().now();
    let token = token(&PAIR, Role::Staff, issued);
    let judge = |token: &str, seconds| {
        let opened = known.open(token, &verifier)?;
        opened.judged_at(issued + TimeDelta::seconds(seconds))
    };
    let caller = judge(&token, 0).unwrap();
    assert_eq!(judge(&token, 299), Ok(caller), "kept");
    assert_eq!(judge(&token, 300 + LEEWAY_SECONDS), Err(TokenFault::Expired));
    assert_eq!(judge(&token, -LEEWAY_SECONDS - 1), Err(TokenFault::IssuedAhead));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}.{other}{}", &signature[1..]);
    assert_eq!(judge(&forged, 0), Err(TokenFault::Signature));
    assert_eq!(format!("{known:?}"), "KnownTokens { len: 1 }");
}
