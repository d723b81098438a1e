//! Which fields does this JSON object have, and what is wrong with each of them? Every fault, not the first.
//!
//! A route describes its body once, as a function from [`Fields`] to the command; each field is read by name and
//! parsed, faults gather with their pointers, and what was not asked for is an unknown field.
//!
//! Rejected: serde's derive stops at the first fault, and eserde, which gathers them, words them as serde does, with
//! the faulty value in the text and without JSON pointers.

pub mod values;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::fault::{Fault, FaultCode, Place, caller_name, pointer_to};

/// What a route's body is read into.
pub trait FromFields: Sized {
    /// The value these fields make; `None` when a fault was found (and only then).
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self>;
}

/// Why no value came of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum ReadFault {
    /// The caller's faults, every one of them.
    Faults(Vec<Fault>),
    /// The reading function gave no value and found no fault: a defect of ours.
    Defect,
}

/// The value a document's fields make, received at that time; `earlier` are faults found already, such as members given
/// twice.
pub fn read<T>(
    document: &Value,
    received_at: DateTime<Utc>,
    earlier: Vec<Fault>,
    build: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Result<T, ReadFault> {
    let mut faults = earlier;
    let value = read_object(document, String::new(), received_at, &mut faults, build);
    match value {
        Some(value) if faults.is_empty() => Ok(value),
        None if faults.is_empty() => Err(ReadFault::Defect),
        Some(_) | None => Err(ReadFault::Faults(faults)),
    }
}

fn read_object<T>(
    value: &Value,
    pointer: String,
    received_at: DateTime<Utc>,
    faults: &mut Vec<Fault>,
    build: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Option<T> {
    let Value::Object(object) = value else {
        faults.push(Fault::new(Place::Body, pointer, FaultCode::NOT_AN_OBJECT));
        return None;
    };
    let mut fields = Fields {
        object,
        pointer,
        received_at,
        taken: BTreeSet::new(),
        faults,
    };
    let value = build(&mut fields);
    fields.refuse_unknown();
    value
}

/// The fields of one JSON object.
#[derive(Debug)]
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    pointer: String,
    received_at: DateTime<Utc>,
    taken: BTreeSet<&'static str>,
    faults: &'a mut Vec<Fault>,
}

impl Fields<'_> {
    /// A field that must be there. `null` counts as missing.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, FaultCode>,
    ) -> Option<T> {
        if !self.has(name) {
            self.fault(name, FaultCode::REQUIRED);
        }
        self.optional(name, parse)
    }

    /// A field that may be missing or `null`.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, FaultCode>,
    ) -> Option<T> {
        match parse(self.take(name)?) {
            Ok(value) => Some(value),
            Err(code) => {
                self.fault(name, code);
                None
            }
        }
    }

    /// An object that must be there.
    pub fn object<T>(
        &mut self,
        name: &'static str,
        build: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Option<T> {
        if !self.has(name) {
            self.fault(name, FaultCode::REQUIRED);
        }
        self.optional_object(name, build)
    }

    /// An object that may be missing or `null`.
    pub fn optional_object<T>(
        &mut self,
        name: &'static str,
        build: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Option<T> {
        let pointer = pointer_to(&self.pointer, name);
        read_object(self.take(name)?, pointer, self.received_at, self.faults, build)
    }

    /// An array of at most `len_max` items; missing or `null` is empty. `None` when it or an item has a fault.
    pub fn list<T>(
        &mut self,
        name: &'static str,
        len_max: usize,
        parse: impl Fn(&Value) -> Result<T, FaultCode>,
    ) -> Option<Vec<T>> {
        self.items(name, len_max, |item, pointer, faults| match parse(item) {
            Ok(value) => Some(value),
            Err(code) => {
                faults.push(Fault::new(Place::Body, pointer, code));
                None
            }
        })
    }

    /// An array of at most `len_max` objects; missing or `null` is empty. `None` when it or an item has a fault.
    pub fn objects<T>(
        &mut self,
        name: &'static str,
        len_max: usize,
        build: impl Fn(&mut Fields<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let received_at = self.received_at;
        self.items(name, len_max, |item, pointer, faults| {
            read_object(item, pointer, received_at, faults, &build)
        })
    }

    /// Says that a field has a fault only the whole object shows, such as an end before its start.
    pub fn fault(&mut self, name: &'static str, code: FaultCode) {
        self.faults
            .push(Fault::new(Place::Body, pointer_to(&self.pointer, name), code));
    }

    /// When the request arrived: what is a fault only by the day, such as a birth date to come, is named with the rest.
    pub const fn received_at(&self) -> DateTime<Utc> {
        self.received_at
    }

    /// Whether the field is there and not `null`.
    pub fn has(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(|value| !value.is_null())
    }

    fn items<T>(
        &mut self,
        name: &'static str,
        len_max: usize,
        mut read: impl FnMut(&Value, String, &mut Vec<Fault>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(value) = self.take(name) else {
            return Some(Vec::new());
        };
        let Value::Array(items) = value else {
            self.fault(name, FaultCode::NOT_AN_ARRAY);
            return None;
        };
        if items.len() > len_max {
            self.fault(name, FaultCode::TOO_MANY);
            return None;
        }
        let pointer = pointer_to(&self.pointer, name);
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            values.push(read(item, pointer_to(&pointer, &index.to_string()), self.faults));
        }
        values.into_iter().collect()
    }

    fn refuse_unknown(&mut self) {
        let unknown = self
            .object
            .keys()
            .filter(|name| !self.taken.contains(name.as_str()));
        for name in unknown {
            let pointer = pointer_to(&self.pointer, caller_name(name));
            self.faults
                .push(Fault::new(Place::Body, pointer, FaultCode::UNKNOWN_FIELD));
        }
    }
}

impl<'a> Fields<'a> {
    /// The field, known from now on; `None` when it is missing or `null`.
    fn take(&mut self, name: &'static str) -> Option<&'a Value> {
        self.taken.insert(name);
        self.object.get(name).filter(|value| !value.is_null())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Visit {
        room: String,
        minutes: u16,
        note: Option<String>,
        phones: Vec<String>,
        guests: Vec<(String, bool)>,
    }

    fn visit(fields: &mut Fields<'_>) -> Option<Visit> {
        let room = fields.object("place", |place| place.required("room", values::string));
        let minutes = fields.required("minutes", values::integer);
        let note = fields.optional("note", values::string);
        let phones = fields.list("phones", 2, values::string);
        let guests = fields.objects("guests", 2, |guest| {
            let name = guest.required("name", values::string);
            let adult = guest.required("adult", values::boolean);
            Some((name?, adult?))
        });
        Some(Visit {
            room: room?,
            minutes: minutes?,
            note,
            phones: phones?,
            guests: guests?,
        })
    }

    fn faults(document: &Value) -> Vec<(String, String)> {
        match read(document, DateTime::UNIX_EPOCH, Vec::new(), visit) {
            Err(ReadFault::Faults(faults)) => faults
                .into_iter()
                .map(|fault| (fault.pointer, fault.code.into_owned()))
                .collect(),
            other => panic!("no faults but {other:?}"),
        }
    }

    #[test]
    fn a_good_document_becomes_the_value() {
        let document = json!({
            "place": { "room": "A" }, "minutes": 5, "note": null, "guests": [{ "name": "b", "adult": true }]
        });
        let expected = Visit {
            room: "A".into(),
            minutes: 5,
            note: None,
            phones: vec![],
            guests: vec![("b".into(), true)],
        };
        assert_eq!(
            read(&document, DateTime::UNIX_EPOCH, Vec::new(), visit),
            Ok(expected)
        );
    }

    #[test]
    fn every_fault_is_named_with_its_pointer() {
        let document = json!({
            "place": { "floor": 1 },
            "minutes": "five",
            "note": 7,
            "phones": ["a", 1],
            "guests": [{ "name": "b", "adult": 1, "a/b": 2 }, 3],
            "extra": null,
        });
        let expected = [
            ("/place/room", "required"),
            ("/place/floor", "unknown-field"),
            ("/minutes", "wrong-type"),
            ("/note", "wrong-type"),
            ("/phones/1", "wrong-type"),
            ("/guests/0/adult", "wrong-type"),
            ("/guests/0/(unnamed)", "unknown-field"),
            ("/guests/1", "wrong-type"),
            ("/extra", "unknown-field"),
        ];
        assert_eq!(
            faults(&document),
            expected.map(|(pointer, code)| (pointer.into(), code.into()))
        );
    }

    #[test]
    fn null_counts_as_missing() {
        let document = json!({ "place": null, "minutes": null });
        let required = "required".to_owned();
        assert_eq!(
            faults(&document),
            [("/place".into(), required.clone()), ("/minutes".into(), required)]
        );
    }

    #[test]
    fn a_list_over_its_limit_is_refused() {
        let of = |count: usize| json!({ "place": { "room": "A" }, "minutes": 5, "phones": vec!["1"; count] });
        assert!(read(&of(2), DateTime::UNIX_EPOCH, Vec::new(), visit).is_ok());
        assert_eq!(faults(&of(3)), [("/phones".into(), "too-many".into())]);
    }

    #[test]
    fn a_document_that_is_no_object_is_refused_at_its_root() {
        assert_eq!(faults(&json!([1])), [(String::new(), "wrong-type".into())]);
    }

    #[test]
    fn earlier_faults_refuse_a_document_that_reads_well() {
        let earlier = vec![Fault::new(Place::Body, "/minutes", FaultCode::DUPLICATE)];
        let document = json!({ "place": { "room": "A" }, "minutes": 5 });
        assert_eq!(
            read(&document, DateTime::UNIX_EPOCH, earlier.clone(), visit),
            Err(ReadFault::Faults(earlier))
        );
    }

    #[test]
    fn a_reader_that_gives_neither_value_nor_fault_is_a_defect() {
        let nothing = |_: &mut Fields<'_>| None::<Visit>;
        assert_eq!(
            read(&json!({}), DateTime::UNIX_EPOCH, Vec::new(), nothing),
            Err(ReadFault::Defect)
        );
    }
}
