//! Are spans exported under the ids our own code gives?

use std::sync::Mutex;
use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::Span;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
const CALLER: &str = "53995c3f42cd8ad8";

#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for Kept {
    fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.lock().unwrap().push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn exported(act: impl FnOnce()) -> Vec<SpanData> {
    let kept = Kept::default();
    let exporter = Exporter {
        processor: Arc::new(kept.clone()),
    };
    tracing::subscriber::with_default(Registry::default().with(layer(exporter)), act);
    kept.0.lock().unwrap().clone()
}

#[test]
fn a_request_keeps_the_ids_given_to_it_and_its_parts_hang_below_it() {
    let spans = exported(|| {
        let request = tracing::info_span!(
            "request",
            trace_id = TRACE,
            span_id = SPAN,
            parent_span_id = tracing::field::Empty
        );
        request.record("parent_span_id", CALLER);
        request.in_scope(|| tracing::info_span!("append", position = 7_u64).in_scope(|| ()));
    });
    let [append, request] = &spans[..] else {
        panic!("{} spans", spans.len())
    };
    assert_eq!(request.span_context.trace_id(), TraceId::from_hex(TRACE).unwrap());
    assert_eq!(request.span_context.span_id(), SpanId::from_hex(SPAN).unwrap());
    assert_eq!(request.parent_span_id, SpanId::from_hex(CALLER).unwrap());
    assert_eq!(append.span_context.trace_id(), request.span_context.trace_id());
    assert_eq!(append.parent_span_id, request.span_context.span_id());
    assert_eq!(append.attributes, [KeyValue::new("position", 7_i64)]);
    assert_eq!(
        (append.name.as_ref(), request.name.as_ref()),
        ("append", "request")
    );
    assert!(append.start_time >= request.start_time && append.end_time <= request.end_time);
}

#[test]
fn spans_outside_any_trace_are_not_exported() {
    assert!(exported(|| tracing::info_span!("start").in_scope(|| ())).is_empty());
}

#[test]
fn a_trace_its_caller_does_not_sample_is_not_exported() {
    let spans = exported(|| {
        let request = tracing::info_span!("request", trace_id = TRACE, span_id = SPAN, trace_flags = 0_u8);
        request.in_scope(|| tracing::info_span!("append").in_scope(|| ()));
    });
    assert!(spans.is_empty());
}

#[test]
fn values_recorded_later_become_attributes_up_to_the_limit() {
    let spans = exported(|| {
        let request = tracing::info_span!(
            "request",
            trace_id = TRACE,
            span_id = SPAN,
            n = tracing::field::Empty
        );
        for number in 0..=ATTRIBUTES_MAX {
            request.record("n", u64::try_from(number).unwrap());
        }
    });
    assert_eq!(spans[0].attributes.len(), ATTRIBUTES_MAX);
    assert_eq!(spans[0].dropped_attributes_count, 1);
}
