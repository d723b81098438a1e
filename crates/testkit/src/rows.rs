//! What rows should be there: every read model folded over a whole history, one event after the other.

use std::collections::BTreeMap;

use praxis_events::ids::{AppointmentId, LocationId, MessageId, PatientId, PractitionerId, ThreadId};
use praxis_events::recorded::RecordedEvent;
use praxis_events::sealed::Sealed;
use praxis_read_models::fold::{ReadModel, fold};
use praxis_read_models::models::appointments::{AppointmentRow, Appointments};
use praxis_read_models::models::locations::{LocationRow, Locations};
use praxis_read_models::models::messages::{MessageRow, Messages};
use praxis_read_models::models::patients::{PatientRow, Patients};
use praxis_read_models::models::practitioners::{PractitionerRow, Practitioners};
use praxis_read_models::models::threads::{ThreadRow, Threads};

/// The rows of every read model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Of patients.
    pub patients: BTreeMap<PatientId, PatientRow>,
    /// Of practitioners.
    pub practitioners: BTreeMap<PractitionerId, PractitionerRow>,
    /// Of locations.
    pub locations: BTreeMap<LocationId, LocationRow>,
    /// Of appointments.
    pub appointments: BTreeMap<AppointmentId, AppointmentRow>,
    /// Of threads.
    pub threads: BTreeMap<ThreadId, ThreadRow>,
    /// Of messages.
    pub messages: BTreeMap<MessageId, MessageRow>,
}

impl Rows {
    /// The rows that events make from nothing.
    pub fn of(events: &[RecordedEvent]) -> Self {
        let mut rows = Self::default();
        rows.fold(events);
        rows
    }

    /// Folds further events into the rows.
    pub fn fold(&mut self, events: &[RecordedEvent]) {
        fold_into::<Patients>(&mut self.patients, events);
        fold_into::<Practitioners>(&mut self.practitioners, events);
        fold_into::<Locations>(&mut self.locations, events);
        fold_into::<Appointments>(&mut self.appointments, events);
        fold_into::<Threads>(&mut self.threads, events);
        fold_into::<Messages>(&mut self.messages, events);
    }

    /// The same rows with every sealed part erased.
    #[must_use]
    pub fn redacted(mut self) -> Self {
        for row in self.patients.values_mut() {
            row.demographics = Sealed::Erased;
            row.contact = Sealed::Erased;
            row.identifiers = Sealed::Erased;
            row.death = row.death.as_ref().map(|_| Sealed::Erased);
        }
        for row in self.practitioners.values_mut() {
            row.profile = Sealed::Erased;
        }
        for row in self.appointments.values_mut() {
            row.reason = row.reason.as_ref().map(|_| Sealed::Erased);
            if let Some(cancellation) = &mut row.cancellation {
                cancellation.comment = cancellation.comment.as_ref().map(|_| Sealed::Erased);
            }
        }
        for row in self.threads.values_mut() {
            row.topic = Sealed::Erased;
        }
        for row in self.messages.values_mut() {
            row.body = Sealed::Erased;
        }
        self
    }
}

fn fold_into<M: ReadModel>(rows: &mut BTreeMap<M::Key, M::Row>, events: &[RecordedEvent]) {
    for event in events {
        for key in M::keys(event) {
            let mut row = rows.remove(&key);
            fold::<M>(&mut row, key, event);
            rows.extend(row.map(|row| (key, row)));
        }
    }
}
