//! How records look as JSON.
//!
//! **A sealed group is shown as what it says, or as `{"erased": true}`** once its person was erased; see [`Shown`].
//! Only histories show payloads as events have them.

pub mod appointment;
pub mod event;
pub mod location;
pub mod message;
pub mod patient;
pub mod person;
pub mod practitioner;
pub mod thread;

use praxis_events::sealed::Sealed;
use serde::Serialize;
use utoipa::ToSchema;

/// Personal data, or an object that says that it was erased. No group of personal data has a member `erased`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Shown<T> {
    /// What it says.
    Value(T),
    /// It was erased for good.
    Erased(Erased),
}

/// Stands where personal data was that is erased for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({ "erased": true }))]
pub struct Erased {
    /// Always true.
    erased: bool,
}

impl<T> Shown<T> {
    /// What a sealed value looks like.
    pub fn of<S>(sealed: Sealed<S>, view: impl FnOnce(S) -> T) -> Self {
        match sealed {
            Sealed::Value(value) => Self::Value(view(value)),
            Sealed::Erased => Self::Erased(Erased { erased: true }),
        }
    }
}

impl<T, S: Into<T>> From<Sealed<S>> for Shown<T> {
    fn from(sealed: Sealed<S>) -> Self {
        Self::of(sealed, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_plainly_and_an_erased_one_says_so() {
        let json = |sealed: Sealed<u8>| serde_json::to_value(Shown::<u8>::from(sealed)).unwrap();
        assert_eq!(json(Sealed::Value(7)), 7);
        assert_eq!(json(Sealed::Erased), serde_json::json!({ "erased": true }));
    }
}
