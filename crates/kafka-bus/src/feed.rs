//! How does a projector get its events from Kafka?
//!
//! The group protocol only shares partitions out. What was applied is known by the checkpoints in the read database,
//! and the projector's rule over `prev` and position judges every message, so committed offsets are a mere hint, and
//! repeating, skipping and beginning anew are all harmless (`docs/adr/0020-kafka-consumption.md`).

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use praxis_event_store::bus::BusMessage;
use praxis_event_store::feed::{EventFeed, FeedError};
use rdkafka::Message as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _};

use crate::envelope::{Arrived, Unreadable, open};
use crate::settings::KafkaSettings;
use crate::topic::{self, TopicError};

mod consumer;
mod pending;

use consumer::Member;
use pending::Pending;

/// Messages looked at for one hand-over, needless watermarks and unreadable ones included.
const LOOKED_AT_MAX: usize = 20_000;
/// Bytes of payload and metadata in one hand-over; exceeded by one event at most.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// Every partition has a watermark each second, so this silence is looked into.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// Silences in a row without a partition, after which a member joins anew. Where there are more members than partitions
/// one has none for good, and joining again costs it nothing; so much longer than a rebalance takes is enough.
const SILENCES_WITHOUT_PARTITION_MAX: u32 = 3;
/// How long [`KafkaFeed::close`] waits for the group to be left.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(8);

/// What a message from Kafka says.
pub(crate) fn open_message(
    message: &BorrowedMessage<'_>,
    partitions: NonZeroU32,
) -> Result<BusMessage, Unreadable> {
    let partition = u32::try_from(message.partition()).map_err(|_| Unreadable::Header("partition"))?;
    let headers: Vec<(&str, &[u8])> = message
        .headers()
        .map(|headers| {
            headers
                .iter()
                .filter_map(|header| Some((header.key, header.value?)))
                .collect()
        })
        .unwrap_or_default();
    let arrived = Arrived {
        partition,
        headers: &headers,
        value: message.payload().unwrap_or_default(),
    };
    open(arrived, partitions)
}

/// How the members of a group share the partitions out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupProtocol {
    /// KIP-848: the broker assigns, incrementally. Needs Apache Kafka 4.0. A member that died keeps its partitions for
    /// the broker's `group.consumer.session.timeout.ms` (45 s unless set).
    #[default]
    Consumer,
    /// The protocol before it, with cooperative rebalancing; a member that died keeps its partitions for 10 s.
    Classic,
}

/// The feed of one projector loop: a member of one consumer group.
pub struct KafkaFeed {
    settings: KafkaSettings,
    group: String,
    protocol: GroupProtocol,
    /// None from a fatal error until the next call.
    member: Option<Member>,
    pending: Pending,
    /// Of each partition, the offset after the last message that came.
    come: BTreeMap<u32, i64>,
    /// The same as of the last hand-over.
    handed_over: BTreeMap<u32, i64>,
    /// Where partitions ended when nothing had come for a while, and nothing has since.
    silent_ends: BTreeMap<u32, i64>,
    /// Silences in a row in which this member had no partition.
    silences_without_partition: u32,
    silence_max: Duration,
    /// An error that came behind messages, for the next call.
    held_back: Option<FeedError>,
}

impl KafkaFeed {
    /// Joins the group; the topic is made if it is not there.
    ///
    /// # Errors
    /// [`TopicError`] if Kafka does not answer, or the topic has another number of partitions.
    pub async fn open(
        settings: KafkaSettings,
        group: impl Into<String> + Send,
        protocol: GroupProtocol,
    ) -> Result<Self, TopicError> {
        let group = group.into();
        // Told before they happen: a counter that appears with its first fault has no increase that could alarm.
        for counter in [
            "praxis_feed_messages_unreadable_total",
            "praxis_feed_reopened_total",
        ] {
            metrics::counter!(counter).increment(0);
        }
        topic::ensure(&settings).await?;
        let member = Member::join(&settings, &group, protocol).map_err(TopicError::Unavailable)?;
        Ok(Self {
            settings,
            group,
            protocol,
            member: Some(member),
            pending: Pending::default(),
            come: BTreeMap::new(),
            handed_over: BTreeMap::new(),
            silent_ends: BTreeMap::new(),
            silences_without_partition: 0,
            silence_max: SILENCE_MAX,
            held_back: None,
        })
    }

