//! What is shown of a booking: when, with whom, and where it stands.

use chrono::{DateTime, NaiveDate, Utc};
use praxis_events::appointment::{
    AppointmentBooked, AppointmentEvent, AppointmentStatus, CancelledBy, Occupancy, Slot,
};
use praxis_events::event::Event;
use praxis_events::ids::{AppointmentId, LocationId, PatientId, PractitionerId, RoomId};
use praxis_events::personal::Personal;
use praxis_events::recorded::RecordedEvent;
use praxis_events::sealed::Sealed;

use crate::fold::{Place, ReadModel, placed};

/// The read model of appointments.
#[derive(Clone, Copy, Debug)]
pub struct Appointments;

/// A booking as it stands.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AppointmentRow {
    /// Which booking.
    pub id: AppointmentId,
    /// Where in the log the row stands; its version is that of the appointment's stream.
    pub place: Place,
    /// Where the booking stands.
    pub status: AppointmentStatus,
    /// Whose visit.
    pub patient_id: PatientId,
    /// With whom.
    pub practitioner_id: PractitionerId,
    /// Where.
    pub location_id: LocationId,
    /// The room, where one is needed.
    pub room_id: Option<RoomId>,
    /// When.
    pub slot: Slot,
    /// Whether overbooked.
    pub occupancy: Occupancy,
    /// Why the patient comes, in words.
    pub reason: Option<Sealed<Personal<String>>>,
    /// How it was cancelled, while it is.
    pub cancellation: Option<Cancellation>,
    /// When it was first booked, by the log's clock.
    pub booked_at: DateTime<Utc>,
}

/// How a booking was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cancellation {
    /// Why, as a code.
    pub reason_code: String,
    /// On whose side.
    pub by: CancelledBy,
    /// Why, in words.
    pub comment: Option<Sealed<Personal<String>>>,
}

placed!(AppointmentRow);

impl AppointmentRow {
    /// The date of the booking on the wall of its location: the day of a day sheet.
    pub const fn local_date(&self) -> NaiveDate {
        self.slot.local_start.date()
    }
}

impl ReadModel for Appointments {
    const NAME: &'static str = "appointments";
    const FOLD_VERSION: u32 = 1;
    type Key = AppointmentId;
    type Row = AppointmentRow;

    fn keys(event: &RecordedEvent) -> impl Iterator<Item = AppointmentId> {
        match &event.event {
            Event::Appointment(_) => Some(AppointmentId(event.stream.id)),
            Event::Patient(_) | Event::Practitioner(_) | Event::Location(_) | Event::Thread(_) => None,
        }
        .into_iter()
    }

    fn key(row: &AppointmentRow) -> AppointmentId {
        row.id
    }

    fn apply(row: &mut Option<AppointmentRow>, key: AppointmentId, event: &RecordedEvent) {
        let Event::Appointment(happened) = &event.event else {
            return;
        };
        if let AppointmentEvent::Booked(booked) = happened {
            *row = Some(taken(key, booked, event));
            return;
        }
        let Some(row) = row else { return };
        match happened {
            AppointmentEvent::Booked(_) => {}
            AppointmentEvent::Rescheduled(moved) => {
                row.practitioner_id = moved.practitioner_id;
                row.location_id = moved.location_id;
                row.room_id = moved.room_id;
                row.slot = moved.slot.clone();
                row.occupancy = moved.occupancy;
            }
            AppointmentEvent::Cancelled(cancelled) => {
                row.status = AppointmentStatus::Cancelled;
                row.cancellation = Some(Cancellation {
                    reason_code: cancelled.reason_code.clone(),
                    by: cancelled.by,
                    comment: cancelled.comment.clone(),
                });
            }
            AppointmentEvent::Arrived(_) => row.status = AppointmentStatus::Arrived,
            AppointmentEvent::CheckedIn(_) => row.status = AppointmentStatus::CheckedIn,
            AppointmentEvent::Fulfilled(_) => row.status = AppointmentStatus::Fulfilled,
            AppointmentEvent::NoShow(_) => row.status = AppointmentStatus::NoShow,
            AppointmentEvent::Undone(undone) => {
                row.status = undone.back_to;
                row.cancellation = None;
            }
            AppointmentEvent::MarkedInError(_) => row.status = AppointmentStatus::EnteredInError,
        }
    }
}

fn taken(id: AppointmentId, booked: &AppointmentBooked, event: &RecordedEvent) -> AppointmentRow {
    AppointmentRow {
        id,
        place: Place::of(event),
        status: AppointmentStatus::Booked,
        patient_id: booked.patient_id,
        practitioner_id: booked.practitioner_id,
        location_id: booked.location_id,
        room_id: booked.room_id,
        slot: booked.slot.clone(),
        occupancy: booked.occupancy,
        reason: booked.reason.clone(),
        cancellation: None,
        booked_at: event.recorded_at,
    }
}
