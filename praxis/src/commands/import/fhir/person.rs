//! What does a Patient or Practitioner resource say of a person, and what is wrong with it?
//!
//! Both are judged as a patient's registration is, by the command API's own reader, so that every fault is named before
//! anything is sent; of a practitioner the API then takes less.

use std::collections::BTreeSet;

use praxis_command_api::routes::patients::register::RegisterPatientBody;
use praxis_domain::values::country::CountryCode;
use praxis_domain::values::language::LanguageTag;
use serde_json::{Map, Value, json};

use super::Kind;
use super::json::{Malformed, Object, boolean, codes, object, objects, text, texts};
use super::phone::with_country;
use super::references::Pair;
use crate::commands::import::reasons;

/// Names that are not what a person is called today.
const UNUSUAL_USES: [&str; 4] = ["maiden", "old", "nickname", "anonymous"];

/// A person. Holds personal data, so it cannot be printed.
pub struct Person {
    /// The document that registers a patient.
    pub document: Value,
    /// Identifiers, for references and for what may belong to one person only.
    pub identifiers: BTreeSet<Pair>,
    /// What is wrong.
    pub reasons: BTreeSet<String>,
}

impl Person {
    /// Reads a resource of that type.
    pub fn read(kind: Kind, record: &Object) -> Result<Self, Malformed> {
        let (family_name, given_names) = name(record)?;
        let (languages, language) = languages(record)?;
        let addresses = objects(record, "address")?;
        let countries: Result<Vec<_>, _> = addresses.iter().map(|address| country(address)).collect();
        let countries = countries?;
        let written: Result<Vec<_>, _> = addresses.iter().map(|written| address(written)).collect();
        let home = written?.into_iter().next().flatten();
        let (phones, emails) = contact_points(record, countries.first().copied().flatten())?;
        let identifiers = Pair::all_of(record)?;
        let mut document = json!({
            "given_names": given_names,
            "gender": text(record, "gender")?,
            "language": language,
            "birth_date": text(record, "birthDate")?.filter(|_| kind == Kind::Patient),
            "contact": { "phones": phones, "emails": emails, "address": home },
            "identifiers": identifiers.iter().map(|pair| json!({ "system": pair.system, "value": pair.value })).collect::<Vec<_>>(),
            "source": kind.source(text(record, "id")?.unwrap_or_default()),
        });
        if !family_name.is_empty() {
            document["family_name"] = json!(family_name);
        }
        let mut reasons = reasons::of_body::<RegisterPatientBody>(&document);
        if languages.iter().any(|code| LanguageTag::parse(code).is_err()) {
            reasons.insert("language_invalid".to_owned());
        }
        if countries
            .iter()
            .flatten()
            .any(|code| CountryCode::parse(code).is_err())
        {
            reasons.insert("country_invalid".to_owned());
        }
        Ok(Self {
            document,
            identifiers,
            reasons,
        })
    }

    /// The document that registers a practitioner.
    pub fn practitioner(&self, specialities: &BTreeSet<String>) -> Value {
        let taken = ["family_name", "given_names", "identifiers", "source"];
        let members = taken
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), self.document.get(name)?.clone())));
        let mut document: Map<String, Value> = members.collect();
        document.insert("specialities".to_owned(), json!(specialities));
        Value::Object(document)
    }
}

/// The family name and the given names. One name alone will do: of those who have no family name, all given names, else the
/// text, is it.
fn name(record: &Object) -> Result<(String, Vec<String>), Malformed> {
    let mut names = Vec::new();
    for name in objects(record, "name")? {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let given: Vec<String> = texts(name, "given")?
            .into_iter()
            .map(words)
            .filter(|part| !part.is_empty())
            .collect();
        let family = words(text(name, "family")?.unwrap_or_default());
        names.push((
            text(name, "use")?,
            family,
            given,
            words(text(name, "text")?.unwrap_or_default()),
        ));
    }
    let official = names.iter().position(|name| name.0 == Some("official"));
    let usual = || {
        names
            .iter()
            .position(|name| name.0.is_none_or(|used| !UNUSUAL_USES.contains(&used)))
    };
    let chosen = official.or_else(usual).unwrap_or(0);
    let Some((_, family, given, whole)) = names.into_iter().nth(chosen) else {
        return Ok((String::new(), Vec::new()));
    };
    if !family.is_empty() {
        return Ok((family, given));
    }
    Ok((if given.is_empty() { whole } else { given.join(" ") }, Vec::new()))
}