    /// How many partitions the topic has.
    pub const fn partitions(&self) -> NonZeroU32 {
        self.settings.topic.partitions
    }

    /// The partitions this member has now, in order. They change only inside [`EventFeed::next`], and
    /// messages of a partition that was taken away are not handed out any more.
    pub fn assigned(&self) -> Vec<u32> {
        self.member
            .as_ref()
            .map(|member| member.assignment().partitions.iter().copied().collect())
            .unwrap_or_default()
    }

    /// Commits the places stored, and leaves the group so that others take over at once. Returns after 8 s at the
    /// latest; without a broker the rest is left to a thread that ends with the process.
    pub async fn close(mut self) {
        let left = self.member.take().and_then(Member::leave);
        let Some(left) = left else { return };
        if tokio::time::timeout(CLOSE_TIME_MAX, left).await.is_err() {
            tracing::warn!(
                "consumer group was not left in time; its partitions wait for the session to lapse"
            );
        }
    }

    /// Takes what has come already, up to the limits. Never waits: whoever drops `next` loses nothing.
    fn take_waiting(&mut self, member: &Member, messages_max: usize) {
        for _ in 0..LOOKED_AT_MAX {
            if self.pending.len() >= messages_max || self.pending.byte_count() >= BYTES_MAX {
                break;
            }
            match member.stream().recv().now_or_never() {
                None => break,
                Some(Ok(message)) => {
                    self.forget_revoked(member);
                    if let Err(error) = self.take_message(&message) {
                        self.held_back = Some(error);
                        break;
                    }
                }
                Some(Err(error)) => {
                    self.held_back = self.judge(error);
                    if self.held_back.is_some() {
                        break;
                    }
                }
            }
        }
        self.forget_revoked(member);
    }

    /// Passes over the errors that wait behind one that is reported, up to the next message. An outage leaves one for
    /// every attempt to connect, and a caller that pauses after each would still be hearing of it minutes after its end.
    fn take_errors(&mut self, member: &Member) -> Result<(), FeedError> {
        for _ in 0..LOOKED_AT_MAX {
            match member.stream().recv().now_or_never() {
                None => break,
                Some(Ok(message)) => return self.take_message(&message),
                Some(Err(error)) => drop(self.judge(error)),
            }
        }
        Ok(())
    }

    fn take_message(&mut self, message: &BorrowedMessage<'_>) -> Result<(), FeedError> {
        let partition =
            u32::try_from(message.partition()).map_err(|_| FeedError::Corrupt("partition is negative"))?;
        match open_message(message, self.settings.topic.partitions) {
            Ok(said) => self.pending.push(said),
            Err(Unreadable::OtherPartitions) => {
                return Err(FeedError::Corrupt(
                    "message was sent for another number of partitions",
                ));
            }
            Err(Unreadable::Header(header)) => {
                metrics::counter!("praxis_feed_messages_unreadable_total").increment(1);
                tracing::warn!(
                    partition,
                    offset = message.offset(),
                    header,
                    "message cannot be read; passed over"
                );
            }
        }
        self.come.insert(partition, message.offset() + 1);
        Ok(())
    }

    /// What belongs to another consumer now is not ours to apply.
    fn forget_revoked(&mut self, member: &Member) {
        let revoked = std::mem::take(&mut member.assignment().revoked);
        if !revoked.is_empty() {
            self.pending.discard(&revoked);
            self.come.retain(|partition, _| !revoked.contains(partition));
            self.handed_over
                .retain(|partition, _| !revoked.contains(partition));
        }
    }

    /// Whether the caller needs to hear of an error; librdkafka goes on by itself after most.
    fn judge(&mut self, error: KafkaError) -> Option<FeedError> {
        use RDKafkaErrorCode as Code;
        match &error {
            KafkaError::MessageConsumptionFatal(_) => {
                tracing::error!(error = %error, "consumer cannot go on; another takes its place");
                self.begin_anew();
            }
            KafkaError::MessageConsumption(
                Code::AllBrokersDown
                | Code::UnknownTopicOrPartition
                | Code::UnknownTopic
                | Code::UnknownPartition
                | Code::Authentication
                | Code::SaslAuthenticationFailed
                | Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::UnsupportedVersion,
            ) => {}
            _ => {
                tracing::debug!(error = %error, "consumer recovers by itself");
                return None;
            }
        }
        Some(FeedError::Unavailable(Box::new(error)))
    }

