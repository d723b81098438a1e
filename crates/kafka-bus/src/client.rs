//! What all clients of librdkafka have in common: where their logs and figures go, and who waits for their end.

use std::ops::Deref;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;

/// The facility under which librdkafka doubts a configuration. It takes `allow.auto.create.topics` for a property that
/// producers ignore, and heeds it; the rest of what we set is fixed and tested.
const DOUBTS: &str = "CONFWARN";

/// What librdkafka tells of itself, for any client.
pub(crate) fn write_log(level: RDKafkaLogLevel, facility: &str, text: &str) {
    match level {
        RDKafkaLogLevel::Warning if facility == DOUBTS => {
            tracing::debug!(facility, "librdkafka: {text}");
        }
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error => {
            tracing::error!(facility, "librdkafka: {text}");
        }
        RDKafkaLogLevel::Warning => tracing::warn!(facility, "librdkafka: {text}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => tracing::info!(facility, "librdkafka: {text}"),
        RDKafkaLogLevel::Debug => tracing::debug!(facility, "librdkafka: {text}"),
    }
}

/// A fault of the whole client, such as a broker that went away. It goes on by itself, so this is no error of ours yet.
pub(crate) fn write_fault(client: &'static str, error: &KafkaError, reason: &str) {
    metrics::counter!("praxis_kafka_client_faults_total", "client" => client).increment(1);
    tracing::warn!(client, error = %error, reason, "kafka client reports a fault");
}

/// The context of clients that need nothing but logs and figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlainContext(pub(crate) &'static str);

impl ClientContext for PlainContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        write_log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        write_fault(self.0, &error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        write_round_trips(self.0, &statistics);
        metrics::gauge!("praxis_kafka_client_queue_messages", "client" => self.0)
            .set(as_f64(statistics.msg_cnt));
    }
}

impl rdkafka::consumer::ConsumerContext for PlainContext {}

/// How long brokers take to answer: the first figure to look at when the relay or the projector lags.
pub(crate) fn write_round_trips(client: &'static str, statistics: &Statistics) {
    const MICROS_PER_SECOND: f64 = 1_000_000.0;
    // Told before there are any: a counter that appears with its first fault has no increase that could alarm.
    metrics::counter!("praxis_kafka_client_faults_total", "client" => client).increment(0);
    for broker in statistics.brokers.values().filter(|broker| broker.nodeid >= 0) {
        if let Some(rtt) = &broker.rtt {
            let broker_id = broker.nodeid.to_string();
            metrics::gauge!("praxis_kafka_broker_rtt_p99_seconds", "client" => client, "broker" => broker_id)
                .set(as_f64(u64::try_from(rtt.p99).unwrap_or(0)) / MICROS_PER_SECOND);
        }
    }
}

/// For gauges, which are floating-point numbers; exact up to 2^32.
pub(crate) fn as_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A client whose end is waited for by a thread of its own: rdkafka's destructors flush and leave groups, which takes
/// from milliseconds to, with brokers gone, a minute, and may not hold up a worker of the async runtime.
pub(crate) struct EndsElsewhere<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> EndsElsewhere<T> {
    pub(crate) const fn new(client: T) -> Self {
        Self(Some(client))
    }

    /// Ends it now; the receiver hears when it is done.
    pub(crate) fn end(mut self) -> tokio::sync::oneshot::Receiver<()> {
        self.end_elsewhere()
    }

    fn end_elsewhere(&mut self) -> tokio::sync::oneshot::Receiver<()> {
        let (done, wait) = tokio::sync::oneshot::channel();
        if let Some(client) = self.0.take() {
            let ended = std::thread::Builder::new()
                .name("kafka-client-end".to_owned())
                .spawn(move || {
                    drop(client);
                    // Nobody may be waiting.
                    let _ = done.send(());
                });
            if let Err(error) = ended {
                tracing::warn!(error = %error, "no thread to end a kafka client; it was ended in place");
            }
        }
        wait
    }
}

impl<T: Send + 'static> Drop for EndsElsewhere<T> {
    fn drop(&mut self) {
        if self.0.is_some() {
            let _done = self.end_elsewhere();
        }
    }
}

impl<T: Send + 'static> Deref for EndsElsewhere<T> {
    type Target = T;

    #[allow(
        clippy::expect_used,
        reason = "the value leaves only when self is consumed or dropped"
    )]
    fn deref(&self) -> &T {
        self.0.as_ref().expect("a client is there until its end")
    }
}
