//! What a relay lets others see: the roots it logs and the gauges it sets.

use std::fmt::Debug;
use std::sync::{Mutex, Once};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

use super::*;

/// Sizes and roots of the tree, as logged on this thread.
#[derive(Clone, Default)]
pub(super) struct Roots(Arc<Mutex<Vec<(u64, String)>>>);

impl Roots {
    /// To be called before any relay runs. Whether a line is wanted is asked once and remembered for all threads; and
    /// while the process has one listener, only the thread that comes to the line first is asked. One that had none
    /// would silence the line for the thread that listens.
    pub(super) fn leave_no_thread_without_listener() {
        static LEFT: Once = Once::new();
        LEFT.call_once(|| {
            tracing::subscriber::set_global_default(Self::default()).expect("nobody else sets one");
        });
    }

    pub(super) fn listen() -> (Self, DefaultGuard) {
        let roots = Self::default();
        let guard = tracing::subscriber::set_default(roots.clone());
        (roots, guard)
    }

    pub(super) fn logged(&self) -> Vec<(u64, String)> {
        self.0.lock().expect("not poisoned").clone()
    }
}

#[derive(Default)]
struct Line {
    message: String,
    size: u64,
    root: String,
}

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "size" {
            self.size = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "root" {
            value.clone_into(&mut self.root);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "root" => self.root = format!("{value:?}").replace('"', ""),
            _ => {}
        }
    }
}

impl Subscriber for Roots {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        if line.message == "merkle root" {
            self.0.lock().expect("not poisoned").push((line.size, line.root));
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The gauges that were set on this thread.
pub(super) struct Gauges(PrometheusRecorder);

impl Default for Gauges {
    fn default() -> Self {
        Self(PrometheusBuilder::new().build_recorder())
    }
}

impl Gauges {
    pub(super) fn collect(&self) -> metrics::LocalRecorderGuard<'_> {
        metrics::set_default_local_recorder(&self.0)
    }

    pub(super) fn read(&self, name: &str) -> Option<f64> {
        let rendered = self.0.handle().render();
        rendered
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }
}
