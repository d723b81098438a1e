//! What does a topic in memory do with what is published, and what goes wrong?

use std::collections::VecDeque;

use async_trait::async_trait;
use praxis_event_store::bus::EventPublisher;
use tokio::time::sleep_until;

use super::*;

/// How long a publisher is opened in vain.
const OPENING_TIME: Duration = Duration::from_secs(5);

/// What befalls one `publish`.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Trouble {
    /// The whole process sleeps before anything is sent; then all arrives.
    Sleeps(Duration),
    /// Only the first so many messages arrive, and the publisher fails.
    Fails { arriving: usize },
    /// The publisher fails with nothing there, and the first so many messages arrive later all the same.
    FailsLate { arriving: usize, after: Duration },
}

/// How a relay publishes into the topic of its cluster.
#[derive(Clone)]
pub(super) struct Publishers {
    pub(super) cluster: Cluster,
    pub(super) holder: Uuid,
}

#[async_trait]
impl PublisherFactory for Publishers {
    async fn open(&self) -> Result<Box<dyn EventPublisher>, PublishError> {
        if self.cluster.state().broker_is_away {
            sleep(OPENING_TIME).await;
            return Err(PublishError("the broker is away".into()));
        }
        self.cluster.state().publishers_opened += 1;
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl EventPublisher for Publishers {
    fn partitions(&self) -> u32 {
        PARTITIONS.get()
    }

    async fn publish(&self, mut messages: Vec<BusMessage>) -> Result<(), PublishError> {
        let (trouble, delay) = {
            let mut state = self.cluster.state();
            let trouble = state.troubles.get_mut(&self.holder).and_then(VecDeque::pop_front);
            (trouble, Duration::from_millis(state.next_random(30)))
        };
        if !delay.is_zero() {
            sleep(delay).await;
        }
        if let Some(Trouble::Sleeps(time)) = trouble {
            let until = Instant::now() + time;
            {
                let mut state = self.cluster.state();
                state.asleep.insert(self.holder, until);
                // The client's own threads send it on waking, whether or not anyone waits for the answer by then.
                state.late.push((until, std::mem::take(&mut messages)));
            }
            sleep_until(until).await;
        }
        let mut state = self.cluster.state();
        state.arrive_late();
        if state.broker_is_away {
            return Err(PublishError("the broker is away".into()));
        }
        match trouble {
            None | Some(Trouble::Sleeps(_)) => {
                state.arrive(messages);
                return Ok(());
            }
            Some(Trouble::Fails { arriving }) => {
                messages.truncate(arriving);
                state.arrive(messages);
            }
            Some(Trouble::FailsLate { arriving, after }) => {
                messages.truncate(arriving);
                state.late.push((Instant::now() + after, messages));
            }
        }
        Err(PublishError("ordered by the test".into()))
    }

    async fn last(&self) -> Result<Vec<BusMessage>, PublishError> {
        let topic = self.cluster.topic();
        Ok(topic.into_values().filter_map(|mut of| of.pop()).collect())
    }
}
