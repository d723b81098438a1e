//! How a patient looks: the whole record, and the line of a list.

use chrono::{DateTime, Utc};
use praxis_events::patient::{Address, Contact, Death, Demographics};
use praxis_events::personal::Personal;
use praxis_events::record_number::RecordNumber;
use praxis_read_models::models::patients::{PatientRow, PatientStatus};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Shown;
use super::person::IdentifierView;

/// A patient's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PatientView {
    /// What every list shows.
    #[serde(flatten)]
    pub summary: PatientSummary,
    /// Telephones, e-mail, address.
    pub contact: Shown<ContactView>,
    /// Identifiers given by others.
    pub identifiers: Shown<Vec<IdentifierView>>,
    /// When the patient died; absent unless a death was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub death: Option<Shown<DeathView>>,
}

/// A patient in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PatientSummary {
    /// Which patient.
    pub id: Uuid,
    /// The record's version, as in `ETag`.
    #[schema(example = 3)]
    pub version: u64,
    /// The number people call the record by, with its check digit.
    #[schema(value_type = String, example = "P-0001234-0")]
    pub record_number: RecordNumber,
    /// `active`, `inactive` or `deceased`.
    #[schema(value_type = String, example = "active")]
    pub status: PatientStatus,
    /// When the record was opened.
    pub registered_at: DateTime<Utc>,
    /// Names, birth date, gender, language.
    pub demographics: Shown<DemographicsView>,
}

/// Names, birth date, gender, language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DemographicsView {
    /// Family name; the only name of those who have one.
    #[schema(value_type = String, example = "Okafor")]
    pub family_name: Personal<String>,
    /// Given names in order.
    #[schema(value_type = Vec<String>, example = json!(["Amara"]))]
    pub given_names: Vec<Personal<String>>,
    /// FHIR `date`: YYYY, YYYY-MM or YYYY-MM-DD.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "1984-06")]
    pub birth_date: Option<Personal<String>>,
    /// FHIR administrative gender: `male`, `female`, `other`, `unknown`.
    #[schema(value_type = String, example = "female")]
    pub gender: Personal<String>,
    /// BCP 47.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "en-GB")]
    pub language: Option<Personal<String>>,
}

/// How a person is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ContactView {
    /// E.164.
    #[schema(value_type = Vec<String>, example = json!(["+15550100"]))]
    pub phones: Vec<Personal<String>>,
    /// E-mail addresses.
    #[schema(value_type = Vec<String>, example = json!(["amara@example.org"]))]
    pub emails: Vec<Personal<String>>,
    /// Postal address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<AddressView>,
}

/// A postal address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AddressView {
    /// Street lines.
    #[schema(value_type = Vec<String>, example = json!(["1 Example Street"]))]
    pub lines: Vec<Personal<String>>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "Exampleton")]
    pub city: Option<Personal<String>>,
    /// Postcode.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "00001")]
    pub postcode: Option<Personal<String>>,
    /// ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "GB")]
    pub country: Option<Personal<String>>,
}

/// When a person died.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeathView {
    /// The instant.
    #[schema(value_type = DateTime<Utc>)]
    pub at: Personal<DateTime<Utc>>,
}

impl From<PatientRow> for PatientSummary {
    fn from(row: PatientRow) -> Self {
        Self {
            id: row.id.0,
            version: row.place.version,
            record_number: RecordNumber::new(row.record_number),
            status: row.status,
            registered_at: row.registered_at,
            demographics: row.demographics.into(),
        }
    }
}

impl From<PatientRow> for PatientView {
    fn from(row: PatientRow) -> Self {
        Self {
            contact: row.contact.clone().into(),
            identifiers: Shown::of(row.identifiers.clone(), |all| {
                all.into_iter().map(Into::into).collect()
            }),
            death: row.death.clone().map(Into::into),
            summary: row.into(),
        }
    }
}

impl From<Demographics> for DemographicsView {
    fn from(known: Demographics) -> Self {
        Self {
            family_name: known.family_name,
            given_names: known.given_names,
            birth_date: known.birth_date,
            gender: known.gender,
            language: known.language,
        }
    }
}

impl From<Contact> for ContactView {
    fn from(known: Contact) -> Self {
        Self {
            phones: known.phones,
            emails: known.emails,
            address: known.address.map(Into::into),
        }
    }
}

impl From<Address> for AddressView {
    fn from(known: Address) -> Self {
        Self {
            lines: known.lines,
            city: known.city,
            postcode: known.postcode,
            country: known.country,
        }
    }
}

impl From<Death> for DeathView {
    fn from(known: Death) -> Self {
        Self { at: known.at }
    }
}