/// Every language that is named, and the one to record: the preferred one, else the first.
fn languages(record: &Object) -> Result<(Vec<&str>, Option<&str>), Malformed> {
    let (mut all, mut preferred) = (Vec::new(), None);
    for communication in objects(record, "communication")? {
        let named = object(communication, "language")?.map_or(Ok(Vec::new()), codes)?;
        let is_preferred = boolean(communication, "preferred")?.unwrap_or(false);
        preferred = preferred.or(named.first().copied().filter(|_| is_preferred));
        all.extend(named);
    }
    let chosen = preferred.or(all.first().copied());
    Ok((all, chosen))
}

/// Telephone numbers and e-mail addresses.
fn contact_points<'a>(
    record: &'a Object,
    country: Option<&str>,
) -> Result<(Vec<String>, Vec<&'a str>), Malformed> {
    let country = country.map(str::to_ascii_uppercase);
    let (mut phones, mut emails) = (Vec::new(), Vec::new());
    for contact in objects(record, "telecom")? {
        match (text(contact, "system")?, text(contact, "value")?) {
            (Some("phone" | "sms"), Some(value)) => phones.push(with_country(value, country.as_deref())),
            (Some("email"), Some(value)) => emails.push(value),
            _ => {}
        }
    }
    Ok((phones, emails))
}

/// The country of an address; blank is absent.
fn country(address: &Object) -> Result<Option<&str>, Malformed> {
    Ok(text(address, "country")?
        .map(str::trim)
        .filter(|country| !country.is_empty()))
}

