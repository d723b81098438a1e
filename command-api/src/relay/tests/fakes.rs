//! A log, a lease and a topic in memory, with troubles to order.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard};

use praxis_event_store::partition::partition_of;
use praxis_event_store::port::StoredEvent;
use tokio::task::JoinSet;

use super::observed::Roots;
use super::*;

mod log;
mod publishers;

use publishers::Publishers;
pub(super) use publishers::Trouble;

pub(super) const PARTITIONS: NonZeroU32 = NonZeroU32::new(12).expect("not zero");
const RELAY_COUNT: u64 = 3;

/// Everything that relays share.
#[derive(Clone, Default)]
pub(super) struct Cluster(Arc<Mutex<State>>);

struct State {
    events: Vec<StoredEvent>,
    heads_asked: u64,
    leader: Uuid,
    until: Option<Instant>,
    row: RelayState,
    topic: BTreeMap<u32, Vec<BusMessage>>,
    late: Vec<(Instant, Vec<BusMessage>)>,
    troubles: BTreeMap<Uuid, VecDeque<Trouble>>,
    /// Processes that sleep, and until when.
    asleep: BTreeMap<Uuid, Instant>,
    broker_is_away: bool,
    log_is_unfit: bool,
    publishers_opened: usize,
    wake_up: Option<watch::Sender<u64>>,
    /// Of xorshift; zero for a broker that answers at once.
    random: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            heads_asked: 0,
            leader: Uuid::nil(),
            until: None,
            row: RelayState {
                term: 0,
                position: 0,
                partitions: Vec::new(),
                frontier: Vec::new(),
            },
            topic: BTreeMap::new(),
            late: Vec::new(),
            troubles: BTreeMap::new(),
            asleep: BTreeMap::new(),
            broker_is_away: false,
            log_is_unfit: false,
            publishers_opened: 0,
            wake_up: Some(watch::channel(0).0),
            random: 0,
        }
    }
}

impl State {
    fn next_random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    fn append(&mut self, count: u64, streams: u64) -> u64 {
        for _ in 0..count {
            let position = head(&self.events) + 1;
            self.events
                .push(event(position, position.wrapping_mul(7_919) % streams));
        }
        head(&self.events)
    }

    fn arrive(&mut self, messages: Vec<BusMessage>) {
        for message in messages {
            self.topic.entry(message.partition).or_default().push(message);
        }
    }

    /// What was under way and has arrived by now.
    fn arrive_late(&mut self) {
        let now = Instant::now();
        let (arrived, under_way) = std::mem::take(&mut self.late)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.late = under_way;
        let arrived: Vec<(Instant, Vec<BusMessage>)> = arrived;
        for (_, messages) in arrived {
            self.arrive(messages);
        }
    }
}

fn head(events: &[StoredEvent]) -> u64 {
    events.last().map_or(0, |event| event.position)
}

fn event(position: u64, stream: u64) -> StoredEvent {
    let mut leaf_hash = [9; 32];
    leaf_hash[..8].copy_from_slice(&position.to_be_bytes());
    StoredEvent {
        position,
        event_id: Uuid::from_u128(u128::from(position)),
        stream_type: "patient".to_owned(),
        stream_id: Uuid::from_u128(0x0192_f0c1 + u128::from(stream)),
        stream_version: position,
        event_type: "patient.registered".to_owned(),
        schema_version: 1,
        recorded_at: 0,
        subject_id: None,
        metadata: Vec::new(),
        payload: Vec::new(),
        leaf_format: 1,
        leaf_hash,
    }
}

impl Cluster {
    /// One whose troubles follow from the seed, which is not zero.
    pub(super) fn seeded(seed: u64) -> Self {
        let cluster = Self::default();
        cluster.state().random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        cluster
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds this")
    }

    /// Appends as a process of ours does, which wakes its relay; the head afterwards.
    pub(super) fn append(&self, count: u64, streams: u64) -> u64 {
        let position = self.append_elsewhere(count, streams);
        if let Some(wake_up) = &self.state().wake_up {
            wake_up.send_replace(position);
        }
        position
    }

    /// Appends as another process does.
    pub(super) fn append_elsewhere(&self, count: u64, streams: u64) -> u64 {
        self.state().append(count, streams)
    }

    pub(super) fn append_some(&self) {
        let count = self.state().next_random(60);
        self.append(count, 30);
    }

    pub(super) fn trouble_someone(&self) {
        let mut state = self.state();
        let arriving = usize::try_from(state.next_random(60)).expect("small");
        let time = Duration::from_millis(state.next_random(15_000));
        let trouble = match state.next_random(4) {
            0 => Trouble::Sleeps(time),
            1 => Trouble::Fails { arriving },
            2 => Trouble::FailsLate {
                arriving,
                after: time,
            },
            _ => return,
        };
        let victim = Uuid::from_u128(u128::from(1 + state.next_random(RELAY_COUNT)));
        state.troubles.entry(victim).or_default().push_back(trouble);
    }

