//! What became of a record, from what the command API answered?

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use http::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use super::reasons;
use crate::client::Answered;

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Recorded(Uuid),
    /// An earlier import recorded it.
    Unchanged(Uuid),
    /// It is refused, for these reasons.
    Refused(BTreeSet<String>),
}

/// Reads an answer; `None` when nothing was decided, because others kept changing what the record depends on.
///
/// # Errors
/// When it says nothing of this record, but that no record can be imported this way: the token, the server, a defect.
pub fn of(answered: &Answered) -> Result<Option<Outcome>> {
    let document = &answered.document;
    match answered.status {
        status if status.is_success() => {
            let id = answered.id().context("the server answers without an id")?;
            Ok(Some(Outcome::Recorded(
                id.parse().context("the server answers with an id that is none")?,
            )))
        }
        StatusCode::CONFLICT => of_conflict(document),
        StatusCode::UNPROCESSABLE_ENTITY if has_any(document, "faults") => {
            let reason = |fault| reasons::of_fault(member(fault, "pointer"), member(fault, "code"));
            Ok(Some(Outcome::Refused(
                items(document, "faults").map(reason).collect(),
            )))
        }
        StatusCode::PAYLOAD_TOO_LARGE => Ok(Some(Outcome::Refused(
            [reasons::of_refusal(member(document, "code"))].into(),
        ))),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            bail!(
                "the server answers {}: an import needs a valid token of an ADMIN",
                answered.status
            )
        }
        status => bail!("the server answers {status} {}", answered.codes().join(", ")),
    }
}

fn of_conflict(document: &Value) -> Result<Option<Outcome>> {
    if let Some(earlier) =
        items(document, "reasons").find(|reason| member(reason, "code") == "already_imported")
    {
        let owner = member(earlier, "owner").parse();
        let owner = owner.context("the server does not say which record was imported before")?;
        return Ok(Some(Outcome::Unchanged(owner)));
    }
    if has_any(document, "reasons") {
        let reasons = items(document, "reasons").map(|reason| reasons::of_refusal(member(reason, "code")));
        return Ok(Some(Outcome::Refused(reasons.collect())));
    }
    match member(document, "code") {
        "version-conflict" => Ok(None),
        code => bail!("the server answers 409 {code} without reasons"),
    }
}

fn items<'a>(document: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    document.get(list).and_then(Value::as_array).into_iter().flatten()
}

fn has_any(document: &Value, list: &str) -> bool {
    items(document, list).next().is_some()
}

fn member<'a>(document: &'a Value, name: &str) -> &'a str {
    document.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::{Outcome, of};
    use crate::client::Answered;

    const ID: Uuid = Uuid::from_u128(7);

    fn read(status: u16, document: Value) -> anyhow::Result<Option<Outcome>> {
        of(&Answered {
            status: StatusCode::from_u16(status).unwrap(),
            document,
            replayed: false,
        })
    }

    fn refused(reasons: &[&str]) -> Outcome {
        Outcome::Refused(reasons.iter().map(|&reason| reason.to_owned()).collect())
    }

    #[test]
    fn a_write_is_recorded_under_its_id() {
        assert_eq!(
            read(201, json!({ "id": ID })).unwrap(),
            Some(Outcome::Recorded(ID))
        );
        assert!(read(201, json!({})).is_err());
    }

    #[test]
    fn an_earlier_import_counts_before_every_other_reason() {
        let reasons = json!([{ "code": "patient_busy" }, { "code": "already_imported", "owner": ID }]);
        assert_eq!(
            read(409, json!({ "reasons": reasons })).unwrap(),
            Some(Outcome::Unchanged(ID))
        );
        assert!(read(409, json!({ "reasons": [{ "code": "already_imported" }] })).is_err());
    }

    #[test]
    fn refusals_and_faults_become_reasons() {
        let reasons = json!({ "reasons": [{ "code": "patient_busy" }, { "code": "visit_after_death" }] });
        assert_eq!(
            read(409, reasons).unwrap(),
            Some(refused(&["patient_busy", "visit_after_death"]))
        );
        let faults = json!({ "faults": [{ "pointer": "/contact/phones/0", "code": "invalid-phone" }] });
        assert_eq!(read(422, faults).unwrap(), Some(refused(&["phone_invalid"])));
        assert_eq!(
            read(413, json!({ "code": "event-too-large" })).unwrap(),
            Some(refused(&["event_too_large"]))
        );
    }

    #[test]
    fn a_record_that_kept_changing_is_sent_again() {
        assert_eq!(read(409, json!({ "code": "version-conflict" })).unwrap(), None);
    }

    #[test]
    fn what_says_nothing_of_the_record_ends_the_import() {
        for (status, code) in [
            (401, "unauthenticated"),
            (403, "forbidden"),
            (404, "not-found"),
            (422, "idempotency-key-reused"),
            (500, "internal"),
            (409, "claim-taken"),
        ] {
            assert!(read(status, json!({ "code": code })).is_err(), "{status}");
        }
    }
}
