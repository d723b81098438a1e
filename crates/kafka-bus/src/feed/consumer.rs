//! One member of the consumer group: what it is configured with, which partitions it has, whether it is stuck.
//!
//! The context never holds the consumer (rust-rdkafka pull request 636 tells of the cycles and deadlocks of those who
//! did): its callbacks, which run inside `poll`, only note what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance, StreamConsumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::GroupProtocol;
use crate::client::{EndsElsewhere, as_f64, write_fault, write_log, write_round_trips};
use crate::settings::KafkaSettings;

/// A look at a partition's end that takes longer is given up.
const LOOK_TIME_MAX: Duration = Duration::from_secs(2);

/// What rebalances did, as noted by the callbacks.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    /// The partitions this member has.
    pub(super) partitions: BTreeSet<u32>,
    /// Those taken away since someone last looked.
    pub(super) revoked: Vec<u32>,
}

pub(super) struct Context {
    topic: String,
    /// For metrics: each generation of read models has a feed, and a group, of its own.
    group: String,
    assignment: Mutex<Assignment>,
}

impl Context {
    pub(super) fn assignment(&self) -> MutexGuard<'_, Assignment> {
        // Nothing that holds this lock can panic.
        self.assignment.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_topic(&self, list: &TopicPartitionList) -> Vec<u32> {
        let elements = list.elements_for_topic(&self.topic);
        elements
            .iter()
            .filter_map(|element| u32::try_from(element.partition()).ok())
            .collect()
    }

    fn note_assigned(&self, partitions: Vec<u32>) {
        tracing::info!(?partitions, "partitions assigned");
        let mut assignment = self.assignment();
        assignment.partitions.extend(partitions);
        self.tell_assigned(&assignment);
    }

    /// Another member tells the lag of what was taken away.
    fn note_revoked(&self, partitions: Vec<u32>) {
        tracing::info!(?partitions, "partitions revoked");
        let mut assignment = self.assignment();
        for partition in &partitions {
            assignment.partitions.remove(partition);
            self.tell_lag(*partition, 0);
        }
        assignment.revoked.extend(partitions);
        self.tell_assigned(&assignment);
    }

    /// Of partitions of this member; librdkafka knows others too, and a negative lag is one it does not know.
    fn note_lags(&self, lags: impl Iterator<Item = (i32, i64)>) {
        let assignment = self.assignment();
        for (partition, messages) in lags {
            let known = u32::try_from(partition).ok().zip(u64::try_from(messages).ok());
            if let Some((partition, messages)) = known
                && assignment.partitions.contains(&partition)
            {
                self.tell_lag(partition, messages);
            }
        }
    }

    fn tell_assigned(&self, assignment: &Assignment) {
        let count = u64::try_from(assignment.partitions.len()).unwrap_or(u64::MAX);
        metrics::gauge!("praxis_feed_partitions_assigned", "group" => self.group.clone()).set(as_f64(count));
    }

    fn tell_lag(&self, partition: u32, messages: u64) {
        metrics::gauge!(
            "praxis_kafka_consumer_lag_messages",
            "group" => self.group.clone(), "partition" => partition.to_string()
        )
        .set(as_f64(messages));
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        write_log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        write_fault("consumer", &error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        write_round_trips("consumer", &statistics);
        if let Some(topic) = statistics.topics.get(&self.topic) {
            let figures = topic.partitions.iter();
            self.note_lags(figures.map(|(partition, figures)| (*partition, figures.consumer_lag)));
        }
    }
}

impl ConsumerContext for Context {
    fn post_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => self.note_assigned(self.of_topic(list)),
            Rebalance::Revoke(list) => self.note_revoked(self.of_topic(list)),
            Rebalance::Error(error) => tracing::warn!(error = %error, "rebalance failed"),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        match result {
            // Nothing new to commit.
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            // Only a hint is lost.
            Err(error) => tracing::debug!(error = %error, "offsets not committed"),
        }
    }
}

/// A subscribed consumer.
#[derive(Clone)]
pub(super) struct Member {
    consumer: Arc<EndsElsewhere<StreamConsumer<Context>>>,
}

impl Member {
    pub(super) fn join(
        settings: &KafkaSettings,
        group: &str,
        protocol: GroupProtocol,
    ) -> Result<Self, KafkaError> {
        let mut config = settings.client_config("praxis-projector");
        config
            .set("group.id", group)
            // Committed offsets are a hint where to begin. The checkpoint says what was applied.
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.offset.store", "false")
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "2000")
            .set("check.crcs", "true")
            // After a full queue or an error the next fetch follows soon (1 s and 500 ms by default).
            .set("fetch.queue.backoff.ms", "20")
            .set("fetch.error.backoff.ms", "100")
            .set("queued.max.messages.kbytes", "16384");
        match protocol {
            GroupProtocol::Consumer => config.set("group.protocol", "consumer"),
            GroupProtocol::Classic => config
                .set("group.protocol", "classic")
                .set("partition.assignment.strategy", "cooperative-sticky")
                .set("session.timeout.ms", "10000")
                .set("heartbeat.interval.ms", "1000"),
        };
        let topic = settings.topic.name.as_str();
        let context = Context {
            topic: topic.to_owned(),
            group: group.to_owned(),
            assignment: Mutex::default(),
        };
        let consumer: StreamConsumer<Context> = config.create_with_context(context)?;
        consumer.subscribe(&[topic])?;
        Ok(Self {
            consumer: Arc::new(EndsElsewhere::new(consumer)),
        })
    }

    pub(super) fn stream(&self) -> &StreamConsumer<Context> {
        &self.consumer
    }

    fn topic(&self) -> &str {
        &self.consumer.context().topic
    }

    pub(super) fn assignment(&self) -> MutexGuard<'_, Assignment> {
        self.consumer.context().assignment()
    }

    /// Remembers these offsets (of the next message wanted) as the place to begin at; sent to Kafka in the background.
    pub(super) fn store_offsets(&self, next: &BTreeMap<u32, i64>) {
        let mut list = TopicPartitionList::with_capacity(next.len());
        for (partition, offset) in next {
            let added = i32::try_from(*partition)
                .map(|partition| list.add_partition_offset(self.topic(), partition, Offset::Offset(*offset)));
            if !matches!(added, Ok(Ok(()))) {
                tracing::debug!(partition, offset, "offset cannot be stored");
            }
        }
        if let Err(error) = self.consumer.store_offsets(&list) {
            // A partition that was revoked meanwhile; its new owner has its own place.
            tracing::debug!(error = %error, "offsets not stored");
        }
    }

    /// Where each of this member's partitions ends. Errors when the broker does not answer. Blocks.
    pub(super) fn ends_blocking(&self) -> Result<BTreeMap<u32, i64>, KafkaError> {
        let assigned = self.assignment().partitions.clone();
        let end = |partition: u32| {
            let number = i32::try_from(partition).unwrap_or(i32::MAX);
            let (_, end) = self
                .consumer
                .fetch_watermarks(self.topic(), number, LOOK_TIME_MAX)?;
            Ok((partition, end))
        };
        assigned.into_iter().map(end).collect()
    }

    /// Leaves the group. `None` while something else still uses the consumer.
    pub(super) fn leave(self) -> Option<tokio::sync::oneshot::Receiver<()>> {
        Arc::into_inner(self.consumer).map(EndsElsewhere::end)
    }
}

#[cfg(test)]
mod tests;
