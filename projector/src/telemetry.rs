//! What a projector lets its operators see: how far it is behind, how it works, what it could not read.

use std::collections::BTreeMap;

use praxis_event_store::bus::{BusContent, BusMessage};
use praxis_read_models::views::Checkpoint;

/// How many events of the log lie between a partition's rows and what the feed has told of.
pub(crate) fn lag(generation: u32, checkpoints: &BTreeMap<u32, Checkpoint>, heard_of: &BTreeMap<u32, u64>) {
    for (partition, position) in heard_of {
        let Some(checkpoint) = checkpoints.get(partition) else {
            continue;
        };
        let events = position.saturating_sub(checkpoint.position);
        metrics::gauge!(
            "praxis_projection_lag_events",
            "generation" => generation.to_string(), "partition" => partition.to_string()
        )
        .set(approximate(events));
    }
}

/// One batch was committed.
pub(crate) fn batch(generation: u32, events: usize) {
    metrics::histogram!("praxis_projection_batch_events", "generation" => generation.to_string())
        .record(approximate(u64::try_from(events).unwrap_or(u64::MAX)));
}

/// How long events took from their commit in the log to their visibility in the rows.
pub(crate) fn delay(generation: u32, messages: &[BusMessage], now_micros: i64) {
    let delay =
        metrics::histogram!("praxis_projection_delay_seconds", "generation" => generation.to_string());
    for message in messages {
        if let BusContent::Event(event) = &message.content {
            let micros = u64::try_from(now_micros.saturating_sub(event.recorded_at)).unwrap_or_default();
            delay.record(approximate(micros) / 1e6);
        }
    }
}

/// How many streams are parked.
pub(crate) fn parked_streams(generation: u32, streams: u64) {
    metrics::gauge!("praxis_projection_parked_streams", "generation" => generation.to_string())
        .set(approximate(streams));
}

/// A batch changed nothing, because another projector had moved a checkpoint.
pub(crate) fn superseded(generation: u32) {
    metrics::counter!("praxis_projection_superseded_total", "generation" => generation.to_string())
        .increment(1);
}

/// The loop begins again after something could not be reached.
pub(crate) fn interrupted(generation: u32) {
    metrics::counter!("praxis_projection_interruptions_total", "generation" => generation.to_string())
        .increment(1);
}

/// A metric's number: exact up to 2^32, and saturated there, which no count of these reaches while it is of interest.
fn approximate(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
