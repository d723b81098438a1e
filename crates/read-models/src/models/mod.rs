//! The read models, one file each.

pub mod appointments;
pub mod locations;
pub mod messages;
pub mod patients;
pub mod practitioners;
pub mod threads;

/// Calls a macro with every read model, the load and the save of each: the one list of them.
#[macro_export]
macro_rules! for_each_read_model {
    ($with:ident) => {
        $with! {
            $crate::models::patients::Patients: load_patients, save_patients;
            $crate::models::practitioners::Practitioners: load_practitioners, save_practitioners;
            $crate::models::locations::Locations: load_locations, save_locations;
            $crate::models::appointments::Appointments: load_appointments, save_appointments;
            $crate::models::threads::Threads: load_threads, save_threads;
            $crate::models::messages::Messages: load_messages, save_messages;
        }
    };
}
