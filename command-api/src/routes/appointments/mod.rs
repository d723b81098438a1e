//! `/appointments`: bookings and their life.

pub mod arrive;
pub mod book;
pub mod cancel;
pub mod check_in;
pub mod complete;
pub mod mark_in_error;
pub mod no_show;
pub mod placing;
pub mod record;
pub mod reschedule;
pub mod undo;
