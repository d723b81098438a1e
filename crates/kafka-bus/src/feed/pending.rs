//! What of the messages that came is handed out next?
//!
//! Pure: messages in, messages out in the same order, without watermarks that a neighbour makes needless. With many
//! small batches behind each other they would be most of what there is.

use std::collections::BTreeMap;

use praxis_event_store::bus::{BusContent, BusMessage};

/// Messages that came and were not handed out yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    messages: Vec<BusMessage>,
    /// Where the partitions whose last message is a watermark have it.
    watermarks: BTreeMap<u32, usize>,
    byte_count: usize,
}

impl Pending {
    pub(super) fn push(&mut self, message: BusMessage) {
        let partition = message.partition;
        match &message.content {
            BusContent::Event(event) => {
                self.byte_count += event.payload.len() + event.metadata.len();
                self.watermarks.remove(&partition);
            }
            BusContent::Watermark { .. } => {
                let said = self
                    .watermarks
                    .get(&partition)
                    .and_then(|at| self.messages.get_mut(*at));
                match said {
                    Some(said) if says_as_much(said, &message) => return,
                    Some(said) if says_as_much(&message, said) => {
                        *said = message;
                        return;
                    }
                    Some(_) | None => {}
                }
                self.watermarks.insert(partition, self.messages.len());
            }
        }
        self.messages.push(message);
    }

    /// Forgets what came from partitions that are another consumer's now.
    pub(super) fn discard(&mut self, partitions: &[u32]) {
        let kept = self
            .take()
            .into_iter()
            .filter(|message| !partitions.contains(&message.partition));
        for message in kept {
            self.push(message);
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.messages.len()
    }

    /// Payload and metadata bytes of the messages.
    pub(super) const fn byte_count(&self) -> usize {
        self.byte_count
    }

    /// Hands everything out.
    pub(super) fn take(&mut self) -> Vec<BusMessage> {
        std::mem::take(self).messages
    }
}

/// Whether a consumer that heard `one` learns nothing from `other`, both watermarks of one partition.
fn says_as_much(one: &BusMessage, other: &BusMessage) -> bool {
    one.life == other.life && one.prev <= other.prev && one.position() >= other.position()
}

#[cfg(test)]
mod tests {
    use praxis_event_store::bus::LogLife;
    use praxis_event_store::port::StoredEvent;
    use praxis_events::ids::LogId;
    use uuid::Uuid;

    use super::*;

    fn message(partition: u32, epoch: u32, prev: u64, content: BusContent) -> BusMessage {
        BusMessage {
            partition,
            life: LogLife {
                log_id: LogId(Uuid::nil()),
                epoch,
            },
            prev,
            content,
        }
    }

    fn event(partition: u32, prev: u64, position: u64) -> BusMessage {
        let stored = StoredEvent {
            position,
            event_id: Uuid::nil(),
            stream_type: String::new(),
            stream_id: Uuid::nil(),
            stream_version: 1,
            event_type: String::new(),
            schema_version: 1,
            recorded_at: 0,
            subject_id: None,
            metadata: vec![0; 3],
            payload: vec![0; 4],
            leaf_format: 1,
            leaf_hash: [0; 32],
        };
        message(partition, 1, prev, BusContent::Event(Box::new(stored)))
    }

    fn watermark(partition: u32, prev: u64, position: u64) -> BusMessage {
        message(
            partition,
            1,
            prev,
            BusContent::Watermark {
                position,
                leaf_hash: [1; 32],
            },
        )
    }

    fn handed_out(messages: Vec<BusMessage>) -> Vec<BusMessage> {
        let mut pending = Pending::default();
        for message in messages {
            pending.push(message);
        }
        assert_eq!(pending.len(), pending.messages.len());
        pending.take()
    }

    #[test]
    fn events_are_handed_out_as_they_came_repeated_ones_too() {
        let came = vec![event(1, 0, 2), event(0, 0, 1), event(1, 2, 4), event(1, 0, 2)];
        assert_eq!(handed_out(came.clone()), came);
    }

    #[test]
    fn a_watermark_gives_way_to_a_later_one_of_its_partition_with_no_event_between() {
        let came = vec![watermark(0, 3, 5), watermark(1, 4, 5), watermark(0, 3, 9)];
        assert_eq!(handed_out(came), [watermark(0, 3, 9), watermark(1, 4, 5)]);
    }

    #[test]
    fn a_watermark_between_events_stays_where_it_was() {
        let came = vec![watermark(0, 3, 5), event(0, 5, 7), watermark(0, 7, 8)];
        assert_eq!(handed_out(came.clone()), came);
    }

    #[test]
    fn a_late_senders_older_watermark_is_dropped() {
        assert_eq!(
            handed_out(vec![watermark(0, 3, 9), watermark(0, 3, 5)]),
            [watermark(0, 3, 9)]
        );
    }

    #[test]
    fn watermarks_of_which_neither_says_all_are_both_kept() {
        let came = vec![watermark(0, 3, 5), watermark(0, 4, 9)];
        assert_eq!(handed_out(came.clone()), came);
    }

    #[test]
    fn a_watermark_of_another_epoch_is_kept() {
        let newer = message(
            0,
            2,
            3,
            BusContent::Watermark {
                position: 9,
                leaf_hash: [0; 32],
            },
        );
        let came = vec![watermark(0, 3, 9), newer];
        assert_eq!(handed_out(came.clone()), came);
    }

    #[test]
    fn discarded_partitions_leave_nothing_behind() {
        let mut pending = Pending::default();
        for message in [
            event(0, 0, 1),
            watermark(0, 1, 1),
            event(1, 0, 2),
            watermark(1, 2, 2),
        ] {
            pending.push(message);
        }
        assert_eq!((pending.len(), pending.byte_count()), (4, 14));
        pending.discard(&[0, 5]);
        assert_eq!((pending.len(), pending.byte_count()), (2, 7));
        pending.push(watermark(1, 2, 3));
        assert_eq!(pending.take(), [event(1, 0, 2), watermark(1, 2, 3)]);
        assert_eq!((pending.len(), pending.byte_count()), (0, 0));
    }
}
