//! Which tokens are refused, and why.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::claims::Role;
use crate::generate::{KeySize, PemPair, generate};
use crate::sign::TokenSigner;

const ISSUER: &str = "https://praxis.test";
const AUDIENCE: &str = "praxis";

static PAIR: LazyLock<PemPair> = LazyLock::new(|| generate(KeySize::Rsa2048).unwrap());
static OTHER_PAIR: LazyLock<PemPair> = LazyLock::new(|| generate(KeySize::Rsa2048).unwrap());

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn signer(pair: &PemPair, issuer: &str, audience: &str) -> TokenSigner {
    TokenSigner::try_new(pair.private_pem(), issuer, audience).unwrap()
}

fn verifier() -> TokenVerifier {
    TokenVerifier::new(
        PublicKeys::try_from_pem(PAIR.public_pem()).unwrap(),
        ISSUER,
        AUDIENCE,
    )
}

fn doctor() -> Principal {
    Principal {
        account_id: Uuid::from_u128(1),
        role: Role::Doctor,
        patient_id: None,
        practitioner_id: Some(Uuid::from_u128(2)),
    }
}

fn mint(signer: &TokenSigner) -> String {
    signer
        .mint(&doctor(), now(), TimeDelta::minutes(10), Uuid::from_u128(3))
        .unwrap()
}

fn good_token() -> String {
    mint(&signer(&PAIR, ISSUER, AUDIENCE))
}

fn good_claims() -> Claims {
    Claims {
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        sub: Uuid::from_u128(1),
        role: Role::Staff,
        patient_id: None,
        practitioner_id: None,
        exp: now().timestamp() + 60,
        iat: now().timestamp(),
        jti: Uuid::from_u128(9),
    }
}

/// A token with that header and those claims, signed by whatever `sign` does to `header.claims`.
fn forged(header: &Value, sign: impl FnOnce(&str) -> Vec<u8>) -> String {
    let claims = serde_json::to_string(&good_claims()).unwrap();
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = URL_SAFE_NO_PAD.encode(sign(&message));
    format!("{message}.{signature}")
}

fn kid() -> String {
    signer(&PAIR, ISSUER, AUDIENCE).public_key().kid().to_owned()
}

#[test]
fn a_minted_token_names_its_caller() {
    assert_eq!(verifier().verify(&good_token(), now()), Ok(doctor()));
}

#[test]
fn tokens_of_both_keys_are_good_during_a_rotation() {
    let bundle = format!("{}{}", PAIR.public_pem(), OTHER_PAIR.public_pem());
    let verifier = TokenVerifier::new(PublicKeys::try_from_pem(&bundle).unwrap(), ISSUER, AUDIENCE);
    for pair in [&*PAIR, &*OTHER_PAIR] {
        assert_eq!(
            verifier.verify(&mint(&signer(pair, ISSUER, AUDIENCE)), now()),
            Ok(doctor())
        );
    }
}

#[test]
fn a_token_lives_until_its_last_second_and_the_leeway() {
    let token = good_token();
    let end = now() + TimeDelta::minutes(10) + TimeDelta::seconds(LEEWAY_SECONDS);
    assert!(verifier().verify(&token, end - TimeDelta::seconds(1)).is_ok());
    assert_eq!(verifier().verify(&token, end), Err(TokenFault::Expired));
}

#[test]
fn a_token_issued_ahead_of_the_clock_is_refused_beyond_the_leeway() {
    let token = good_token();
    let leeway = TimeDelta::seconds(LEEWAY_SECONDS);
    assert!(verifier().verify(&token, now() - leeway).is_ok());
    let before = now() - leeway - TimeDelta::seconds(1);
    assert_eq!(verifier().verify(&token, before), Err(TokenFault::IssuedAhead));
}

#[test]
fn a_token_without_algorithm_is_refused() {
    let token = forged(&json!({ "alg": "none", "kid": kid() }), |_| Vec::new());
    assert_eq!(verifier().verify(&token, now()), Err(TokenFault::Algorithm));
}

#[test]
fn a_token_signed_with_the_public_key_as_hmac_secret_is_refused() {
    let token = forged(&json!({ "alg": "HS256", "kid": kid() }), |message| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, PAIR.public_pem().as_bytes());
        hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
    });
    assert_eq!(verifier().verify(&token, now()), Err(TokenFault::Algorithm));
}

#[test]
fn a_signature_of_another_key_under_a_trusted_id_is_refused() {
    let foreign = mint(&signer(&OTHER_PAIR, ISSUER, AUDIENCE));
    let signature = URL_SAFE_NO_PAD
        .decode(foreign.rsplit('.').next().unwrap())
        .unwrap();
    let token = forged(&json!({ "alg": "RS256", "kid": kid() }), |_| signature);
    assert_eq!(verifier().verify(&token, now()), Err(TokenFault::Signature));
}

#[test]
fn altered_claims_are_refused() {
    let token = good_token();
    let parts: Vec<&str> = token.split('.').collect();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    claims["role"] = json!("ADMIN");
    let altered = format!(
        "{}.{}.{}",
        parts[0],
        URL_SAFE_NO_PAD.encode(claims.to_string()),
        parts[2]
    );
    assert_eq!(verifier().verify(&altered, now()), Err(TokenFault::Signature));
}

#[test]
fn an_unknown_or_missing_key_id_is_refused() {
    let foreign = mint(&signer(&OTHER_PAIR, ISSUER, AUDIENCE));
    assert_eq!(verifier().verify(&foreign, now()), Err(TokenFault::UnknownKey));
    let nameless = forged(&json!({ "alg": "RS256" }), |_| Vec::new());
    assert_eq!(verifier().verify(&nameless, now()), Err(TokenFault::NoKeyId));
}

#[test]
fn another_issuer_or_audience_is_refused() {
    let issuer = mint(&signer(&PAIR, "https://elsewhere.test", AUDIENCE));
    assert_eq!(verifier().verify(&issuer, now()), Err(TokenFault::Issuer));
    let audience = mint(&signer(&PAIR, ISSUER, "another"));
    assert_eq!(verifier().verify(&audience, now()), Err(TokenFault::Audience));
}

#[test]
fn a_doctor_without_a_practitioner_is_refused() {
    let claims = Claims {
        role: Role::Doctor,
        ..good_claims()
    };
    let token = signer(&PAIR, ISSUER, AUDIENCE).sign(&claims).unwrap();
    assert_eq!(verifier().verify(&token, now()), Err(TokenFault::Claims));
}

#[test]
fn malformed_tokens_are_refused() {
    let good = good_token();
    for token in [
        "",
        "a",
        "a.b.c",
        "..",
        &format!("{good}.x"),
        &format!("{good}="),
        &good.replace('.', ""),
    ] {
        assert_eq!(
            verifier().verify(token, now()),
            Err(TokenFault::Malformed),
            "{token}"
        );
    }
    assert_eq!(
        verifier().verify(&"a".repeat(TOKEN_BYTES_MAX + 1), now()),
        Err(TokenFault::TooLong)
    );
}

#[test]
fn every_reason_has_a_code_of_its_own() {
    let faults = [
        TokenFault::TooLong,
        TokenFault::Malformed,
        TokenFault::Algorithm,
        TokenFault::NoKeyId,
        TokenFault::UnknownKey,
        TokenFault::Signature,
        TokenFault::Issuer,
        TokenFault::Audience,
        TokenFault::Expired,
        TokenFault::IssuedAhead,
        TokenFault::Claims,
    ];
    let codes: std::collections::BTreeSet<_> = faults.iter().map(|fault| fault.reason()).collect();
    assert_eq!(codes.len(), faults.len());
}
