//! What does an access token say, and who is the caller it names?

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What an account may do; a route names the roles it serves (`policy`), a record's own rules come on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// Configuration, accounts, reports, erasure; no message content.
    Admin,
    /// A practitioner; reads patients they have a relationship with.
    Doctor,
    /// The front desk: registration, calendar, waitlist; no message content.
    Staff,
    /// A patient, for their own record, bookings and threads.
    Patient,
    /// Read-only replay, proofs and the access log.
    Auditor,
}

impl Role {
    /// Every role there is, in the order the policy matrix prints them.
    pub const ALL: [Self; 5] = [
        Self::Admin,
        Self::Doctor,
        Self::Staff,
        Self::Patient,
        Self::Auditor,
    ];

    /// The name a token carries, as `ADMIN`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::Doctor => "DOCTOR",
            Self::Staff => "STAFF",
            Self::Patient => "PATIENT",
            Self::Auditor => "AUDITOR",
        }
    }

    /// The role of that name, in upper case as in a token.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// The members of an access token (RFC 7519), all of them server-made ids, codes and times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued the token.
    pub iss: String,
    /// Whom it is meant for.
    pub aud: String,
    /// The account.
    pub sub: Uuid,
    /// What the account may do.
    pub role: Role,
    /// The patient this account is, required for `PATIENT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient_id: Option<Uuid>,
    /// The practitioner this account is, required for `DOCTOR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practitioner_id: Option<Uuid>,
    /// The first second at which it is no longer good, seconds since 1970 UTC.
    pub exp: i64,
    /// When it was issued, seconds since 1970 UTC.
    pub iat: i64,
    /// The token's own id.
    pub jti: Uuid,
}

/// The caller of a request, as a verified token names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    /// The account that calls.
    pub account_id: Uuid,
    /// What it may do.
    pub role: Role,
    /// The patient it is, if it is one.
    pub patient_id: Option<Uuid>,
    /// The practitioner it is, if it is one.
    pub practitioner_id: Option<Uuid>,
}

impl Principal {
    /// The caller these claims name; `None` when the role lacks the record it acts for (a `PATIENT` without a
    /// patient, a `DOCTOR` without a practitioner), for which no rule could be judged.
    pub fn from_claims(claims: &Claims) -> Option<Self> {
        let linked = match claims.role {
            Role::Patient => claims.patient_id.is_some(),
            Role::Doctor => claims.practitioner_id.is_some(),
            Role::Admin | Role::Staff | Role::Auditor => true,
        };
        linked.then_some(Self {
            account_id: claims.sub,
            role: claims.role,
            patient_id: claims.patient_id,
            practitioner_id: claims.practitioner_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_found_by_its_name() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("admin"), None, "role names are upper case");
    }

    #[test]
    fn roles_are_written_as_their_names() {
        for role in Role::ALL {
            assert_eq!(
                serde_json::to_value(role).unwrap(),
                serde_json::json!(role.name())
            );
        }
    }

    #[test]
    fn a_patient_account_without_a_patient_is_no_principal() {
        let claims = Claims {
            iss: "i".into(),
            aud: "a".into(),
            sub: Uuid::from_u128(1),
            role: Role::Patient,
            patient_id: None,
            practitioner_id: Some(Uuid::from_u128(3)),
            exp: 10,
            iat: 0,
            jti: Uuid::from_u128(2),
        };
        assert_eq!(Principal::from_claims(&claims), None);
        let linked = Claims {
            patient_id: Some(Uuid::from_u128(4)),
            ..claims
        };
        assert_eq!(
            Principal::from_claims(&linked).unwrap().patient_id,
            Some(Uuid::from_u128(4))
        );
    }
}
