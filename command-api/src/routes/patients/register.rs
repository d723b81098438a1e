//! `POST /patients`: opens a patient's record.

use axum::extract::State;
use praxis_domain::patient::details::{ContactDetails, PatientDetails};
use praxis_domain::patient::register::RegisterPatient;
use praxis_domain::values::birth_date::BirthDate;
use praxis_domain::values::family_name::FamilyName;
use praxis_domain::values::gender::Gender;
use praxis_domain::values::given_name::GivenName;
use praxis_domain::values::identifier::Identifier;
use praxis_domain::values::language::LanguageTag;
use praxis_events::ids::PatientId;
use praxis_events::record_number::RecordNumber;
use praxis_http_kit::fields::{Fields, FromFields};
use praxis_http_kit::problem::Problem;
use utoipa::ToSchema;

use crate::answer::{Answer, Written, store_problem};
use crate::app::App;
use crate::received::Received;
use crate::routes::described::{CommandHeaders, CommandProblems};
use crate::routes::patients::birth_date::birth_date;
use crate::routes::patients::contact::{WrittenContact, contact};
use crate::routes::reading::{
    GIVEN_NAMES_LEN_MAX, IDENTIFIERS_LEN_MAX, WrittenIdentifier, identifier, value,
};

/// A record to open.
#[derive(Debug, ToSchema)]
#[schema(as = RegisterPatient, example = json!({
    "family_name": "Moreau",
    "given_names": ["Jeanne"],
    "birth_date": "1984-02-29",
    "gender": "female",
    "language": "fr-CH",
    "contact": { "phones": ["+41 44 668 18 00"], "emails": ["jeanne@example.org"] },
    "identifiers": [{ "system": "urn:oid:2.16.756.5.32", "value": "756.9217.0769.85" }],
    "source": { "system": "https://old.example/patients", "value": "4711" }
}))]
pub struct RegisterPatientBody {
    /// Family name; the only name of those who have one.
    #[schema(value_type = String, max_length = 100)]
    pub family_name: FamilyName,
    /// Given names in order.
    #[schema(value_type = Vec<String>, required = false, max_items = 10)]
    pub given_names: Vec<GivenName>,
    /// YYYY, YYYY-MM or YYYY-MM-DD, as exactly as it is known.
    #[schema(value_type = Option<String>)]
    pub birth_date: Option<BirthDate>,
    /// Administrative gender (FHIR): `male`, `female`, `other`, `unknown`; the last if nothing is said.
    #[schema(value_type = Option<String>)]
    pub gender: Option<Gender>,
    /// Preferred language (BCP 47).
    #[schema(value_type = Option<String>)]
    pub language: Option<LanguageTag>,
    /// How the patient is reached.
    #[schema(value_type = Option<WrittenContact>)]
    pub contact: Option<ContactDetails>,
    /// Identifiers given by others; no two records have one.
    #[schema(value_type = Vec<WrittenIdentifier>, required = false, max_items = 20)]
    pub identifiers: Vec<Identifier>,
    /// The id in the system the record is imported from; imported once.
    #[schema(value_type = Option<WrittenIdentifier>)]
    pub source: Option<Identifier>,
}

impl FromFields for RegisterPatientBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let family_name = fields.required("family_name", value(FamilyName::parse));
        let given_names = fields.list("given_names", GIVEN_NAMES_LEN_MAX, value(GivenName::parse));
        let birth_date = birth_date(fields);
        let gender = fields.optional("gender", value(Gender::parse));
        let language = fields.optional("language", value(LanguageTag::parse));
        let contact = fields.optional_object("contact", contact);
        let identifiers = fields.objects("identifiers", IDENTIFIERS_LEN_MAX, identifier);
        let source = fields.optional_object("source", identifier);
        Some(Self {
            family_name: family_name?,
            given_names: given_names?,
            birth_date,
            gender,
            language,
            contact,
            identifiers: identifiers?,
            source,
        })
    }
}

/// Opens a patient's record
///
/// The record gets a number of its own, with a check digit. Identifiers and the source id belong to one record only.
#[utoipa::path(
    post,
    path = "/patients",
    tag = "patients",
    params(CommandHeaders),
    request_body = RegisterPatientBody,
    responses((status = CREATED, description = "the record is open", body = Written), CommandProblems),
)]
pub async fn register_patient(
    State(app): State<App>,
    Received { value, call }: Received<RegisterPatientBody>,
) -> Result<Answer, Problem> {
    let number = app
        .record_numbers
        .next()
        .await
        .map_err(|error| store_problem(&error))?;
    let command = RegisterPatient {
        patient_id: PatientId(app.executor.new_id()),
        record_number: RecordNumber::new(number),
        details: PatientDetails {
            family_name: value.family_name,
            given_names: value.given_names,
            birth_date: value.birth_date,
            gender: value.gender.unwrap_or_default(),
            language: value.language,
        },
        contact: value.contact.unwrap_or_default(),
        identifiers: value.identifiers,
        source: value.source,
    };
    Ok(Answer::created(app.executor.execute(&command, &call).await?))
}
