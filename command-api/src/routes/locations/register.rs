//! `POST /locations`: adds a site of the practice.

use axum::extract::State;
use praxis_calendar::zone::Zone;
use praxis_domain::location::name::LocationName;
use praxis_domain::location::register::RegisterLocation;
use praxis_domain::values::identifier::Identifier;
use praxis_events::ids::LocationId;
use praxis_http_kit::fault::FaultCode;
use praxis_http_kit::fields::{Fields, FromFields, values};
use praxis_http_kit::problem::Problem;
use utoipa::ToSchema;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Received;
use crate::routes::described::{CommandHeaders, CommandProblems};
use crate::routes::reading::{WrittenIdentifier, identifier, value};

const UNKNOWN_ZONE: FaultCode = FaultCode::new("unknown-zone", "is not the name of an IANA time zone");

/// A site to add.
#[derive(Debug, ToSchema)]
#[schema(as = RegisterLocation, example = json!({
    "name": "Seestrasse",
    "zone": "Europe/Zurich",
    "source": { "system": "https://old.example/sites", "value": "1" }
}))]
pub struct RegisterLocationBody {
    /// What it is called.
    #[schema(value_type = String, max_length = 100)]
    pub name: LocationName,
    /// The IANA time zone its clocks show.
    #[schema(value_type = String)]
    pub zone: Zone,
    /// The id in the system it is imported from; imported once.
    #[schema(value_type = Option<WrittenIdentifier>)]
    pub source: Option<Identifier>,
}

impl FromFields for RegisterLocationBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.required("name", value(LocationName::parse));
        let zone = |text: &str| Zone::parse(text).map_err(|_| UNKNOWN_ZONE);
        let zone = fields.required("zone", values::parsed(zone));
        let source = fields.optional_object("source", identifier);
        Some(Self {
            name: name?,
            zone: zone?,
            source,
        })
    }
}

/// Adds a site of the practice
#[utoipa::path(
    post,
    path = "/locations",
    tag = "locations",
    params(CommandHeaders),
    request_body = RegisterLocationBody,
    responses((status = CREATED, description = "the site is added", body = Written), CommandProblems),
)]
pub async fn register_location(
    State(app): State<App>,
    Received { value, call }: Received<RegisterLocationBody>,
) -> Result<Answer, Problem> {
    let command = RegisterLocation {
        location_id: LocationId(app.executor.new_id()),
        name: value.name,
        zone: value.zone,
        source: value.source,
    };
    Ok(Answer::created(app.executor.execute(&command, &call).await?))
}
