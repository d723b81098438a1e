//! Is this a JSON document, and does any object in it have a member twice?
//!
//! `serde_json::Value` keeps the last of two members with one name and says nothing; two readers of one document
//! can then disagree about it (RFC 8259 section 4), so duplicates are faults here.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::fault::{Fault, FaultCode, Place, caller_name, pointer_to};

/// Where a document stops being JSON. The parser's own words are not kept: some quote the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in bytes; 0 before the first.
    pub column: usize,
}

/// The document, and a fault for every member given more than once.
pub fn parse(bytes: &[u8]) -> Result<(Value, Vec<Fault>), Malformed> {
    let duplicates = RefCell::new(Vec::new());
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let seed = Strict {
        pointer: String::new(),
        duplicates: &duplicates,
    };
    let value = seed
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(value) => Ok((value, duplicates.into_inner())),
        Err(error) => Err(Malformed {
            line: error.line(),
            column: error.column(),
        }),
    }
}

struct Strict<'a> {
    pointer: String,
    duplicates: &'a RefCell<Vec<Fault>>,
}

impl Strict<'_> {
    fn at(&self, name: &str) -> Strict<'_> {
        Strict {
            pointer: pointer_to(&self.pointer, caller_name(name)),
            duplicates: self.duplicates,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.at(&items.len().to_string()))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.at(&name))?;
            if object.contains_key(&name) {
                let pointer = pointer_to(&self.pointer, caller_name(&name));
                self.duplicates
                    .borrow_mut()
                    .push(Fault::new(Place::Body, pointer, FaultCode::DUPLICATE));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_read_as_it_stands() {
        let text = br#"{"a":[1,-2,3.5,"x",null,true,{}]}"#;
        assert_eq!(
            parse(text),
            Ok((json!({"a": [1, -2, 3.5, "x", null, true, {}]}), Vec::new()))
        );
    }

    #[test]
    fn members_given_twice_are_named_wherever_they_are() {
        let (_, faults) = parse(br#"{"a":1,"b":[{"c":1,"c":2}],"a":2,"a":3}"#).unwrap();
        let pointers: Vec<_> = faults.iter().map(|fault| &*fault.pointer).collect();
        assert_eq!(pointers, ["/b/0/c", "/a", "/a"]);
    }

    #[test]
    fn the_place_of_a_break_is_told() {
        assert_eq!(parse(b"{\n \"a\": oops}"), Err(Malformed { line: 2, column: 7 }));
        assert_eq!(parse(b""), Err(Malformed { line: 1, column: 0 }));
    }

    #[test]
    fn text_after_the_document_and_bottomless_nesting_are_malformed() {
        assert!(parse(b"{} {}").is_err());
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
    }
}
