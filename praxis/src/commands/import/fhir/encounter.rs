//! What does an Encounter resource say of a visit, and what is wrong with it?

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Kind;
use super::json::{Malformed, Object, object, objects, text};
use super::references::{Known, Reference};
use super::time::instant;

/// From when until when, the end excluded.
pub type Period = (DateTime<Utc>, DateTime<Utc>);

/// A visit as the resource states it.
pub struct Visit {
    /// From when until when, where both are known and in order.
    pub time: Option<Period>,
    source: Value,
    reasons: BTreeSet<String>,
    patient: Option<Reference>,
    practitioner: Option<Reference>,
    location: Option<Reference>,
}

/// The records a visit is about; `None` where the reference leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parties {
    /// Whose visit.
    pub patient: Option<Uuid>,
    /// With whom.
    pub practitioner: Option<Uuid>,
    /// Where.
    pub location: Option<Uuid>,
}

impl Visit {
    /// Reads a resource. Of several practitioners and locations the first counts: an appointment has one of each.
    pub fn read(record: &Object) -> Result<Self, Malformed> {
        let mut reasons = BTreeSet::new();
        if text(record, "status")?.ok_or(Malformed)? != "finished" {
            reasons.insert("status_not_importable".to_owned());
        }
        let time = period(record, &mut reasons)?;
        let first = |list: &str, kind: Kind, member: &str| {
            let read = objects(record, list)?
                .into_iter()
                .map(|entry| Reference::member(kind, entry, member));
            // All of them are read: a malformed one anywhere makes the line malformed.
            Ok(read.collect::<Result<Vec<_>, _>>()?.into_iter().next().flatten())
        };
        Ok(Self {
            time,
            source: Kind::Encounter.source(text(record, "id")?.unwrap_or_default()),
            reasons,
            patient: object(record, "subject")?
                .map_or(Ok(None), |subject| Reference::read(Kind::Patient, subject))?,
            practitioner: first("participant", Kind::Practitioner, "individual")?,
            location: first("location", Kind::Location, "location")?,
        })
    }

    /// The records it is about, as far as they are there.
    pub fn parties(&self, known: &Known) -> Parties {
        let resolve = |kind, reference: &Option<Reference>| known.resolve(kind, reference.as_ref()?);
        Parties {
            patient: resolve(Kind::Patient, &self.patient),
            practitioner: resolve(Kind::Practitioner, &self.practitioner),
            location: resolve(Kind::Location, &self.location),
        }
    }

    /// The document that records it.
    ///
    /// # Errors
    /// What is wrong with it, every reason.
    pub fn document(&self, parties: Parties) -> Result<Value, BTreeSet<String>> {
        let mut reasons = self.reasons.clone();
        let named = [
            ("patient_unknown", parties.patient),
            ("practitioner_unknown", parties.practitioner),
            ("location_unknown", parties.location),
        ];
        reasons.extend(
            named
                .into_iter()
                .filter(|(_, id)| id.is_none())
                .map(|(reason, _)| reason.to_owned()),
        );
        let Some((starts, ends)) = self.time.filter(|_| reasons.is_empty()) else {
            return Err(reasons);
        };
        Ok(json!({
            "patient_id": parties.patient,
            "practitioner_id": parties.practitioner,
            "location_id": parties.location,
            "starts": starts.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            "ends": ends.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            "source": self.source,
        }))
    }
}

fn period(record: &Object, reasons: &mut BTreeSet<String>) -> Result<Option<Period>, Malformed> {
    let (start, end) = match object(record, "period")? {
        Some(period) => (text(period, "start")?, text(period, "end")?),
        None => (None, None),
    };
    if start.is_none() || end.is_none() {
        reasons.insert("period_missing".to_owned());
    }
    let (starts, ends) = (start.map(instant), end.map(instant));
    let is_exact = !matches!(starts, Some(None)) && !matches!(ends, Some(None));
    let time = starts.flatten().zip(ends.flatten());
    if !is_exact || time.is_some_and(|(starts, ends)| ends <= starts) {
        reasons.insert("period_invalid".to_owned());
    }
    Ok(time.filter(|(starts, ends)| starts < ends))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::{Malformed, Parties, Visit};

    const ALL: Parties = Parties {
        patient: Some(Uuid::from_u128(1)),
        practitioner: Some(Uuid::from_u128(2)),
        location: Some(Uuid::from_u128(3)),
    };

    fn with(period: &Value) -> Value {
        json!({ "id": "a", "status": "finished", "period": period })
    }

    fn reasons(record: &Value, parties: Parties) -> Vec<String> {
        let reasons = Visit::read(record.as_object().unwrap())
            .unwrap()
            .document(parties)
            .unwrap_err();
        reasons.into_iter().collect()
    }

    #[test]
    fn a_finished_visit_becomes_the_document_that_records_it() {
        let period = json!({ "start": "2021-03-01T09:00:00-05:00", "end": "2021-03-01T14:30:00.000001Z" });
        let visit = Visit::read(with(&period).as_object().unwrap()).unwrap();
        let expected = json!({
            "patient_id": ALL.patient, "practitioner_id": ALL.practitioner, "location_id": ALL.location,
            "starts": "2021-03-01T14:00:00Z", "ends": "2021-03-01T14:30:00.000001Z",
            "source": { "system": "http://hl7.org/fhir/Encounter", "value": "a" },
        });
        assert_eq!(visit.document(ALL), Ok(expected));
    }

    #[test]
    fn a_period_has_two_exact_ends_in_order() {
        let (start, end) = ("2021-03-01T09:00:00Z", "2021-03-01T09:30:00Z");
        for (period, reason) in [
            (json!(null), vec!["period_missing"]),
            (json!({ "start": start }), vec!["period_missing"]),
            (json!({ "end": end }), vec!["period_missing"]),
            (
                json!({ "start": "2021-03-01" }),
                vec!["period_invalid", "period_missing"],
            ),
            (
                json!({ "start": start, "end": "2021-03-02" }),
                vec!["period_invalid"],
            ),
            (json!({ "start": start, "end": start }), vec!["period_invalid"]),
            (json!({ "start": end, "end": start }), vec!["period_invalid"]),
        ] {
            let record = with(&period);
            assert_eq!(reasons(&record, ALL), reason, "{period}");
            assert_eq!(Visit::read(record.as_object().unwrap()).unwrap().time, None);
        }
    }

    #[test]
    fn every_reason_is_listed() {
        let record = json!({ "id": "a", "status": "planned" });
        let nobody = Parties {
            patient: None,
            practitioner: None,
            location: None,
        };
        let expected = [
            "location_unknown",
            "patient_unknown",
            "period_missing",
            "practitioner_unknown",
            "status_not_importable",
        ];
        assert_eq!(reasons(&record, nobody), expected);
    }

    #[test]
    fn without_status_or_with_a_member_of_another_type_the_line_is_malformed() {
        for record in [
            json!({}),
            json!({ "status": "finished", "period": "2021" }),
            json!({ "status": "finished", "period": { "start": 1 } }),
            json!({ "status": "finished", "subject": "x" }),
            json!({ "status": "finished", "participant": [{}, { "individual": "x" }] }),
            json!({ "status": "finished", "location": [{ "location": { "identifier": "x" } }] }),
        ] {
            assert!(
                matches!(Visit::read(record.as_object().unwrap()), Err(Malformed)),
                "{record}"
            );
        }
    }
}
