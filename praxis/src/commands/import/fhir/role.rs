//! What does a `PractitionerRole` resource say of a practitioner?

use std::collections::BTreeSet;

use praxis_domain::practitioner::speciality::SpecialityCode;

use super::Kind;
use super::json::{Malformed, Object, codes, object, objects};
use super::references::{Known, Reference};

/// What a practitioner does, and where.
pub struct Role {
    /// Who.
    pub practitioner: Option<Reference>,
    /// The codes of their specialities.
    pub specialities: BTreeSet<String>,
    places: Vec<Option<Reference>>,
}

impl Role {
    /// Reads a resource.
    pub fn read(record: &Object) -> Result<Self, Malformed> {
        let mut specialities = BTreeSet::new();
        for speciality in objects(record, "specialty")? {
            specialities.extend(codes(speciality)?.into_iter().map(str::to_owned));
        }
        let places = objects(record, "location")?
            .into_iter()
            .map(|place| Reference::read(Kind::Location, place));
        Ok(Self {
            practitioner: object(record, "practitioner")?.map_or(Ok(None), |practitioner| {
                Reference::read(Kind::Practitioner, practitioner)
            })?,
            specialities,
            places: places.collect::<Result<_, _>>()?,
        })
    }

    /// What is wrong with it besides its practitioner: places that are not there, codes that are none.
    pub fn reasons(&self, known: &Known) -> BTreeSet<String> {
        let is_known = |place: &Option<Reference>| {
            place
                .as_ref()
                .is_some_and(|place| known.resolve(Kind::Location, place).is_some())
        };
        let mut reasons = BTreeSet::new();
        if !self.places.iter().all(is_known) {
            reasons.insert("location_unknown".to_owned());
        }
        if self
            .specialities
            .iter()
            .any(|code| SpecialityCode::parse(code).is_err())
        {
            reasons.insert("speciality_invalid".to_owned());
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::{Kind, Known, Malformed, Reference, Role};

    fn read(record: &Value) -> Role {
        Role::read(record.as_object().unwrap()).unwrap()
    }

    #[test]
    fn a_role_names_its_practitioner_and_specialities() {
        let role = read(&json!({
            "practitioner": { "reference": "Practitioner/ines" },
            "specialty": [{ "coding": [{ "code": "b" }, { "code": "a" }] }, { "coding": [{ "code": "a" }] }],
        }));
        assert!(role.practitioner == Some(Reference::Id("ines".into())));
        assert_eq!(role.specialities, ["a".to_owned(), "b".to_owned()].into());
    }

    #[test]
    fn every_place_must_be_there_but_there_may_be_none() {
        let mut known = Known::default();
        known.remember(
            Kind::Location,
            "main".into(),
            &BTreeSet::new(),
            Uuid::from_u128(1),
        );
        let reasons = |places: Value| read(&json!({ "location": places })).reasons(&known);
        assert!(reasons(json!([])).is_empty());
        assert!(reasons(json!([{ "reference": "Location/main" }])).is_empty());
        for place in [json!({ "reference": "Location/other" }), json!({})] {
            assert_eq!(
                reasons(json!([{ "reference": "Location/main" }, place])),
                ["location_unknown".to_owned()].into()
            );
        }
    }

    #[test]
    fn a_speciality_is_a_code() {
        let role = read(&json!({ "specialty": [{ "coding": [{ "code": "two words" }] }] }));
        assert_eq!(
            role.reasons(&Known::default()),
            ["speciality_invalid".to_owned()].into()
        );
    }

    #[test]
    fn a_member_of_another_type_makes_the_line_malformed() {
        for record in [
            json!({ "practitioner": "x" }),
            json!({ "location": {} }),
            json!({ "specialty": [{ "coding": [1] }] }),
        ] {
            assert!(
                matches!(Role::read(record.as_object().unwrap()), Err(Malformed)),
                "{record}"
            );
        }
    }
}
