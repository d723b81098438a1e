//! What keeps personal data out of logs: a wrapper that cannot be printed by accident.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Personal data: no `Display`, a redacted `Debug`, so that it cannot reach a log field or an error text.
///
/// Serialisation is transparent, because the one place personal data goes is a sealed part or an answer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Marks a value as personal.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; each call is a place to review.
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// The value itself, owned; each call is a place to review.
    pub fn into_revealed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(personal)")
    }
}

#[cfg(test)]
mod tests {
    use super::Personal;

    #[test]
    fn debug_shows_nothing_of_the_value() {
        assert_eq!(format!("{:?}", Personal::new("Ada")), "(personal)");
    }
}
