//! Does a request's trace go on in the projector: for events that are new, and not without bound.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use praxis_testkit::history::history;
use tokio_util::sync::CancellationToken;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::World;
use crate::support::feeds::ScriptedFeed;
use crate::support::log::MemoryLog;

const END: u64 = 400;
const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID: &str = "b7ad6b7169203331";

/// The fields of every span of this thread, as text.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<BTreeMap<&'static str, String>>>>);

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}").replace('"', ""));
    }
}

impl Subscriber for Spans {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields(BTreeMap::from([(
            "name",
            attributes.metadata().name().to_owned(),
        )]));
        attributes.record(&mut fields);
        self.0.lock().expect("not poisoned").push(fields.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The spans of a projector that applies a log whose events at these positions belong to traced requests.
async fn spans(traced: impl Fn(u64) -> bool, now_micros: fn() -> i64) -> Vec<BTreeMap<&'static str, String>> {
    let mut events = history(5, 400);
    for event in events.iter_mut().filter(|event| traced(event.position)) {
        event.metadata.trace_id = Some(TRACE_ID.to_owned());
        event.metadata.span_id = Some(SPAN_ID.to_owned());
    }
    let world = World::new(MemoryLog::of(&events), 3);
    let messages = world.relayed(&world.log.stored());
    let (mut projection, mut moved) = world.projection();
    projection.now_micros = now_micros;
    let spans = Spans::default();
    let _listening = tracing::subscriber::set_default(spans.clone());
    let stop = CancellationToken::new();
    let applied = async {
        moved
            .wait_for(|position| *position == END)
            .await
            .expect("it runs");
        stop.cancel();
    };
    let mut feed = ScriptedFeed::of([messages], Vec::new());
    let (ended, ()) = tokio::join!(projection.run(&mut feed, &stop), applied);
    ended.expect("it was told to stop");
    let mut of_events = spans.0.lock().expect("not poisoned").clone();
    of_events.retain(|span| span["name"] == "project");
    of_events
}

#[tokio::test]
async fn the_trace_of_a_request_goes_on_where_its_event_is_applied() {
    let spans = spans(|position| position == 17, || 0).await;
    assert_eq!(spans.len(), 1);
    let of = |name: &str| spans[0].get(name).map(String::as_str);
    assert_eq!(of("trace_id"), Some(TRACE_ID));
    assert_eq!(of("parent_span_id"), Some(SPAN_ID));
    assert_eq!((of("position"), of("generation")), (Some("17"), Some("1")));
}

#[tokio::test]
async fn a_trace_that_is_long_over_does_not_go_on() {
    assert!(spans(|_| true, || i64::MAX).await.is_empty());
}

#[tokio::test]
async fn a_batch_has_a_hundred_spans_at_most() {
    assert_eq!(spans(|_| true, || 0).await.len(), 100);
}
