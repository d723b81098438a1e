//! `POST /practitioners`: opens a practitioner's record.

use axum::extract::State;
use praxis_domain::practitioner::register::RegisterPractitioner;
use praxis_domain::practitioner::speciality::SpecialityCode;
use praxis_domain::values::family_name::FamilyName;
use praxis_domain::values::given_name::GivenName;
use praxis_domain::values::identifier::Identifier;
use praxis_events::ids::PractitionerId;
use praxis_http_kit::fields::{Fields, FromFields};
use praxis_http_kit::problem::Problem;
use utoipa::ToSchema;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Received;
use crate::routes::described::{CommandHeaders, CommandProblems};
use crate::routes::reading::{
    GIVEN_NAMES_LEN_MAX, IDENTIFIERS_LEN_MAX, WrittenIdentifier, identifier, value,
};

/// Most specialities of one practitioner.
const SPECIALITIES_LEN_MAX: usize = 20;

/// A record to open.
#[derive(Debug, ToSchema)]
#[schema(as = RegisterPractitioner, example = json!({
    "family_name": "Okafor",
    "given_names": ["Chidi"],
    "specialities": ["207Q00000X"],
    "identifiers": [{ "system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893" }],
    "source": { "system": "https://old.example/practitioners", "value": "17" }
}))]
pub struct RegisterPractitionerBody {
    /// Family name; the only name of those who have one.
    #[schema(value_type = String, max_length = 100)]
    pub family_name: FamilyName,
    /// Given names in order.
    #[schema(value_type = Vec<String>, required = false, max_items = 10)]
    pub given_names: Vec<GivenName>,
    /// Codes of specialities, of the practice's own list or of a register such as NUCC, in order.
    #[schema(value_type = Vec<String>, required = false, max_items = 20)]
    pub specialities: Vec<SpecialityCode>,
    /// Identifiers given by others (a national provider number); no two records have one.
    #[schema(value_type = Vec<WrittenIdentifier>, required = false, max_items = 20)]
    pub identifiers: Vec<Identifier>,
    /// The id in the system the record is imported from; imported once.
    #[schema(value_type = Option<WrittenIdentifier>)]
    pub source: Option<Identifier>,
}

impl FromFields for RegisterPractitionerBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let family_name = fields.required("family_name", value(FamilyName::parse));
        let given_names = fields.list("given_names", GIVEN_NAMES_LEN_MAX, value(GivenName::parse));
        let specialities = fields.list("specialities", SPECIALITIES_LEN_MAX, value(SpecialityCode::parse));
        let identifiers = fields.objects("identifiers", IDENTIFIERS_LEN_MAX, identifier);
        let source = fields.optional_object("source", identifier);
        Some(Self {
            family_name: family_name?,
            given_names: given_names?,
            specialities: specialities?,
            identifiers: identifiers?,
            source,
        })
    }
}

/// Opens a practitioner's record
///
/// Identifiers and the source id belong to one record only.
#[utoipa::path(
    post,
    path = "/practitioners",
    tag = "practitioners",
    params(CommandHeaders),
    request_body = RegisterPractitionerBody,
    responses((status = CREATED, description = "the record is open", body = Written), CommandProblems),
)]
pub async fn register_practitioner(
    State(app): State<App>,
    Received { value, call }: Received<RegisterPractitionerBody>,
) -> Result<Answer, Problem> {
    let command = RegisterPractitioner {
        practitioner_id: PractitionerId(app.executor.new_id()),
        family_name: value.family_name,
        given_names: value.given_names,
        specialities: value.specialities,
        identifiers: value.identifiers,
        source: value.source,
    };
    Ok(Answer::created(app.executor.execute(&command, &call).await?))
}
