//! What is known of an appointment, and what does it take of calendars and limits?

use chrono::{DateTime, Utc};
use praxis_events::appointment::{AppointmentBooked, AppointmentEvent, AppointmentStatus, Occupancy, Slot};
use praxis_events::ids::{LocationId, PatientId, PractitionerId, RoomId};
use praxis_events::patient::Identifier;
use praxis_events::sealed::Sealed;
use serde::{Deserialize, Serialize};

use crate::claim::{Claim, ClaimResource};
use crate::span::{Calendar, CalendarKind, Layer, Span, microseconds};

/// The state of an appointment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Appointment {
    /// The booking as it stands; `None` before the first event.
    pub booking: Option<Booking>,
}

/// A booking as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Booking {
    /// Whose visit.
    pub patient_id: PatientId,
    /// With whom.
    pub practitioner_id: PractitionerId,
    /// Where.
    pub location_id: LocationId,
    /// In which room, where one is needed.
    pub room_id: Option<RoomId>,
    /// When.
    pub slot: Slot,
    /// Whether overbooked.
    pub occupancy: Occupancy,
    /// Where it stands.
    pub status: AppointmentStatus,
    /// Where it stood when it was cancelled; what undoing that leads back to.
    pub cancelled_from: Option<AppointmentStatus>,
    /// The id the visit was imported from.
    pub source: Option<Sealed<Identifier>>,
}

impl From<&AppointmentBooked> for Booking {
    fn from(booked: &AppointmentBooked) -> Self {
        Self {
            patient_id: booked.patient_id,
            practitioner_id: booked.practitioner_id,
            location_id: booked.location_id,
            room_id: booked.room_id,
            slot: booked.slot.clone(),
            occupancy: booked.occupancy,
            status: AppointmentStatus::Booked,
            cancelled_from: None,
            source: booked.source.clone(),
        }
    }
}

impl Appointment {
    /// Takes in one event; before a booking there is nothing that anything else could happen to.
    pub fn fold(&mut self, event: &AppointmentEvent) {
        if let AppointmentEvent::Booked(booked) = event {
            self.booking = Some(booked.into());
        } else if let Some(booking) = &mut self.booking {
            booking.fold(event);
        }
    }

    /// The time the booking takes of its practitioner, its patient and its room, in a status that takes any.
    pub fn spans(&self) -> Vec<Span> {
        let occupying = self.booking.as_ref().filter(|booking| booking.status.occupies());
        occupying.map(Booking::spans).unwrap_or_default()
    }

    /// What it would be after these events.
    pub(super) fn after(&self, events: &[AppointmentEvent]) -> Self {
        let mut after = self.clone();
        for event in events {
            after.fold(event);
        }
        after
    }

    /// Whether its time is over at that instant, whatever became of it.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.booking
            .as_ref()
            .is_some_and(|booking| booking.slot.ends <= now)
    }

    /// The source id in any status, and one of the patient's open bookings while pending or booked.
    pub fn claims(&self) -> Vec<Claim> {
        let Some(booking) = &self.booking else {
            return Vec::new();
        };
        let source = booking.source.as_ref().and_then(Sealed::value);
        let open = booking.is_open().then(|| Claim::open_booking(booking.patient_id));
        source
            .map(|id| Claim::identifier(ClaimResource::AppointmentSource, id))
            .into_iter()
            .chain(open)
            .collect()
    }
}

impl Booking {
    fn fold(&mut self, event: &AppointmentEvent) {
        match event {
            AppointmentEvent::Booked(booked) => *self = booked.into(),
            AppointmentEvent::Rescheduled(rescheduled) => {
                self.practitioner_id = rescheduled.practitioner_id;
                self.location_id = rescheduled.location_id;
                self.room_id = rescheduled.room_id;
                self.slot = rescheduled.slot.clone();
                self.occupancy = rescheduled.occupancy;
            }
            AppointmentEvent::Cancelled(_) => {
                self.cancelled_from = Some(self.status);
                self.status = AppointmentStatus::Cancelled;
            }
            AppointmentEvent::Arrived(_) => self.status = AppointmentStatus::Arrived,
            AppointmentEvent::CheckedIn(_) => self.status = AppointmentStatus::CheckedIn,
            AppointmentEvent::Fulfilled(_) => self.status = AppointmentStatus::Fulfilled,
            AppointmentEvent::NoShow(_) => self.status = AppointmentStatus::NoShow,
            AppointmentEvent::Undone(undone) => {
                self.cancelled_from = None;
                self.status = undone.back_to;
            }
            AppointmentEvent::MarkedInError(_) => self.status = AppointmentStatus::EnteredInError,
        }
    }

    /// The appointment as it would be after these events.
    pub(super) fn after(&self, events: &[AppointmentEvent]) -> Appointment {
        let booking = Some(self.clone());
        Appointment { booking }.after(events)
    }

    /// Whether it counts against the limit of open bookings.
    const fn is_open(&self) -> bool {
        match self.status {
            AppointmentStatus::Pending | AppointmentStatus::Booked => true,
            AppointmentStatus::Arrived
            | AppointmentStatus::CheckedIn
            | AppointmentStatus::Fulfilled
            | AppointmentStatus::Cancelled
            | AppointmentStatus::NoShow
            | AppointmentStatus::EnteredInError => false,
        }
    }

    /// Overbooked is the practitioner only, never the patient or the room.
    fn spans(&self) -> Vec<Span> {
        let (starts, ends) = microseconds(self.slot.starts, self.slot.ends);
        let span = |kind, id, layer| Span {
            calendar: Calendar { kind, id },
            layer,
            starts,
            ends,
        };
        let practitioner_layer = match self.occupancy {
            Occupancy::Exclusive => Layer::Normal,
            Occupancy::Overbooked => Layer::Over,
        };
        let mut spans = vec![
            span(
                CalendarKind::Practitioner,
                self.practitioner_id.0,
                practitioner_layer,
            ),
            span(CalendarKind::Patient, self.patient_id.0, Layer::Normal),
        ];
        spans.extend(
            self.room_id
                .map(|room| span(CalendarKind::Room, room.0, Layer::Normal)),
        );
        spans
    }
}

#[cfg(test)]
mod tests {
    use praxis_events::appointment::{AppointmentBooked, Occupancy};
    use praxis_events::ids::RoomId;
    use uuid::Uuid;

    use super::Appointment;
    use crate::samples::{ada, booked, dr_gray};
    use crate::span::{CalendarKind, Layer};

    #[test]
    fn only_the_practitioner_of_an_overbooking_is_taken_over() {
        let room = RoomId(Uuid::from_u128(7));
        let overbooked = AppointmentBooked {
            occupancy: Occupancy::Overbooked,
            room_id: Some(room),
            ..booked()
        };
        let state = Appointment {
            booking: Some((&overbooked).into()),
        };
        let taken: Vec<_> = state
            .spans()
            .iter()
            .map(|span| (span.calendar.kind, span.calendar.id, span.layer))
            .collect();
        let expected = [
            (CalendarKind::Practitioner, dr_gray().0, Layer::Over),
            (CalendarKind::Patient, ada().0, Layer::Normal),
            (CalendarKind::Room, room.0, Layer::Normal),
        ];
        assert_eq!(taken, expected);
    }

    #[test]
    fn a_booking_takes_its_half_open_interval_in_microseconds() {
        let state = Appointment {
            booking: Some((&booked()).into()),
        };
        let slot = booked().slot;
        for span in state.spans() {
            assert_eq!(
                (span.starts, span.ends),
                (slot.starts.timestamp_micros(), slot.ends.timestamp_micros())
            );
        }
    }
}