    /// Drops the consumer, which leaves the group; the next call joins with a new one.
    fn begin_anew(&mut self) {
        metrics::counter!("praxis_feed_reopened_total").increment(1);
        self.member = None;
        self.come.clear();
        self.handed_over.clear();
        self.silent_ends.clear();
        self.silences_without_partition = 0;
    }

    /// Nothing came for a while: is there nothing, or does it not come? It does not if a partition ends elsewhere than
    /// it was read to, or than it did a silence ago; nor if this member has no partition at all. Others may have them
    /// all. Or it was put out of the group while the broker was away, and librdkafka does not join again: seen when a
    /// broker was frozen for ten seconds.
    async fn look_into_silence(&mut self, member: Member) -> Result<(), FeedError> {
        let looked = tokio::task::spawn_blocking(move || member.ends_blocking()).await;
        let ends = looked
            .unwrap_or(Err(KafkaError::Canceled))
            .map_err(|error| FeedError::Unavailable(Box::new(error)))?;
        if ends.is_empty() {
            self.silences_without_partition += 1;
            if self.silences_without_partition >= SILENCES_WITHOUT_PARTITION_MAX {
                tracing::warn!("no partition was assigned for long; joining the group anew");
                self.begin_anew();
            }
            return Ok(());
        }
        self.silences_without_partition = 0;
        let expected = |partition| {
            self.come
                .get(partition)
                .or_else(|| self.silent_ends.get(partition))
        };
        if ends
            .iter()
            .any(|(partition, end)| expected(partition).is_some_and(|expected| expected != end))
        {
            tracing::warn!("messages are there and do not come; joining the group anew");
            self.begin_anew();
        } else {
            self.silent_ends = ends;
        }
        Ok(())
    }

    fn member(&mut self) -> Result<Member, FeedError> {
        if let Some(member) = &self.member {
            return Ok(member.clone());
        }
        let member = Member::join(&self.settings, &self.group, self.protocol)
            .map_err(|error| FeedError::Unavailable(Box::new(error)))?;
        self.member = Some(member.clone());
        Ok(member)
    }
}

#[async_trait]
impl EventFeed for KafkaFeed {
    /// To be called at least every five minutes: rebalances happen inside, and a member that is not heard of for
    /// longer loses its partitions until its next call.
    async fn next(&mut self, messages_max: usize) -> Result<Vec<BusMessage>, FeedError> {
        loop {
            if let Some(error) = self.held_back.take() {
                return Err(error);
            }
            let member = self.member()?;
            self.forget_revoked(&member);
            // What came behind an error of the call before.
            if self.pending.len() > 0 {
                self.handed_over.clone_from(&self.come);
                return Ok(self.pending.take());
            }
            match tokio::time::timeout(self.silence_max, member.stream().recv()).await {
                Err(_) => self.look_into_silence(member).await?,
                Ok(Err(error)) => {
                    if let Some(error) = self.judge(error) {
                        self.take_errors(&member)?;
                        return Err(error);
                    }
                }
                // From here on nothing waits.
                Ok(Ok(message)) => {
                    self.silent_ends.clear();
                    self.forget_revoked(&member);
                    self.take_message(&message)?;
                    drop(message);
                    self.take_waiting(&member, messages_max);
                    self.handed_over.clone_from(&self.come);
                    let messages = self.pending.take();
                    if !messages.is_empty() {
                        return Ok(messages);
                    }
                }
            }
        }
    }

    async fn applied(&mut self) -> Result<(), FeedError> {
        if let Some(member) = &self.member
            && !self.handed_over.is_empty()
        {
            member.store_offsets(&std::mem::take(&mut self.handed_over));
        }
        Ok(())
    }
    async fn close(self: Box<Self>) {
        // The inherent method, which leaves the group.
        KafkaFeed::close(*self).await;
    }
}

#[cfg(test)]
mod tests;
