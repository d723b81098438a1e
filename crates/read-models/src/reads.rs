//! What a database of read models can do for those who ask: single records, keyset pages, searches.
//!
//! Pages are in a stable order and go on after the cursor of the last item; `limit` is the caller's, already bounded.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use praxis_events::ids::{AppointmentId, LocationId, MessageId, PatientId, PractitionerId, ThreadId};
use praxis_events::sealed::Sealed;
use praxis_events::thread::Participant;
use uuid::Uuid;

use crate::models::appointments::AppointmentRow;
use crate::models::locations::LocationRow;
use crate::models::messages::MessageRow;
use crate::models::patients::PatientRow;
use crate::models::practitioners::PractitionerRow;
use crate::models::threads::ThreadRow;
use crate::names::PersonName;
use crate::search::PatientCriteria;
use crate::views::{Checkpoint, ViewsError};

/// A booking with the names that stand elsewhere, joined when it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppointmentView {
    /// The booking.
    pub appointment: AppointmentRow,
    /// The patient's name; `None` where the patient is not in the views (yet, or parked).
    pub patient_name: Option<Sealed<PersonName>>,
    /// The practitioner's name; `None` as above.
    pub practitioner_name: Option<Sealed<PersonName>>,
    /// What the location is called; `None` as above.
    pub location_name: Option<String>,
}

/// A conversation with the name of the patient it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadView {
    /// The conversation.
    pub thread: ThreadRow,
    /// The patient's name; `None` where the patient is not in the views (yet, or parked).
    pub patient_name: Option<Sealed<PersonName>>,
}

/// After which appointment of a list to go on: lists are by start, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AppointmentCursor {
    /// Its start.
    pub starts: DateTime<Utc>,
    /// Its id.
    pub id: AppointmentId,
}

/// After which thread of a list to go on: lists are by last activity, newest first, then by id, highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ThreadCursor {
    /// Its last activity.
    pub last_activity_at: DateTime<Utc>,
    /// Its id.
    pub id: ThreadId,
}

/// One generation, for reading.
#[async_trait]
pub trait Reads: Send + Sync {
    /// Every checkpoint, by partition.
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, ViewsError>;

    /// The first position of a stream that is parked, if the stream is: rows of it are older than that.
    async fn parked_since(&self, stream_id: Uuid) -> Result<Option<u64>, ViewsError>;

    /// How many streams are parked; while any is, lists may be incomplete.
    async fn parked_stream_count(&self) -> Result<u64, ViewsError>;

    /// A patient.
    async fn patient(&self, id: PatientId) -> Result<Option<PatientRow>, ViewsError>;

    /// Patients by id: about the order of registration, which processes at once make ids in.
    async fn patients_page(
        &self,
        after: Option<PatientId>,
        limit: u32,
    ) -> Result<Vec<PatientRow>, ViewsError>;

    /// Patients who meet all criteria, by id.
    async fn search_patients(
        &self,
        criteria: &PatientCriteria,
        after: Option<PatientId>,
        limit: u32,
    ) -> Result<Vec<PatientRow>, ViewsError>;

    /// A practitioner.
    async fn practitioner(&self, id: PractitionerId) -> Result<Option<PractitionerRow>, ViewsError>;

    /// Practitioners by id.
    async fn practitioners_page(
        &self,
        after: Option<PractitionerId>,
        limit: u32,
    ) -> Result<Vec<PractitionerRow>, ViewsError>;

    /// A location.
    async fn location(&self, id: LocationId) -> Result<Option<LocationRow>, ViewsError>;

    /// Locations by id.
    async fn locations_page(
        &self,
        after: Option<LocationId>,
        limit: u32,
    ) -> Result<Vec<LocationRow>, ViewsError>;

    /// A booking.
    async fn appointment(&self, id: AppointmentId) -> Result<Option<AppointmentView>, ViewsError>;

    /// A practitioner's bookings on a date of their locations' walls, in every status.
    async fn appointments_of_day(
        &self,
        practitioner_id: PractitionerId,
        local_date: NaiveDate,
        after: Option<AppointmentCursor>,
        limit: u32,
    ) -> Result<Vec<AppointmentView>, ViewsError>;

    /// A patient's bookings, in every status.
    async fn appointments_of_patient(
        &self,
        patient_id: PatientId,
        after: Option<AppointmentCursor>,
        limit: u32,
    ) -> Result<Vec<AppointmentView>, ViewsError>;

    /// A conversation.
    async fn thread(&self, id: ThreadId) -> Result<Option<ThreadView>, ViewsError>;

    /// The conversations someone takes part in.
    async fn threads_of(
        &self,
        participant: Participant,
        after: Option<ThreadCursor>,
        limit: u32,
    ) -> Result<Vec<ThreadView>, ViewsError>;

    /// A message.
    async fn message(&self, id: MessageId) -> Result<Option<MessageRow>, ViewsError>;

    /// A conversation's messages in the order they were sent, after a [`sequence`](MessageRow::sequence).
    async fn messages_of(
        &self,
        thread_id: ThreadId,
        after_sequence: Option<u64>,
        limit: u32,
    ) -> Result<Vec<MessageRow>, ViewsError>;
}