/// An address as the API takes it; `None` when it says nothing.
fn address(written: &Object) -> Result<Option<Value>, Malformed> {
    let lines = texts(written, "line")?;
    let (city, postcode) = (text(written, "city")?, text(written, "postalCode")?);
    let country = country(written)?;
    let says = |part: &&str| !part.trim().is_empty();
    let is_blank = !lines
        .iter()
        .copied()
        .chain(city)
        .chain(postcode)
        .chain(country)
        .any(|part| says(&part));
    Ok(
        (!is_blank)
            .then(|| json!({ "lines": lines, "city": city, "postcode": postcode, "country": country })),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Kind, Malformed, Person};

    fn read(record: &Value) -> Person {
        Person::read(Kind::Patient, record.as_object().unwrap()).unwrap()
    }

    fn reasons(record: &Value) -> Vec<String> {
        read(record).reasons.into_iter().collect()
    }

    /// A resource that has no fault, with other members.
    fn with(members: &Value) -> Value {
        let mut record = json!({ "id": "a", "name": [{ "family": "Muster345" }] });
        record
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        record
    }

    #[test]
    fn a_whole_resource_becomes_the_document_of_a_registration() {
        let record = json!({
            "id": "a",
            "name": [{ "use": "maiden", "family": "Vorher77" }, { "use": "official", "family": " Muster345 ", "given": ["Anna12", ""] }],
            "gender": "female", "birthDate": "1980-02",
            "telecom": [
                { "system": "phone", "value": "555-810-7203" }, { "system": "fax", "value": "x" },
                { "system": "email", "value": "anna@example.org" },
            ],
            "address": [{ "line": ["12 Invented Way"], "city": "Nowhere", "postalCode": "00001", "country": "US" }],
            "communication": [
                { "language": { "coding": [{ "code": "en" }] } },
                { "language": { "coding": [{ "code": "fr" }] }, "preferred": true },
            ],
            "identifier": [{ "system": "urn:x", "value": "1" }, { "value": "2" }, { "system": "urn:x", "value": "1" }],
        });
        let expected = json!({
            "family_name": "Muster345", "given_names": ["Anna12"], "gender": "female", "birth_date": "1980-02", "language": "fr",
            "contact": {
                "phones": ["+15558107203"], "emails": ["anna@example.org"],
                "address": { "lines": ["12 Invented Way"], "city": "Nowhere", "postcode": "00001", "country": "US" },
            },
            "identifiers": [{ "system": "urn:x", "value": "1" }],
            "source": { "system": "http://hl7.org/fhir/Patient", "value": "a" },
        });
        let person = read(&record);
        assert_eq!(person.document, expected);
        assert!(person.reasons.is_empty());
        let practitioner = json!({
            "family_name": "Muster345", "given_names": ["Anna12"], "specialities": ["207Q00000X"],
            "identifiers": [{ "system": "urn:x", "value": "1" }],
            "source": { "system": "http://hl7.org/fhir/Patient", "value": "a" },
        });
        assert_eq!(
            person.practitioner(&["207Q00000X".to_owned()].into()),
            practitioner
        );
    }

    #[test]
    fn the_name_of_today_is_chosen_and_one_name_will_do() {
        let names = |name: Value| {
            let document = read(&with(&json!({ "name": name }))).document;
            (document["family_name"].clone(), document["given_names"].clone())
        };
        let (a, none) = (json!("A"), json!([]));
        assert_eq!(
            names(json!([{ "use": "old", "family": "B" }, { "family": "A" }])),
            (a.clone(), none.clone())
        );
        assert_eq!(
            names(json!([{ "use": "usual", "family": "B" }, { "use": "official", "family": "A" }])),
            (a.clone(), none.clone())
        );
        assert_eq!(
            names(json!([{ "use": "maiden", "family": "A" }, { "use": "old", "family": "B" }])),
            (a.clone(), none.clone())
        );
        assert_eq!(
            names(json!([{ "given": ["A", "B"], "text": "C" }])),
            (json!("A B"), none.clone())
        );
        assert_eq!(names(json!([{ "text": " A " }])), (a, none));
    }

    #[test]
    fn every_fault_is_named_once() {
        let record = json!({
            "name": [{ "family": " ", "given": [] }], "gender": "F", "birthDate": "1980-02-30",
            "telecom": [{ "system": "phone", "value": "12-34" }, { "system": "sms", "value": "x" }, { "system": "email", "value": "no" }],
            "address": [{ "country": "US" }, { "country": "Nowhereland" }],
            "communication": [{ "language": { "coding": [{ "code": "en" }, { "code": "english!" }] } }],
            "identifier": [{ "system": "no uri", "value": "1" }],
            "id": "a",
        });
        let expected = [
            "birth_date_invalid",
            "country_invalid",
            "email_invalid",
            "family_name_missing",
            "gender_invalid",
            "identifier_invalid",
            "language_invalid",
            "phone_invalid",
        ];
        assert_eq!(reasons(&record), expected);
    }

    #[test]
    fn lengths_and_counts_have_limits() {
        let long = "a".repeat(101);
        let phone = json!({ "system": "phone", "value": "+33123456789" });
        let record = with(&json!({
            "name": [{ "family": long, "given": [long] }], "telecom": vec![phone; 11],
            "address": [{ "line": [long] }],
        }));
        let expected = [
            "address_too_long",
            "family_name_too_long",
            "given_name_too_long",
            "phone_too_many",
        ];
        assert_eq!(reasons(&record), expected);
    }

    #[test]
    fn a_national_number_is_taken_only_where_the_plan_is_known() {
        let phone = |country: Value| {
            let telecom = json!([{ "system": "phone", "value": "555-810-7203" }]);
            reasons(&with(
                &json!({ "telecom": telecom, "address": [{ "country": country }] }),
            ))
        };
        for country in [json!("US"), json!("us"), json!(" "), json!(null)] {
            assert!(phone(country).is_empty());
        }
        assert_eq!(phone(json!("FR")), ["phone_invalid"]);
    }

    #[test]
    fn an_address_that_says_nothing_is_none() {
        let person = read(&with(&json!({ "address": [{ "use": "home", "line": [" "] }] })));
        assert_eq!(person.document["contact"]["address"], Value::Null);
        assert!(person.reasons.is_empty());
    }

    #[test]
    fn a_member_of_another_type_makes_the_line_malformed() {
        for members in [
            json!({ "name": "A" }),
            json!({ "name": [{ "given": "A" }] }),
            json!({ "name": [{ "family": 1 }] }),
            json!({ "telecom": [1] }),
            json!({ "telecom": [{ "system": "fax", "value": 1 }] }),
            json!({ "gender": 1 }),
            json!({ "address": [{}, { "country": 1 }] }),
            json!({ "address": [{}, { "line": "1" }] }),
            json!({ "communication": [{ "language": "en" }] }),
            json!({ "identifier": [{ "system": 1 }] }),
            json!({ "birthDate": 1980 }),
        ] {
            let record = with(&members);
            assert!(
                matches!(
                    Person::read(Kind::Patient, record.as_object().unwrap()),
                    Err(Malformed)
                ),
                "{record}"
            );
        }
    }
}
