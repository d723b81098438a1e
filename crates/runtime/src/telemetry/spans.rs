//! Which spans are exported, and under which ids?
//!
//! The ids are those our own code gives: a span with the fields `trace_id` and `span_id` (and perhaps
//! `parent_span_id`, `trace_flags`) begins our part of a trace, so that logs, events, Kafka headers and traces agree.
//! Spans within it get ids here. Spans outside any trace, and of traces whose caller does not sample, are not exported.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::{clock, ids};

/// Most attributes of a span.
const ATTRIBUTES_MAX: usize = 32;

/// Hands finished spans on, in batches, from a thread of its own; when its queue is full, spans are dropped.
#[derive(Clone)]
pub struct Exporter {
    processor: Arc<dyn SpanProcessor>,
}

impl Exporter {
    pub(crate) fn new(processor: BatchSpanProcessor) -> Self {
        Self {
            processor: Arc::new(processor),
        }
    }

    /// Sends what waits, and ends.
    pub fn shut_down(&self) {
        if let Err(error) = self.processor.shutdown() {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter")
    }
}

/// The layer that gives spans to that exporter.
pub fn layer(exporter: Exporter) -> SpanLayer {
    SpanLayer { exporter }
}

/// See [`layer`].
#[derive(Debug)]
pub struct SpanLayer {
    exporter: Exporter,
}

/// What is kept of a span while it is open.
#[derive(Clone)]
struct OpenSpan {
    trace_id: TraceId,
    span_id: SpanId,
    parent: SpanId,
    begins_here: bool,
    started: SystemTime,
    attributes: Vec<KeyValue>,
    dropped: u32,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent = span
            .parent()
            .and_then(|parent| parent.extensions().get::<OpenSpan>().cloned());
        if let Some(open) = fields.open(parent.as_ref()) {
            span.extensions_mut().insert(open);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        let Some(open) = extensions.get_mut::<OpenSpan>() else {
            return;
        };
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(parent) = fields.parent_span_id {
            open.parent = parent;
        }
        open.add(fields.attributes);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(open) = span.extensions_mut().remove::<OpenSpan>() else {
            return;
        };
        self.exporter.processor.on_end(open.close(span.name()));
    }
}

impl OpenSpan {
    fn add(&mut self, attributes: Vec<KeyValue>) {
        for attribute in attributes {
            if self.attributes.len() < ATTRIBUTES_MAX {
                self.attributes.push(attribute);
            } else {
                self.dropped = self.dropped.saturating_add(1);
            }
        }
    }

    fn close(self, name: &'static str) -> SpanData {
        let flags = TraceFlags::SAMPLED;
        SpanData {
            span_context: SpanContext::new(self.trace_id, self.span_id, flags, false, TraceState::NONE),
            parent_span_id: self.parent,
            parent_span_is_remote: self.begins_here,
            span_kind: if self.begins_here {
                SpanKind::Server
            } else {
                SpanKind::Internal
            },
            name: Cow::Borrowed(name),
            start_time: self.started,
            end_time: clock::system_now(),
            attributes: self.attributes,
            dropped_attributes_count: self.dropped,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::builder("praxis").build(),
        }
    }
}

/// The fields of a span, the ids of its trace apart from the rest.
#[derive(Default)]
struct Fields {
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    parent_span_id: Option<SpanId>,
    unsampled: bool,
    attributes: Vec<KeyValue>,
}

impl Fields {
    /// The span to keep: one that names its trace, or one within a kept span.
    fn open(self, parent: Option<&OpenSpan>) -> Option<OpenSpan> {
        let begins_here = self.trace_id.is_some();
        if self.unsampled {
            return None;
        }
        let trace_id = self.trace_id.or(parent.map(|parent| parent.trace_id))?;
        let inner_parent = parent.map(|parent| parent.span_id).filter(|_| !begins_here);
        let mut open = OpenSpan {
            trace_id,
            span_id: self.span_id.unwrap_or_else(new_span_id),
            parent: self.parent_span_id.or(inner_parent).unwrap_or(SpanId::INVALID),
            begins_here,
            started: clock::system_now(),
            attributes: Vec::new(),
            dropped: 0,
        };
        open.add(self.attributes);
        Some(open)
    }

    fn text(&mut self, field: &Field, text: String) {
        match field.name() {
            "trace_id" => self.trace_id = TraceId::from_hex(&text).ok(),
            "span_id" => self.span_id = SpanId::from_hex(&text).ok(),
            "parent_span_id" => self.parent_span_id = SpanId::from_hex(&text).ok(),
            name => self.attributes.push(KeyValue::new(name, text)),
        }
    }

    fn value(&mut self, field: &Field, value: impl Into<Value>) {
        self.attributes.push(KeyValue::new(field.name(), value));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "trace_flags" {
            self.unsampled = value & 1 == 0;
        } else {
            match i64::try_from(value) {
                Ok(value) => self.value(field, value),
                Err(_) => self.value(field, value.to_string()),
            }
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.value(field, value);
    }
}

/// A span id of the random half of a new id; its variant bits keep it from being zero.
fn new_span_id() -> SpanId {
    let (_, low) = ids::new_id().as_u64_pair();
    SpanId::from_bytes(low.to_be_bytes())
}

#[cfg(test)]
mod tests;
