//! What a projector lets its operators see: how far it is behind, how it works, what it could not read.

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::time::Duration;

use praxis_event_store::port::LogReader;
use praxis_read_models::views::{Checkpoint, Views};
use tokio::time::{MissedTickBehavior, interval};

/// How often the lag is told.
const LAG_PERIOD: Duration = Duration::from_secs(1);

/// Tells again and again how many events of the log lie behind each partition's rows. It asks log and rows itself: a
/// feed that brings nothing, a broker or a relay that is away, and rows that take nothing show as lag. Of what does not
/// answer, the last answer counts.
pub(crate) async fn tell_lag(generation: u32, reader: &dyn LogReader, views: &dyn Views) -> Infallible {
    let mut period = interval(LAG_PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Told before they happen: a counter that appears with its first fault has no increase that could alarm.
    for counter in [
        "praxis_projection_superseded_total",
        "praxis_projection_interruptions_total",
    ] {
        metrics::counter!(counter, "generation" => generation.to_string()).increment(0);
    }
    let (mut head_position, mut checkpoints) = (None, Vec::<Checkpoint>::new());
    loop {
        period.tick().await;
        if let Ok(head) = reader.head().await {
            head_position = Some(head.position);
        }
        if let Ok(known) = views.checkpoints().await {
            checkpoints = known;
        }
        let Some(head_position) = head_position else {
            continue;
        };
        for checkpoint in &checkpoints {
            let events = head_position.saturating_sub(checkpoint.position);
            lag(generation, checkpoint.partition, events);
        }
    }
}

/// Rows that are filled no longer do not lag.
pub(crate) fn lag_ended(generation: u32, partitions: NonZeroU32) {
    for partition in 0..partitions.get() {
        lag(generation, partition, 0);
    }
}

fn lag(generation: u32, partition: u32, events: u64) {
    metrics::gauge!(
        "praxis_projection_lag_events",
        "generation" => generation.to_string(), "partition" => partition.to_string()
    )
    .set(approximate(events));
}

/// One batch was committed: how many events it had, and how long each took from its commit in the log (microseconds
/// UTC) to its visibility in the rows.
pub(crate) fn batch(generation: u32, recorded_at: &[i64], now_micros: i64) {
    metrics::histogram!("praxis_projection_batch_events", "generation" => generation.to_string())
        .record(approximate(u64::try_from(recorded_at.len()).unwrap_or(u64::MAX)));
    let delay =
        metrics::histogram!("praxis_projection_delay_seconds", "generation" => generation.to_string());
    for recorded_at in recorded_at {
        let delay_micros = u64::try_from(now_micros.saturating_sub(*recorded_at)).unwrap_or_default();
        delay.record(Duration::from_micros(delay_micros).as_secs_f64());
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
