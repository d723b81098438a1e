//! More than is taken: bodies, events, and a queue that is full.

use praxis_command_api::call::{Call, CallKey, KeyOrigin};
use praxis_domain::command::{Command, Decision};
use praxis_domain::context::Context;
use praxis_domain::refusal::Refused;
use praxis_domain::world::World;
use praxis_event_store::append::EVENT_BYTES_MAX;
use praxis_event_store::sequencer::SequencerLimits;
use praxis_events::ids::{AccountId, LocationId, StreamId};
use praxis_events::location::LocationRegistered;
use praxis_events::metadata::{Actor, ActorRole, Purpose};
use praxis_http_kit::code::Code;
use praxis_http_kit::problem::Problem;
use praxis_http_kit::stack::BODY_BYTES_MAX;
use serde_json::json;

use crate::practice::{Drain, Practice, events, new_id, new_log, practice, request, staff};

#[tokio::test]
async fn a_body_over_its_limit_is_refused_and_one_at_it_is_read() {
    let (practice, directory) = practice().await;
    let of = |len: usize| {
        let frame = r#"{"family_name":"a","x":""}"#.len();
        format!(r#"{{"family_name":"a","x":"{}"}}"#, "y".repeat(len - frame))
    };
    let reply = practice
        .send(request("POST /patients", &staff(), &[], of(BODY_BYTES_MAX)))
        .await;
    assert_eq!(reply.faults(), ["body /x unknown-field"]);
    let reply = practice
        .send(request("POST /patients", &staff(), &[], of(BODY_BYTES_MAX + 1)))
        .await;
    reply.assert_problem(413, "payload-too-large");
    assert!(events(&directory).await.is_empty());
}

/// A site with a name of that many characters. No route makes an event so large: their texts and lists are bounded
/// long before; the limit of the log stands behind them.
struct Sprawling {
    location_id: LocationId,
    name_len: usize,
}

impl Command for Sprawling {
    fn target(&self) -> StreamId {
        self.location_id.into()
    }

    fn streams(&self, _: &World) -> Vec<StreamId> {
        vec![self.target()]
    }

    fn decide(&self, _: &World, _: &Context) -> Result<Decision, Refused> {
        let (name, zone) = ("n".repeat(self.name_len), "UTC".to_owned());
        Ok(Decision::event(
            self.location_id,
            LocationRegistered {
                name,
                zone,
                source: None,
            },
        ))
    }
}

fn call() -> Call {
    Call {
        actor: Actor {
            account_id: AccountId(new_id()),
            role: ActorRole::Admin,
            on_behalf_of: None,
        },
        patient_id: None,
        practitioner_id: None,
        purpose: Purpose::Hoperat,
        correlation_id: new_id(),
        trace: None,
        key: CallKey {
            key: [1; 32],
            request: [1; 33],
            other_requests: Vec::new(),
            origin: KeyOrigin::Made,
        },
        if_match: None,
    }
}

#[tokio::test]
async fn an_event_larger_than_the_log_takes_is_refused_as_such() {
    let (practice, directory) = practice().await;
    let sprawling = |name_len| Sprawling {
        location_id: LocationId(new_id()),
        name_len,
    };
    // Metadata and the payload's other fields take less than 1 KiB.
    practice
        .app
        .executor
        .execute(&sprawling(EVENT_BYTES_MAX - 1_024), &call())
        .await
        .unwrap();
    let error = practice
        .app
        .executor
        .execute(&sprawling(EVENT_BYTES_MAX), &call())
        .await
        .unwrap_err();
    assert_eq!(Problem::from(error).code(), Code::EventTooLarge);
    assert_eq!(events(&directory).await.len(), 1);
}

#[tokio::test]
async fn a_full_queue_is_answered_at_once_with_when_to_come_again() {
    let directory = new_log().await;
    let limits = SequencerLimits {
        queue_members_max: 1,
        ..SequencerLimits::default()
    };
    let practice = Practice::open(directory.path(), limits, Drain::Stopped).await;
    let token = staff();
    let register = || practice.post("/patients", &token, json!({ "family_name": "Moreau" }));
    // Nothing is taken from the queue: one of the two waits in it, so the other is the one that answers.
    let reply = tokio::select! {
        reply = register() => reply,
        reply = register() => reply,
    };
    reply.assert_problem(503, "overloaded");
    assert_eq!(reply.headers["retry-after"], "1");
    assert!(events(&directory).await.is_empty());
}

#[tokio::test]
async fn a_full_queue_is_told_by_its_bytes_too() {
    let directory = new_log().await;
    let limits = SequencerLimits {
        queue_bytes_max: 64,
        ..SequencerLimits::default()
    };
    let practice = Practice::open(directory.path(), limits, Drain::Running).await;
    let reply = practice
        .post("/patients", &staff(), json!({ "family_name": "Moreau" }))
        .await;
    reply.assert_problem(503, "overloaded");
}
