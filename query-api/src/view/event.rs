//! How an event of a history looks.

use chrono::{DateTime, Utc};
use praxis_event_store::codec::DecodeFault;
use praxis_event_store::port::StoredEvent;
use praxis_events::metadata::{Actor, ActorRole, Metadata, Purpose};
use praxis_events::record_number::RecordNumber;
use praxis_events::recorded::RecordedEvent;
use praxis_http_kit::position::EpochPosition;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Access;

/// Something that happened to a record.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
pub struct EventView {
    /// Its place in the log, as `Praxis-Position` writes it; `as_of` takes it.
    #[schema(example = "1-42")]
    pub position: String,
    /// The record's version with it, from 1.
    #[schema(example = 2)]
    pub version: u64,
    /// Its id.
    pub event_id: Uuid,
    /// What kind of event.
    #[serde(rename = "type")]
    #[schema(example = "patient.contact-changed")]
    pub event_type: String,
    /// The version of the schema it was written in. The payload is shown in today's.
    #[schema(example = 1)]
    pub schema_version: u32,
    /// When it was recorded, by the log's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<DateTime<Utc>>,
    /// Who, why, as part of what; absent if the event's metadata cannot be read.
    #[serde(flatten)]
    pub cause: Option<CauseView>,
    /// What was recorded, by name of field. A sealed group is `{"value": …}`, or `"erased"` once its person was,
    /// or `"withheld"` from who may not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Value>,
    /// Why there is no payload, as a code: `newer-version`, `shape`, `box`, `key`. The event stays in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub unreadable: Option<&'static str>,
}

/// Who caused an event, why, and as part of what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CauseView {
    /// Who acted.
    pub actor: ActorView,
    /// What for, by the codes of HL7 v3 `PurposeOfUse`.
    #[schema(value_type = String, example = "HOPERAT")]
    pub purpose: Purpose,
    /// The request, or chain of requests, it belongs to.
    pub correlation_id: Uuid,
    /// The event that made a policy act, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// Why, as a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// When it happened, where the command stated it (an import, a day kept on paper).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<DateTime<Utc>>,
}

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ActorView {
    /// The account.
    pub account_id: Uuid,
    /// The role it acted in; `SYSTEM` is Praxis itself.
    #[schema(value_type = String, example = "STAFF")]
    pub role: ActorRole,
    /// The account it acted for, where it acted for another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Uuid>,
}

impl EventView {
    /// An event as it stands in a log of that epoch, with what came of opening it, to a caller who may read what is
    /// sealed in it or not.
    pub fn new(
        stored: &StoredEvent,
        decoded: Result<RecordedEvent, DecodeFault>,
        epoch: u64,
        sealed: Access,
    ) -> Self {
        let position = EpochPosition {
            epoch,
            position: stored.position,
        };
        let (metadata, payload) = match decoded {
            Ok(event) => {
                let payload = event.event.to_document().map_err(|_| DecodeFault::Shape);
                let labels = event.event.event_type().sealed;
                let payload = payload.map(|payload| match sealed {
                    Access::Granted => payload,
                    Access::Hidden | Access::Refused => without(payload, labels),
                });
                (Some(event.metadata), payload.map(with_check_digit))
            }
            Err(fault) => (serde_json::from_slice(&stored.metadata).ok(), Err(fault)),
        };
        let (payload, unreadable) = match payload {
            Ok(payload) => (Some(payload), None),
            Err(fault) => (None, Some(fault.code())),
        };
        Self {
            position: position.to_string(),
            version: stored.stream_version,
            event_id: stored.event_id,
            event_type: stored.event_type.clone(),
            schema_version: stored.schema_version,
            recorded_at: DateTime::from_timestamp_micros(stored.recorded_at),
            cause: metadata.map(Into::into),
            payload,
            unreadable,
        }
    }
}

/// The payload with its record number as it is shown everywhere: events keep the bare counter.
fn with_check_digit(mut payload: Value) -> Value {
    if let Some(number) = payload.get_mut("record_number")
        && let Some(counter) = number.as_u64()
    {
        *number = Value::String(RecordNumber::new(counter).to_string());
    }
    payload
}

/// The payload with something in the place of each sealed group that is there: what is erased is not told either.
fn without(mut payload: Value, labels: &[&str]) -> Value {
    for label in labels {
        if let Some(group) = payload.get_mut(label).filter(|group| !group.is_null()) {
            *group = Value::String("withheld".to_owned());
        }
    }
    payload
}

/// The payload stays out: it is personal.
impl std::fmt::Debug for EventView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventView")
            .field("position", &self.position)
            .field("event_type", &self.event_type)
            .finish_non_exhaustive()
    }
}

impl From<Metadata> for CauseView {
    fn from(known: Metadata) -> Self {
        Self {
            actor: known.actor.into(),
            purpose: known.purpose,
            correlation_id: known.correlation_id,
            causation_id: known.causation_id.map(Into::into),
            reason_code: known.reason_code,
            occurred_at: known.occurred_at,
        }
    }
}

impl From<Actor> for ActorView {
    fn from(known: Actor) -> Self {
        Self {
            account_id: known.account_id.0,
            role: known.role,
            on_behalf_of: known.on_behalf_of.map(Into::into),
        }
    }
}