    pub(super) fn some_time(&self) -> Duration {
        Duration::from_millis(self.state().next_random(4_000))
    }

    pub(super) fn next_publish(&self, relay: Uuid, trouble: Trouble) {
        self.state().troubles.entry(relay).or_default().push_back(trouble);
    }

    /// Nothing is published and no publisher opened any more.
    pub(super) fn take_broker_away(&self) {
        self.state().broker_is_away = true;
    }

    pub(super) fn bring_broker_back(&self) {
        self.state().broker_is_away = false;
    }

    /// As in a process that knows a former life of the log.
    pub(super) fn make_log_unfit(&self) {
        self.state().log_is_unfit = true;
    }

    /// As when the lease lapsed.
    pub(super) fn end_term(&self) {
        self.state().until = None;
    }

    /// As when another process took the lease, and keeps it.
    pub(super) fn give_lease_to_another(&self) {
        let mut state = self.state();
        state.leader = Uuid::max();
        state.until = Some(Instant::now() + Duration::from_mins(10));
        state.row.term += 1;
    }

    pub(super) fn end_troubles(&self) {
        self.state().troubles.clear();
    }

    pub(super) fn close_wake_ups(&self) {
        self.state().wake_up = None;
    }

    pub(super) fn restore_to(&self, position: u64) {
        self.state().events.retain(|event| event.position <= position);
    }

    /// The row as it would have been restored with the log, but for its term.
    pub(super) fn restore_row(&self) {
        let mut state = self.state();
        let term = state.row.term;
        let mut frontier = Frontier::default();
        for event in &state.events {
            frontier
                .append(event.position, event.leaf_hash)
                .expect("positions are dense");
        }
        state.row = RelayState {
            term,
            position: head(&state.events),
            partitions: Vec::new(),
            frontier: frontier.to_bytes(),
        };
    }

    /// Events that another history put at these positions.
    pub(super) fn append_otherwise(&self, count: u64) {
        let mut state = self.state();
        let before = state.events.len();
        state.append(count, 5);
        for event in state.events.iter_mut().skip(before) {
            event.leaf_hash[31] ^= 1;
        }
    }

    /// As when the topic is made anew with another number of partitions.
    pub(super) fn forget_topic_and_partitions(&self) {
        let mut state = self.state();
        state.topic.clear();
        state.row.partitions.clear();
    }

    pub(super) fn leader(&self) -> Uuid {
        self.state().leader
    }

    pub(super) fn stored(&self) -> RelayState {
        self.state().row.clone()
    }

    pub(super) fn heads_asked(&self) -> u64 {
        self.state().heads_asked
    }

    pub(super) fn publishers_opened(&self) -> usize {
        self.state().publishers_opened
    }

    pub(super) fn leaf_hash(&self, position: u64) -> [u8; 32] {
        let state = self.state();
        state
            .events
            .iter()
            .find(|event| event.position == position)
            .map_or([0; 32], |event| event.leaf_hash)
    }

    pub(super) fn topic(&self) -> BTreeMap<u32, Vec<BusMessage>> {
        let mut state = self.state();
        state.arrive_late();
        state.topic.clone()
    }

    /// What each partition should hold.
    pub(super) fn positions_by_partition(&self) -> BTreeMap<u32, Vec<u64>> {
        let mut of: BTreeMap<u32, Vec<u64>> = (0..PARTITIONS.get())
            .map(|partition| (partition, Vec::new()))
            .collect();
        for event in &self.state().events {
            of.entry(partition_of(event.stream_id, PARTITIONS))
                .or_default()
                .push(event.position);
        }
        of
    }
}

/// A relay of that number.
pub(super) fn relay(cluster: &Cluster, number: u128) -> Relay {
    Roots::leave_no_thread_without_listener();
    let holder = Uuid::from_u128(number);
    let appended = cluster
        .state()
        .wake_up
        .as_ref()
        .expect("wake-ups are open")
        .subscribe();
    Relay {
        reader: Arc::new(cluster.clone()),
        store: Arc::new(cluster.clone()),
        publishers: Some(Arc::new(Publishers {
            cluster: cluster.clone(),
            holder,
        })),
        appended,
        holder,
    }
}

/// Runs relays until the scenario ends, then stops them.
pub(super) async fn drive<const N: usize>(relays: [Relay; N], scenario: impl Future<Output = ()>) {
    let (stop, stopped) = watch::channel(false);
    let mut running: JoinSet<Result<(), LogMismatch>> = JoinSet::new();
    for relay in relays {
        let mut stopped = stopped.clone();
        running.spawn(relay.run(async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        }));
    }
    scenario.await;
    stop.send_replace(true);
    for ended in running.join_all().await {
        ended.expect("the log is the one that was published");
    }
}
