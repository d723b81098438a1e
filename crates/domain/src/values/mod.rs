//! Which texts of the outside world are values of the practice, and what is their normal form?
//!
//! **Invariants.** Validation is at the edge only: `parse` is the way in for commands, imports and settings, and what it
//! returns is in its normal form (parsing that again changes nothing). Deserialisation does *not* validate: a stored event
//! must be readable for ever, also after a rule here became stricter. A fault never repeats the value. What tells something
//! of a person is wrapped in [`praxis_events::personal::Personal`], so it is neither printed nor logged.

pub mod address;
pub mod birth_date;
pub mod country;
pub mod email;
pub mod family_name;
pub mod fault;
pub mod free_text;
pub mod gender;
pub mod given_name;
pub mod identifier;
pub mod language;
pub mod phone;
pub mod reason_code;
pub mod search_key;
pub(crate) mod text;
