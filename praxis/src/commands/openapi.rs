//! `praxis openapi`: the description of both APIs, as checked in and as every process serves it.

use anyhow::Result;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, SecurityRequirement};

use crate::out;

/// Prints the document.
///
/// # Errors
/// When standard output cannot be written to.
pub fn run() -> Result<()> {
    out::line(document()?.trim_end())
}

/// The document as checked in: indented, with a line feed at its end.
///
/// # Errors
/// Only if the description could not be JSON.
pub fn document() -> Result<String> {
    let mut api = praxis_command_api::routes::routes().into_openapi();
    api.merge(praxis_query_api::routes::routes().into_openapi());
    api.merge(super::views::routes::routes().into_openapi());
    Ok(titled(api).to_pretty_json()? + "\n")
}

/// The description with its title, and with the token that every route but the public ones needs.
pub fn titled(mut api: OpenApi) -> OpenApi {
    let license = LicenseBuilder::new()
        .name("Apache-2.0")
        .identifier(Some("Apache-2.0"))
        .build();
    api.info = InfoBuilder::new()
        .title("Praxis")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "A medical practice's patients, appointments and messages, as events in one log.",
        ))
        .license(Some(license))
        .build();
    let token = SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("an RS256 access token; in development: praxis token"))
            .build(),
    );
    let components = api
        .components
        .take()
        .unwrap_or_else(|| ComponentsBuilder::new().build());
    let mut components = components;
    components
        .security_schemes
        .insert("token".to_owned(), token.into());
    api.components = Some(components);
    api.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    api
}
