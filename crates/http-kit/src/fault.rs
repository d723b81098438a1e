//! What is wrong with one field or parameter? Its place, a stable code, and words that quote nothing.

use std::borrow::Cow;

use serde::Serialize;

/// Where a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the JSON body.
    Body,
    /// In a query parameter.
    Query,
    /// In a parameter of the path.
    Path,
    /// In a header.
    Header,
}

/// What is wrong with a value: a stable code and a sentence that follows the field's name. Both are written in the
/// program, so that a value from the request cannot get into them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaultCode {
    /// The stable code.
    pub code: &'static str,
    /// What is wrong, to be read after the field's name: "must be a string".
    pub message: &'static str,
}

impl FaultCode {
    /// The field is missing.
    pub const REQUIRED: Self = Self::new("required", "is required");
    /// The API knows no such field.
    pub const UNKNOWN_FIELD: Self = Self::new("unknown-field", "is not a known field");
    /// The API knows no such query parameter.
    pub const UNKNOWN_PARAMETER: Self = Self::new("unknown-parameter", "is not a known parameter");
    /// One object has the field twice, or one query the parameter.
    pub const DUPLICATE: Self = Self::new("duplicate-field", "is given more than once");
    /// Of another type than a string.
    pub const NOT_A_STRING: Self = Self::new("wrong-type", "must be a string");
    /// Of another type than a whole number, or out of its range.
    pub const NOT_AN_INTEGER: Self = Self::new("wrong-type", "must be a whole number in range");
    /// Of another type than true or false.
    pub const NOT_A_BOOLEAN: Self = Self::new("wrong-type", "must be true or false");
    /// Of another type than an object.
    pub const NOT_AN_OBJECT: Self = Self::new("wrong-type", "must be an object");
    /// Of another type than an array.
    pub const NOT_AN_ARRAY: Self = Self::new("wrong-type", "must be an array");
    /// No UUID in its hyphenated form.
    pub const NOT_A_UUID: Self = Self::new("not-a-uuid", "must be a UUID in its hyphenated form");
    /// No instant.
    pub const NOT_AN_INSTANT: Self = Self::new(
        "not-an-instant",
        "must be an RFC 3339 date and time with an offset",
    );
    /// No date.
    pub const NOT_A_DATE: Self = Self::new("not-a-date", "must be a date as YYYY-MM-DD");
    /// None of the values the API knows.
    pub const UNKNOWN_VALUE: Self = Self::new("unknown-value", "is none of the known values");
    /// Outside its range.
    pub const OUT_OF_RANGE: Self = Self::new("out-of-range", "is out of range");
    /// More items than allowed.
    pub const TOO_MANY: Self = Self::new("too-many", "has too many items");
    /// Not one of our cursors, or of another list.
    pub const NOT_A_CURSOR: Self = Self::new("not-a-cursor", "is not a cursor of this list");
    /// Not a position as `Praxis-Position` gave it.
    pub const NOT_A_POSITION: Self =
        Self::new("not-a-position", "must be a position as Praxis-Position gave it");

    /// A code with its words: lower case, no full stop, to be read after the field's name.
    pub const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message }
    }
}

/// One fault of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// Where it is.
    #[serde(rename = "in")]
    pub place: Place,
    /// The field, as a JSON pointer (RFC 6901); for a parameter or header, `/` and its name.
    #[schema(example = "/contacts/0/phone")]
    pub pointer: String,
    /// The stable code.
    #[schema(value_type = String, example = "required")]
    pub code: Cow<'static, str>,
    /// What is wrong, to be read after the field's name.
    #[schema(value_type = String, example = "is required")]
    pub message: Cow<'static, str>,
}

impl Fault {
    /// A fault at that pointer.
    pub fn new(place: Place, pointer: impl Into<String>, code: FaultCode) -> Self {
        Self {
            place,
            pointer: pointer.into(),
            code: code.code.into(),
            message: code.message.into(),
        }
    }
}

/// The pointer to that member of what `parent` points at, with `~` and `/` escaped as RFC 6901 demands.
pub fn pointer_to(parent: &str, name: &str) -> String {
    format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Longest name from a request that is repeated in a fault.
const CALLER_NAME_LEN_MAX: usize = 64;

/// A field's name as the caller wrote it, if it looks like a name; else a placeholder, since a name nobody chose as
/// one may be data.
pub fn caller_name(name: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let is_name = !name.is_empty() && name.len() <= CALLER_NAME_LEN_MAX && name.bytes().all(plain);
    if is_name { name } else { "(unnamed)" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_look_like_a_name_is_not_repeated() {
        assert_eq!(caller_name("birth_date"), "birth_date");
        assert_eq!(caller_name(&"a".repeat(64)).len(), 64);
        for name in ["", "Ann Example", "ann@example.org", "é", &"a".repeat(65)] {
            assert_eq!(caller_name(name), "(unnamed)");
        }
    }

    #[test]
    fn pointers_escape_as_rfc_6901_says() {
        assert_eq!(pointer_to("", "a/b"), "/a~1b");
        assert_eq!(pointer_to("/x", "m~n"), "/x/m~0n");
        assert_eq!(pointer_to("", ""), "/");
        let document = serde_json::json!({ "a/b": { "m~n": 1 } });
        assert_eq!(
            document
                .pointer(&pointer_to(&pointer_to("", "a/b"), "m~n"))
                .unwrap(),
            1
        );
    }
}
