//! The sealed part of an event: a value only its person's key opens, or the knowledge that it was erased.

use serde::{Deserialize, Serialize};

/// A group of personal data in an event: the value, or [`Sealed::Erased`] when its person's key was destroyed
/// by an erasure that the log names. Every fold and view can show `Erased`.
///
/// As JSON (never as stored bytes, where it is a box): `{"value": …}` or `"erased"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sealed<T> {
    /// The value, opened.
    Value(T),
    /// The key is gone, and so is the value, for good.
    Erased,
}

impl<T> Sealed<T> {
    /// The value, unless erased.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Erased => None,
        }
    }

    /// The value, owned, unless erased.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Erased => None,
        }
    }

    /// The same seal over what `f` makes of the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Sealed<U> {
        match self {
            Self::Value(value) => Sealed::Value(f(value)),
            Self::Erased => Sealed::Erased,
        }
    }

    /// Whether the value is gone.
    pub const fn is_erased(&self) -> bool {
        matches!(self, Self::Erased)
    }
}

impl<T> From<T> for Sealed<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}
