//! Why is a text refused, in codes that callers may rely on and that never repeat the text?

use std::fmt;

/// Why a text is not the value it should be. [`ValueFault::code`] is stable; the message is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum ValueFault {
    /// Nothing is left after trimming, or nothing that can be seen.
    #[error("must not be empty")]
    Empty,
    /// More characters than the field takes.
    #[error("has too many characters")]
    TooLong,
    /// More lines than an address takes.
    #[error("has too many lines")]
    TooManyLines,
    /// A control character, or in one-line fields an invisible one that reorders text.
    #[error("contains a control character")]
    ControlCharacter,
    /// Not YYYY, YYYY-MM or YYYY-MM-DD, or no day of the calendar.
    #[error("is not a date of the form YYYY, YYYY-MM or YYYY-MM-DD")]
    InvalidDate,
    /// The date has not come yet.
    #[error("is in the future")]
    FutureDate,
    /// A birth date of a person older than anyone.
    #[error("is too long ago")]
    TooLongAgo,
    /// Not one of the codes the field takes.
    #[error("is not one of the known codes")]
    UnknownCode,
    /// Not lower-case letters, digits and hyphens.
    #[error("is not a code of lower-case letters, digits and hyphens")]
    InvalidCode,
    /// Not a telephone number that can be written in E.164.
    #[error("is not a telephone number")]
    InvalidPhone,
    /// A national telephone number where no country is assumed.
    #[error("needs a country calling code")]
    PhoneWithoutCountry,
    /// Not an e-mail address.
    #[error("is not an e-mail address")]
    InvalidEmail,
    /// Not an assigned ISO 3166-1 alpha-2 code.
    #[error("is not a two-letter country code")]
    UnknownCountry,
    /// Not a well-formed BCP 47 tag.
    #[error("is not a language tag")]
    InvalidLanguage,
    /// Not an absolute URI.
    #[error("is not an absolute URI")]
    InvalidUri,
}

impl ValueFault {
    /// The stable kebab-case code, part of the published interface.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::TooManyLines => "too-many-lines",
            Self::ControlCharacter => "control-character",
            Self::InvalidDate => "invalid-date",
            Self::FutureDate => "future-date",
            Self::TooLongAgo => "too-long-ago",
            Self::UnknownCode => "unknown-code",
            Self::InvalidCode => "invalid-code",
            Self::InvalidPhone => "invalid-phone",
            Self::PhoneWithoutCountry => "phone-without-country",
            Self::InvalidEmail => "invalid-email",
            Self::UnknownCountry => "unknown-country",
            Self::InvalidLanguage => "invalid-language",
            Self::InvalidUri => "invalid-uri",
        }
    }
}

/// A fault in one part of a value that has parts; values with parts answer all their faults at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{part} {fault}")]
pub struct PartFault {
    /// Which part.
    pub part: Part,
    /// What is wrong with it.
    pub fault: ValueFault,
}

/// A part of an address or identifier. `Display` is the part's JSON pointer (RFC 6901) from the value, such as `/lines/0`,
/// empty for the value as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The value as a whole.
    Whole,
    /// All lines of an address together.
    Lines,
    /// One line of an address, counted from 0.
    Line(usize),
    /// City of an address.
    City,
    /// Postcode of an address.
    Postcode,
    /// Country of an address.
    Country,
    /// Numbering system of an identifier.
    System,
    /// Value of an identifier.
    Value,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Lines => f.write_str("/lines"),
            Self::Line(index) => write!(f, "/lines/{index}"),
            Self::City => f.write_str("/city"),
            Self::Postcode => f.write_str("/postcode"),
            Self::Country => f.write_str("/country"),
            Self::System => f.write_str("/system"),
            Self::Value => f.write_str("/value"),
        }
    }
}
