//! `PUT /patients/{id}`: corrects what a record says of the person.

use axum::extract::State;
use praxis_domain::patient::correct_details::CorrectPatientDetails;
use praxis_domain::patient::details::PatientDetails;
use praxis_domain::values::birth_date::BirthDate;
use praxis_domain::values::family_name::FamilyName;
use praxis_domain::values::gender::Gender;
use praxis_domain::values::given_name::GivenName;
use praxis_domain::values::language::LanguageTag;
use praxis_domain::words::Comment;
use praxis_events::ids::PatientId;
use praxis_http_kit::fields::{Fields, FromFields};
use praxis_http_kit::params::PathId;
use praxis_http_kit::problem::Problem;
use utoipa::ToSchema;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Received;
use crate::routes::described::{CommandHeaders, CommandProblems};
use crate::routes::patients::birth_date::birth_date;
use crate::routes::reading::{GIVEN_NAMES_LEN_MAX, value};

/// Names, birth date, gender and language as they should be, all of them, and why.
#[derive(Debug, ToSchema)]
#[schema(as = CorrectPatient, example = json!({
    "family_name": "Moreau-Keller",
    "given_names": ["Jeanne"],
    "birth_date": "1984-02-29",
    "gender": "female",
    "language": "fr-CH",
    "reason": "married on 3 May, passport shown"
}))]
pub struct CorrectPatientBody {
    /// Family name; the only name of those who have one.
    #[schema(value_type = String, max_length = 100)]
    pub family_name: FamilyName,
    /// Given names in order; none if the field is missing.
    #[schema(value_type = Vec<String>, required = false, max_items = 10)]
    pub given_names: Vec<GivenName>,
    /// YYYY, YYYY-MM or YYYY-MM-DD; not known if the field is missing.
    #[schema(value_type = Option<String>)]
    pub birth_date: Option<BirthDate>,
    /// Administrative gender (FHIR): `male`, `female`, `other`, `unknown`; the last if the field is missing.
    #[schema(value_type = Option<String>)]
    pub gender: Option<Gender>,
    /// Preferred language (BCP 47); not known if the field is missing.
    #[schema(value_type = Option<String>)]
    pub language: Option<LanguageTag>,
    /// Why the record is corrected.
    #[schema(value_type = String, max_length = 500)]
    pub reason: Comment,
}

impl FromFields for CorrectPatientBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let family_name = fields.required("family_name", value(FamilyName::parse));
        let given_names = fields.list("given_names", GIVEN_NAMES_LEN_MAX, value(GivenName::parse));
        let birth_date = birth_date(fields);
        let gender = fields.optional("gender", value(Gender::parse));
        let language = fields.optional("language", value(LanguageTag::parse));
        let reason = fields.required("reason", value(Comment::parse));
        Some(Self {
            family_name: family_name?,
            given_names: given_names?,
            birth_date,
            gender,
            language,
            reason: reason?,
        })
    }
}

/// Corrects a patient's details
///
/// The group as a whole takes the place of what the record says; what it said before stays in its history. Saying what
/// it says already changes nothing.
#[utoipa::path(
    put,
    path = "/patients/{id}",
    tag = "patients",
    params(("id" = Uuid, Path, description = "the patient"), CommandHeaders),
    request_body = CorrectPatientBody,
    responses((status = OK, description = "the record says so", body = Written), CommandProblems),
)]
pub async fn correct_patient(
    State(app): State<App>,
    PathId(patient_id): PathId<PatientId>,
    Received { value, call }: Received<CorrectPatientBody>,
) -> Result<Answer, Problem> {
    let command = CorrectPatientDetails {
        patient_id,
        details: PatientDetails {
            family_name: value.family_name,
            given_names: value.given_names,
            birth_date: value.birth_date,
            gender: value.gender.unwrap_or_default(),
            language: value.language,
        },
        reason: value.reason,
    };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
