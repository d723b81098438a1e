//! `/patients`: opening records and keeping them right.

pub mod birth_date;
pub mod change_contact;
pub mod contact;
pub mod correct;
pub mod deactivate;
pub mod record_death;
pub mod register;
