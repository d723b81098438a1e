//! How is a log line written?

use std::panic;

use tracing::Subscriber;
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::config::values::{LogFilter, LogFormat};

pub(crate) fn filter(filter: &LogFilter) -> Result<EnvFilter, ParseError> {
    EnvFilter::try_new(&filter.0)
}

/// Writes events in that form, each with the fields of the span it happened in.
pub(crate) fn layer<S, W>(format: LogFormat, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    match format {
        LogFormat::Json => {
            let json = fmt::layer()
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_span_list(false);
            json.with_writer(writer).boxed()
        }
        LogFormat::Text => fmt::layer().with_ansi(false).with_writer(writer).boxed(),
    }
}

/// Logs where a panic happened. Its message is left out: it may quote personal data.
pub(crate) fn set_panic_hook() {
    panic::set_hook(Box::new(|info| {
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        tracing::error!(location, thread = thread.name().unwrap_or("unnamed"), "panicked");
    }));
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, act: impl FnOnce()) -> String {
        let page = Page::default();
        let pen = page.clone();
        let filter = filter(&LogFilter("info".to_owned())).unwrap();
        let layers = Registry::default()
            .with(filter)
            .with(layer(format, move || pen.clone()));
        tracing::subscriber::with_default(layers, act);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_json_line_has_its_own_fields_and_those_of_its_span() {
        let text = written(LogFormat::Json, || {
            let span = tracing::info_span!("request", correlation_id = "c-1");
            span.in_scope(|| tracing::info!(position = 7, "appended"));
        });
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "appended");
        assert_eq!(line["position"], 7);
        assert_eq!(line["span"]["correlation_id"], "c-1");
        assert_eq!(line["level"], "INFO");
        assert!(line["timestamp"].is_string());
    }

    #[test]
    fn a_text_line_has_them_too() {
        let text = written(LogFormat::Text, || {
            let span = tracing::info_span!("request", correlation_id = "c-1");
            span.in_scope(|| tracing::info!(position = 7, "appended"));
        });
        assert!(
            text.contains("correlation_id=\"c-1\"") && text.contains("appended position=7"),
            "{text}"
        );
    }

    #[test]
    fn what_the_filter_leaves_out_is_not_written() {
        assert_eq!(written(LogFormat::Json, || tracing::debug!("aside")), "");
    }

    #[test]
    fn a_panic_is_logged_by_its_place_and_not_by_its_words() {
        let text = written(LogFormat::Json, || {
            let before = panic::take_hook();
            set_panic_hook();
            let caught = panic::catch_unwind(|| panic!("Marker"));
            panic::set_hook(before);
            assert!(caught.is_err());
        });
        assert!(!text.contains("Marker"), "{text}");
        let line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert!(line["location"].as_str().unwrap().contains("logs.rs"), "{text}");
    }
}
