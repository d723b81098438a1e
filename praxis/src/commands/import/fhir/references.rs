//! Which record does a FHIR reference mean?

use std::collections::{BTreeSet, HashMap};

use praxis_domain::values::identifier::Identifier;
use uuid::Uuid;

use super::Kind;
use super::json::{Malformed, Object, object, objects, text};

/// An identifier: whose numbering, and the number, both in the form in which they are compared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// Whose numbering.
    pub system: String,
    /// The number.
    pub value: String,
}

impl Pair {
    fn new(system: &str, value: &str) -> Self {
        match Identifier::parse(system, value) {
            Ok(known) => Self {
                system: known.system().reveal().clone(),
                value: known.value().reveal().clone(),
            },
            Err(_) => Self {
                system: system.trim().to_owned(),
                value: value.trim().to_owned(),
            },
        }
    }

    /// The identifier of that object; `None` when a part is missing.
    pub fn of(identifier: &Object) -> Result<Option<Self>, Malformed> {
        let (system, value) = (text(identifier, "system")?, text(identifier, "value")?);
        Ok(system.zip(value).map(|(system, value)| Self::new(system, value)))
    }

    /// The identifiers of a resource that have both parts.
    pub fn all_of(record: &Object) -> Result<BTreeSet<Self>, Malformed> {
        let pairs: Result<Vec<_>, _> = objects(record, "identifier")?.into_iter().map(Self::of).collect();
        Ok(pairs?.into_iter().flatten().collect())
    }
}

/// A reference to a resource of a known type.
#[derive(Clone, PartialEq, Eq)]
pub enum Reference {
    /// `Type/id`
    Id(String),
    /// `Type?identifier=system|value`, or an identifier in place of a reference.
    Identifier(Pair),
}

impl Reference {
    /// What a FHIR `Reference` says; `None` when it refers to nothing of that type.
    pub fn read(kind: Kind, reference: &Object) -> Result<Option<Self>, Malformed> {
        let identifier = match object(reference, "identifier")? {
            Some(identifier) => Pair::of(identifier)?,
            None => None,
        };
        let Some(written) = text(reference, "reference")? else {
            return Ok(identifier.map(Self::Identifier));
        };
        let Some(rest) = written.strip_prefix(kind.name()) else {
            return Ok(None);
        };
        if let Some(searched) = rest.strip_prefix("?identifier=") {
            let (system, value) = searched.split_once('|').unwrap_or((searched, ""));
            return Ok(Some(Self::Identifier(Pair::new(system, value))));
        }
        Ok(rest.strip_prefix('/').map(|id| Self::Id(id.to_owned())))
    }

    /// What the member `name` refers to; `None` when it is absent or refers to nothing of that type.
    pub fn member(kind: Kind, record: &Object, name: &str) -> Result<Option<Self>, Malformed> {
        object(record, name)?.map_or(Ok(None), |reference| Self::read(kind, reference))
    }
}

/// The records that are there, by the ids and identifiers of the resources they come from.
#[derive(Default)]
pub struct Known {
    ids: HashMap<(Kind, String), Uuid>,
    identifiers: HashMap<(Kind, Pair), Uuid>,
}

impl Known {
    /// Remembers the record that a resource became. What is known already stays: the first has it.
    pub fn remember(&mut self, kind: Kind, source_id: String, identifiers: &BTreeSet<Pair>, record_id: Uuid) {
        self.ids.entry((kind, source_id)).or_insert(record_id);
        for pair in identifiers {
            self.identifiers.entry((kind, pair.clone())).or_insert(record_id);
        }
    }

    /// The record that a reference means.
    pub fn resolve(&self, kind: Kind, reference: &Reference) -> Option<Uuid> {
        match reference {
            Reference::Id(id) => self.ids.get(&(kind, id.clone())).copied(),
            Reference::Identifier(pair) => self.identifiers.get(&(kind, pair.clone())).copied(),
        }
    }

    /// Whether one of these identifiers belongs to a record that comes from another resource.
    pub fn is_taken(&self, kind: Kind, source_id: &str, identifiers: &BTreeSet<Pair>) -> bool {
        let own = self.ids.get(&(kind, source_id.to_owned()));
        let owners = identifiers
            .iter()
            .filter_map(|pair| self.identifiers.get(&(kind, pair.clone())));
        owners.into_iter().any(|owner| Some(owner) != own)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kind, Known, Pair, Reference};
    use crate::commands::import::fhir::json::Malformed;

    fn read(kind: Kind, reference: &serde_json::Value) -> Option<Reference> {
        Reference::read(kind, reference.as_object().unwrap()).unwrap()
    }

    fn known() -> (Known, uuid::Uuid) {
        let (mut known, id) = (Known::default(), uuid::Uuid::from_u128(7));
        known.remember(
            Kind::Patient,
            "anna".into(),
            &[Pair::new("urn:x", "1")].into(),
            id,
        );
        (known, id)
    }

    #[test]
    fn all_three_ways_to_refer_lead_to_the_record() {
        let (known, id) = known();
        for reference in [
            json!({ "reference": "Patient/anna" }),
            json!({ "reference": "Patient?identifier=urn:x|1" }),
            json!({ "identifier": { "system": "urn:x", "value": " 1 " } }),
        ] {
            let found = read(Kind::Patient, &reference).and_then(|read| known.resolve(Kind::Patient, &read));
            assert_eq!(found, Some(id), "{reference}");
        }
    }

    #[test]
    fn what_refers_elsewhere_leads_nowhere() {
        let (known, _) = known();
        for reference in [
            json!({}),
            json!({ "reference": "Patient/" }),
            json!({ "reference": "Patient/ann" }),
            json!({ "reference": "Patient/anna/_history/1" }),
            json!({ "reference": "Practitioner/anna" }),
            json!({ "reference": "anna" }),
            json!({ "reference": "Patient?identifier=urn:x" }),
            json!({ "reference": "Patient/ann", "identifier": { "system": "urn:x", "value": "1" } }),
            json!({ "identifier": { "value": "1" } }),
        ] {
            let found = read(Kind::Patient, &reference).and_then(|read| known.resolve(Kind::Patient, &read));
            assert_eq!(found, None, "{reference}");
        }
        let anna = read(Kind::Practitioner, &json!({ "reference": "Practitioner/anna" })).unwrap();
        assert_eq!(known.resolve(Kind::Practitioner, &anna), None);
        let malformed = json!({ "reference": 1 });
        assert!(matches!(
            Reference::read(Kind::Patient, malformed.as_object().unwrap()),
            Err(Malformed)
        ));
    }

    #[test]
    fn an_identifier_is_taken_by_another_resource_only_and_within_its_type() {
        let (known, _) = known();
        let pairs = [Pair::new("urn:x", "1")].into();
        assert!(known.is_taken(Kind::Patient, "twin", &pairs));
        assert!(!known.is_taken(Kind::Patient, "anna", &pairs));
        assert!(!known.is_taken(Kind::Practitioner, "twin", &pairs));
        assert!(!known.is_taken(Kind::Patient, "twin", &[Pair::new("urn:x", "2")].into()));
    }
}
