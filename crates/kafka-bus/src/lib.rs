//! How events travel through Kafka: the topic, the producer behind the relay, the consumer behind the projector.
//!
//! The only library crate that knows of rdkafka. What a message looks like is said once, in [`envelope`], and for
//! everyone else in `events/asyncapi.yaml`; why it is consumed as it is, in `docs/adr/0020-kafka-consumption.md`.
//!
//! **Invariant:** nothing here is the truth. A message may be lost, repeated, late or unreadable, the topic may be
//! deleted, and no read model is wrong for it: each message names the position before it, and the log has the rest.

pub mod envelope;
pub mod feed;
pub mod probe;
pub mod publisher;
pub mod settings;
pub mod topic;

mod client;
mod ends;
