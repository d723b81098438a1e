//! The routes that show something, and whom each serves. The folder path is the URL.

pub mod appointments;
pub mod locations;
pub mod patients;
pub mod practitioners;
pub mod threads;

use praxis_auth::claims::Role::{self, Admin, Auditor, Doctor, Patient, Staff};
use praxis_auth::policy::{Rule, Verb};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::openapi::Shared;

/// A record that has a patient: records' own rules (`access`) come on top.
const ALL: &[Role] = &[Admin, Doctor, Staff, Patient, Auditor];
/// Lists over all patients: an auditor sees the records an audit leads to, and searches nobody.
const PRACTICE: &[Role] = &[Admin, Doctor, Staff];
/// Lists of what belongs to one person, and what a booking is made with.
const PRACTICE_AND_PATIENT: &[Role] = &[Admin, Doctor, Staff, Patient];
/// What happened to records that belong to no patient.
const PRACTICE_AND_AUDITOR: &[Role] = &[Admin, Doctor, Staff, Auditor];
/// What is said in conversations; auditors without the words.
const READERS_OF_MESSAGES: &[Role] = &[Doctor, Patient, Auditor];
/// What happened in conversations, without the words.
const AUDITOR: &[Role] = &[Auditor];

/// Whom each route serves.
pub const RULES: &[Rule] = &[
    Rule::roles(Verb::Get, "/patients", PRACTICE),
    Rule::roles(Verb::Post, "/patients/search", PRACTICE),
    Rule::roles(Verb::Get, "/patients/{id}", ALL),
    Rule::roles(Verb::Get, "/patients/{id}/appointments", PRACTICE_AND_PATIENT),
    Rule::roles(Verb::Get, "/patients/{id}/history", ALL),
    Rule::roles(Verb::Get, "/practitioners", ALL),
    Rule::roles(Verb::Get, "/practitioners/{id}", ALL),
    Rule::roles(Verb::Get, "/practitioners/{id}/history", PRACTICE_AND_AUDITOR),
    Rule::roles(Verb::Get, "/locations", ALL),
    Rule::roles(Verb::Get, "/locations/{id}", ALL),
    Rule::roles(Verb::Get, "/locations/{id}/history", PRACTICE_AND_AUDITOR),
    Rule::roles(Verb::Get, "/appointments", PRACTICE),
    Rule::roles(Verb::Get, "/appointments/{id}", ALL),
    Rule::roles(Verb::Get, "/appointments/{id}/history", ALL),
    Rule::roles(Verb::Get, "/threads", PRACTICE_AND_PATIENT),
    Rule::roles(Verb::Get, "/threads/{id}", ALL),
    Rule::roles(Verb::Get, "/threads/{id}/messages", READERS_OF_MESSAGES),
    Rule::roles(Verb::Get, "/threads/{id}/history", AUDITOR),
];

/// Every read route, with its description.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Shared::openapi())
        .routes(routes!(patients::list::list_patients))
        .routes(routes!(patients::search::search_patients))
        .routes(routes!(patients::get::get_patient))
        .routes(routes!(patients::appointments::list_appointments_of_patient))
        .routes(routes!(patients::history::get_patient_history))
        .routes(routes!(practitioners::list::list_practitioners))
        .routes(routes!(practitioners::get::get_practitioner))
        .routes(routes!(practitioners::history::get_practitioner_history))
        .routes(routes!(locations::list::list_locations))
        .routes(routes!(locations::get::get_location))
        .routes(routes!(locations::history::get_location_history))
        .routes(routes!(appointments::list::list_appointments))
        .routes(routes!(appointments::get::get_appointment))
        .routes(routes!(appointments::history::get_appointment_history))
        .routes(routes!(threads::list::list_threads))
        .routes(routes!(threads::get::get_thread))
        .routes(routes!(threads::messages::list_messages))
        .routes(routes!(threads::history::get_thread_history))
}

#[cfg(test)]
mod tests {
    use praxis_auth::policy::PolicyTable;
    use praxis_http_kit::guard::disagreements;
    use serde_json::Value;

    use super::*;

    fn operations() -> Vec<(String, Value)> {
        let document = serde_json::to_value(routes().into_openapi()).unwrap();
        let paths = document["paths"].as_object().unwrap().clone();
        paths
            .into_iter()
            .flat_map(|(path, item)| {
                let item = item.as_object().unwrap().clone();
                item.into_iter()
                    .map(move |(method, operation)| (format!("{method} {path}"), operation))
            })
            .collect()
    }

    #[test]
    fn every_route_has_a_rule_and_every_rule_a_route() {
        let policy = PolicyTable::try_new(RULES.iter().copied()).unwrap();
        assert_eq!(
            disagreements(&routes().into_openapi(), &policy),
            Vec::<String>::new()
        );
    }

    #[test]
    fn every_operation_is_described_with_an_example_and_its_problems() {
        let operations = operations();
        assert_eq!(operations.len(), RULES.len());
        for (name, operation) in operations {
            assert!(operation["summary"].is_string(), "{name} has no summary");
            let answer = &operation["responses"]["200"];
            assert!(
                answer["headers"]["Praxis-Position"].is_object(),
                "{name} gives no position"
            );
            let content = &answer["content"]["application/json"];
            assert!(content["example"].is_object(), "{name} has no example");
            for status in ["400", "401", "403", "503"] {
                let problem = &operation["responses"][status]["content"]["application/problem+json"];
                assert!(problem["schema"]["$ref"].is_string(), "{name} lacks {status}");
            }
        }
    }

    #[test]
    fn every_schema_that_is_referred_to_is_there() {
        let document = serde_json::to_string(&routes().into_openapi()).unwrap();
        let parsed: Value = serde_json::from_str(&document).unwrap();
        let schemas = parsed["components"]["schemas"].as_object().unwrap();
        for reference in document.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name} is nowhere");
        }
    }
}
