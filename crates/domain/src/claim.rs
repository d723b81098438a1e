//! Which things of the whole practice does a record claim for itself, alone or as one of a few?

use chrono::{DateTime, Utc};
use praxis_events::ids::{PatientId, StreamType};
use praxis_events::patient::Identifier;
use praxis_events::personal::Personal;

use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::state::State;

/// What kind of thing is claimed. The stored names never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimResource {
    /// An identifier that others gave to a patient.
    PatientIdentifier,
    /// An identifier that others gave to a practitioner.
    PractitionerIdentifier,
    /// A patient's record number.
    RecordNumber,
    /// The id a patient was imported from.
    PatientSource,
    /// The id a practitioner was imported from.
    PractitionerSource,
    /// The id a location was imported from.
    LocationSource,
    /// The id a visit was imported from.
    AppointmentSource,
    /// One of a patient's open bookings: those in the statuses pending and booked. It is held until an event gives it
    /// back, and counts until the visit's time is over; see [`ClaimResource::counts`].
    OpenBooking,
}

impl ClaimResource {
    /// Every kind, for tests and tables.
    pub const ALL: [Self; 8] = [
        Self::PatientIdentifier,
        Self::PractitionerIdentifier,
        Self::RecordNumber,
        Self::PatientSource,
        Self::PractitionerSource,
        Self::LocationSource,
        Self::AppointmentSource,
        Self::OpenBooking,
    ];

    /// The stored name: ASCII, at most 32 bytes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PatientIdentifier => "patient-identifier",
            Self::PractitionerIdentifier => "practitioner-identifier",
            Self::RecordNumber => "record-number",
            Self::PatientSource => "patient-source",
            Self::PractitionerSource => "practitioner-source",
            Self::LocationSource => "location-source",
            Self::AppointmentSource => "appointment-source",
            Self::OpenBooking => "open-booking",
        }
    }

    /// The kind of that stored name, if it is known to this version.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|resource| resource.name().as_bytes() == name)
    }

    /// How many records may claim the same member. It is asked when a claim is taken and is no part of the claim, so
    /// that changing a rule changes no claim that is held.
    pub const fn capacity(self, rules: &Rules) -> u32 {
        match self {
            Self::PatientIdentifier
            | Self::PractitionerIdentifier
            | Self::RecordNumber
            | Self::PatientSource
            | Self::PractitionerSource
            | Self::LocationSource
            | Self::AppointmentSource => 1,
            Self::OpenBooking => rules.open_bookings_max,
        }
    }

    /// What kind of record holds such claims longer than they count; `None` where they count as long as they are held.
    pub const fn outlasted_by(self) -> Option<StreamType> {
        match self {
            Self::PatientIdentifier
            | Self::PractitionerIdentifier
            | Self::RecordNumber
            | Self::PatientSource
            | Self::PractitionerSource
            | Self::LocationSource
            | Self::AppointmentSource => None,
            Self::OpenBooking => Some(StreamType::Appointment),
        }
    }

    /// Whether such a claim, held by a record in that state, counts against the capacity at that time. A claim changes
    /// with an event only, never with the clock; but a booking that nobody resolved once it was over is no future one,
    /// and the practice's omission must not keep its patient from booking.
    pub fn counts(self, holder: &State, now: DateTime<Utc>) -> bool {
        let State::Appointment(appointment) = holder else {
            return true;
        };
        self.outlasted_by().is_none() || !appointment.is_over(now)
    }
}

/// Which member of a resource is claimed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Member {
    /// Stored as it is; at most 64 bytes.
    Open(Vec<u8>),
    /// Of any length, and it may tell something of a person: never stored, only its HMAC under the claims key.
    Personal(Personal<String>),
}

/// A thing a record claims; its owner is the stream whose state says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// What kind of thing.
    pub resource: ClaimResource,
    /// Which.
    pub member: Member,
}

impl Claim {
    /// A record number, by its counter value.
    pub fn record_number(number: u64) -> Self {
        Self {
            resource: ClaimResource::RecordNumber,
            member: Member::Open(number.to_be_bytes().to_vec()),
        }
    }

    /// One of the open bookings of a patient.
    pub fn open_booking(patient_id: PatientId) -> Self {
        Self {
            resource: ClaimResource::OpenBooking,
            member: Member::Open(patient_id.0.as_bytes().to_vec()),
        }
    }

    /// An identifier or a source id of a person or of their visit.
    pub fn identifier(resource: ClaimResource, identifier: &Identifier) -> Self {
        Self::system_and_value(resource, identifier.system.reveal(), identifier.value.reveal())
    }

    /// A value within a system. Not every such pair is personal (a location's is not), but any may be longer than an
    /// open member can be.
    pub fn system_and_value(resource: ClaimResource, system: &str, value: &str) -> Self {
        // The length in front makes ("ab", "c") another member than ("a", "bc").
        let framed = format!("{}:{system}{value}", system.len());
        Self {
            resource,
            member: Member::Personal(Personal::new(framed)),
        }
    }
}

/// What a caller is told when the log finds the claim at its capacity.
pub const fn refusal_for_claim(resource: ClaimResource) -> Refusal {
    match resource {
        ClaimResource::PatientIdentifier | ClaimResource::PractitionerIdentifier => Refusal::IdentifierTaken,
        ClaimResource::RecordNumber => Refusal::RecordNumberTaken,
        ClaimResource::PatientSource
        | ClaimResource::PractitionerSource
        | ClaimResource::LocationSource
        | ClaimResource::AppointmentSource => Refusal::AlreadyImported,
        ClaimResource::OpenBooking => Refusal::LimitReached,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::{Claim, ClaimResource};
    use crate::appointment::state::Appointment;
    use crate::rules::Rules;
    use crate::samples::booked;
    use crate::state::State;

    #[test]
    fn stored_names_are_short_ascii_and_lead_back_to_their_kind() {
        for resource in ClaimResource::ALL {
            let name = resource.name();
            assert!(name.is_ascii() && name.len() <= 32, "{name}");
            assert_eq!(ClaimResource::from_name(name.as_bytes()), Some(resource));
        }
        assert_eq!(ClaimResource::from_name(b"patient"), None);
    }

    #[test]
    fn system_and_value_cannot_be_shifted_into_each_other() {
        let claim = |system, value| Claim::system_and_value(ClaimResource::PatientIdentifier, system, value);
        assert_ne!(claim("ab", "c"), claim("a", "bc"));
        assert_ne!(claim("1:a", "b"), claim("1", ":ab"));
        assert_eq!(claim("ab", "c"), claim("ab", "c"));
    }

    #[test]
    fn everything_is_unique_but_open_bookings_which_the_rules_limit() {
        let rules = Rules {
            open_bookings_max: 3,
            ..Rules::default()
        };
        for resource in ClaimResource::ALL {
            let expected = if resource == ClaimResource::OpenBooking {
                3
            } else {
                1
            };
            assert_eq!(resource.capacity(&rules), expected, "{}", resource.name());
        }
    }

    #[test]
    fn an_open_booking_counts_until_its_time_is_over_and_any_other_claim_for_good() {
        let ends = booked().slot.ends;
        let unresolved = State::from(Appointment {
            booking: Some((&booked()).into()),
        });
        for resource in ClaimResource::ALL {
            assert!(resource.counts(&unresolved, ends - TimeDelta::microseconds(1)));
            let still = resource != ClaimResource::OpenBooking;
            assert_eq!(resource.counts(&unresolved, ends), still, "{}", resource.name());
        }
    }
}
