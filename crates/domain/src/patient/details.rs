//! What is said of a patient when a record is opened or corrected: values, valid because they were parsed.

use praxis_events::patient::{Contact, Demographics};
use praxis_events::personal::Personal;

use crate::values::address::PostalAddress;
use crate::values::birth_date::BirthDate;
use crate::values::email::EmailAddress;
use crate::values::family_name::FamilyName;
use crate::values::gender::Gender;
use crate::values::given_name::GivenName;
use crate::values::language::LanguageTag;
use crate::values::phone::PhoneNumber;

/// Names, birth date, gender, language of a patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatientDetails {
    /// Family name; the only name of those who have one.
    pub family_name: FamilyName,
    /// Given names in order.
    pub given_names: Vec<GivenName>,
    /// Birth date, where known.
    pub birth_date: Option<BirthDate>,
    /// Administrative gender.
    pub gender: Gender,
    /// Preferred language, where known.
    pub language: Option<LanguageTag>,
}

impl From<PatientDetails> for Demographics {
    fn from(details: PatientDetails) -> Self {
        Self {
            family_name: details.family_name.into(),
            given_names: details.given_names.into_iter().map(Into::into).collect(),
            birth_date: details.birth_date.map(Into::into),
            gender: Personal::new(details.gender.reveal().to_owned()),
            language: details.language.map(Into::into),
        }
    }
}

/// How a patient is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactDetails {
    /// Telephone numbers, the preferred one first.
    pub phones: Vec<PhoneNumber>,
    /// E-mail addresses, the preferred one first.
    pub emails: Vec<EmailAddress>,
    /// Postal address.
    pub address: Option<PostalAddress>,
}

impl From<ContactDetails> for Contact {
    fn from(contact: ContactDetails) -> Self {
        Self {
            phones: contact.phones.into_iter().map(Into::into).collect(),
            emails: contact.emails.into_iter().map(Into::into).collect(),
            address: contact.address.map(Into::into),
        }
    }
}
