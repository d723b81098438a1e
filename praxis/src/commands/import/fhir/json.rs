//! How is a member of a FHIR resource read? Absent, null and empty are one; another JSON type than FHIR's is malformed.

use serde_json::{Map, Value};

/// A JSON object.
pub type Object = Map<String, Value>;

/// The line cannot be read as a resource of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// A string; `None` when it is absent or empty.
pub fn text<'a>(record: &'a Object, name: &str) -> Result<Option<&'a str>, Malformed> {
    match record.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Err(Malformed),
    }
}

/// True or false; `None` when it is absent.
pub fn boolean(record: &Object, name: &str) -> Result<Option<bool>, Malformed> {
    match record.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(is)) => Ok(Some(*is)),
        Some(Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Err(Malformed),
    }
}

/// An object; `None` when it is absent.
pub fn object<'a>(record: &'a Object, name: &str) -> Result<Option<&'a Object>, Malformed> {
    match record.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_object().map(Some).ok_or(Malformed),
    }
}

/// The objects of a list; empty when it is absent.
pub fn objects<'a>(record: &'a Object, name: &str) -> Result<Vec<&'a Object>, Malformed> {
    list(record, name)?
        .iter()
        .map(|item| item.as_object().ok_or(Malformed))
        .collect()
}

/// The strings of a list; empty when it is absent.
pub fn texts<'a>(record: &'a Object, name: &str) -> Result<Vec<&'a str>, Malformed> {
    list(record, name)?
        .iter()
        .map(|item| item.as_str().ok_or(Malformed))
        .collect()
}

/// The codes of a `CodeableConcept`.
pub fn codes(concept: &Object) -> Result<Vec<&str>, Malformed> {
    let codes: Result<Vec<_>, _> = objects(concept, "coding")?
        .into_iter()
        .map(|coding| text(coding, "code"))
        .collect();
    Ok(codes?.into_iter().flatten().collect())
}

fn list<'a>(record: &'a Object, name: &str) -> Result<&'a [Value], Malformed> {
    match record.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(value) => value.as_array().map(Vec::as_slice).ok_or(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Malformed, Object, boolean, codes, object, objects, text, texts};

    fn record() -> Object {
        json!({
            "text": "a", "empty": "", "null": null, "number": 0, "truth": false,
            "object": {}, "objects": [{}], "texts": ["a", ""], "mixed": [{}, 1]
        })
        .as_object()
        .unwrap()
        .clone()
    }

    #[test]
    fn absent_null_and_empty_are_one() {
        let record = record();
        assert_eq!(text(&record, "text"), Ok(Some("a")));
        for name in ["none", "null", "empty"] {
            assert_eq!(text(&record, name), Ok(None), "{name}");
        }
        for name in ["none", "null"] {
            assert_eq!(boolean(&record, name), Ok(None));
            assert_eq!(object(&record, name), Ok(None));
            assert_eq!(objects(&record, name), Ok(Vec::new()));
            assert_eq!(texts(&record, name), Ok(Vec::new()));
        }
    }

    #[test]
    fn another_type_is_malformed_even_when_it_says_nothing() {
        let record = record();
        for name in ["number", "truth", "object", "texts"] {
            assert_eq!(text(&record, name), Err(Malformed), "{name}");
        }
        for name in ["text", "empty", "number", "object", "texts"] {
            assert_eq!(boolean(&record, name), Err(Malformed), "{name}");
        }
        assert_eq!(object(&record, "texts"), Err(Malformed));
        assert_eq!(objects(&record, "object"), Err(Malformed));
        assert_eq!(objects(&record, "mixed"), Err(Malformed));
        assert_eq!(texts(&record, "mixed"), Err(Malformed));
    }

    #[test]
    fn the_codes_of_a_concept_are_those_that_are_there() {
        let concept = json!({ "coding": [{ "code": "en" }, { "display": "English" }, { "code": "en-US" }] });
        assert_eq!(codes(concept.as_object().unwrap()), Ok(vec!["en", "en-US"]));
    }
}
