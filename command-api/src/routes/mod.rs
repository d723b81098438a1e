//! Which routes does the command API have, and whom does each serve?
//!
//! One file per operation; the folder is the path. A new one is its file, a line in [`routes()`] and a line in [`RULES`].

pub mod appointments;
pub mod described;
pub mod locations;
pub mod patients;
pub mod practitioners;
pub mod reading;
pub mod threads;

use praxis_auth::claims::Role;
use praxis_auth::policy::{Rule, Verb};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use described::Shared;

/// Every route, with its description.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Shared::openapi())
        .routes(routes!(patients::register::register_patient))
        .routes(routes!(patients::correct::correct_patient))
        .routes(routes!(patients::deactivate::deactivate_patient))
        .routes(routes!(patients::change_contact::change_patient_contact))
        .routes(routes!(patients::record_death::record_death))
        .routes(routes!(practitioners::register::register_practitioner))
        .routes(routes!(locations::register::register_location))
        .routes(routes!(appointments::book::book_appointment))
        .routes(routes!(appointments::record::record_appointment))
        .routes(routes!(appointments::reschedule::reschedule_appointment))
        .routes(routes!(appointments::cancel::cancel_appointment))
        .routes(routes!(appointments::arrive::arrive_appointment))
        .routes(routes!(appointments::check_in::check_in_appointment))
        .routes(routes!(appointments::complete::complete_appointment))
        .routes(routes!(appointments::no_show::mark_no_show))
        .routes(routes!(appointments::undo::undo_appointment))
        .routes(routes!(appointments::mark_in_error::mark_appointment_in_error))
        .routes(routes!(threads::open::open_thread))
        .routes(routes!(threads::messages::send::send_message))
        .routes(routes!(threads::messages::read::read_message))
        .routes(routes!(threads::messages::retract::retract_message))
}

/// Configuration of the practice.
const ADMIN: &[Role] = &[Role::Admin];
/// The front desk, and who stands in for it.
const DESK: &[Role] = &[Role::Admin, Role::Staff];
/// Everyone who works with patients.
const PRACTICE: &[Role] = &[Role::Admin, Role::Doctor, Role::Staff];
/// The practice, and patients for themselves: that they touch nothing else is the domain's rule.
const PRACTICE_AND_PATIENTS: &[Role] = &[Role::Admin, Role::Doctor, Role::Staff, Role::Patient];
/// Who may end a visit; that it is the assigned practitioner is the domain's rule.
const TREATING: &[Role] = &[Role::Admin, Role::Doctor];
/// Who converses: the front desk and administrators see no content of messages.
const CONVERSING: &[Role] = &[Role::Doctor, Role::Patient];

/// Whom each route serves (domain.md section 6). None is public.
pub const RULES: &[Rule] = &[
    Rule::roles(Verb::Post, "/patients", DESK),
    Rule::roles(Verb::Put, "/patients/{id}", PRACTICE_AND_PATIENTS),
    Rule::roles(Verb::Delete, "/patients/{id}", DESK),
    Rule::roles(Verb::Put, "/patients/{id}/contact", PRACTICE_AND_PATIENTS),
    Rule::roles(Verb::Post, "/patients/{id}/death", PRACTICE),
    Rule::roles(Verb::Post, "/practitioners", ADMIN),
    Rule::roles(Verb::Post, "/locations", ADMIN),
    Rule::roles(Verb::Post, "/appointments", PRACTICE_AND_PATIENTS),
    Rule::roles(Verb::Post, "/appointments/record", DESK),
    Rule::roles(Verb::Post, "/appointments/{id}/reschedule", PRACTICE_AND_PATIENTS),
    Rule::roles(Verb::Post, "/appointments/{id}/cancel", PRACTICE_AND_PATIENTS),
    Rule::roles(Verb::Post, "/appointments/{id}/arrive", PRACTICE),
    Rule::roles(Verb::Post, "/appointments/{id}/check-in", PRACTICE),
    Rule::roles(Verb::Post, "/appointments/{id}/complete", TREATING),
    Rule::roles(Verb::Post, "/appointments/{id}/no-show", PRACTICE),
    Rule::roles(Verb::Post, "/appointments/{id}/undo", PRACTICE),
    Rule::roles(Verb::Post, "/appointments/{id}/mark-in-error", PRACTICE),
    Rule::roles(Verb::Post, "/threads", CONVERSING),
    Rule::roles(Verb::Post, "/threads/{id}/messages", CONVERSING),
    Rule::roles(Verb::Post, "/threads/{id}/messages/{message_id}/read", CONVERSING),
    Rule::roles(
        Verb::Post,
        "/threads/{id}/messages/{message_id}/retract",
        CONVERSING,
    ),
];

/// What the query API serves at the same addresses, which one ingress leads to either: for `Allow`.
pub const READ_BESIDE: &[(&str, Verb)] = &[
    ("/patients", Verb::Get),
    ("/patients/{id}", Verb::Get),
    ("/practitioners", Verb::Get),
    ("/locations", Verb::Get),
    ("/appointments", Verb::Get),
    ("/threads", Verb::Get),
    ("/threads/{id}/messages", Verb::Get),
];

#[cfg(test)]
mod tests;
