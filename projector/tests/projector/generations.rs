//! Which generations are filled, read and given up, and what becomes of a rebuild whoever asked for it?

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use praxis_event_store::feed::{EventFeed, FeedError};
use praxis_event_store::port::LogReader;
use praxis_projector::failure::ProjectionError;
use praxis_projector::generations::{Feeds, Generations, KEPT_AFTER_RETIREMENT};
use praxis_projector::head_feed::HeadFeed;
use praxis_projector::rebuild::{NewlyParked, Progress, RebuildError, Rebuilding, begin_rebuild};
use praxis_read_models::registry::GenerationState::{Building, Ready, Retired};
use praxis_read_models::registry::{Generation, Registry};
use praxis_read_models::views::ParkedEvent;
use praxis_testkit::history::history;
use praxis_testkit::plain::{PlainDecoder, stored};
use praxis_testkit::rows::Rows;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::log::MemoryLog;
use crate::support::registry::MemoryRegistry;
use crate::support::views::MemoryViews;

const LEN: usize = 300;
const END: u64 = 300;
const PARTITIONS: NonZeroU32 = NonZeroU32::new(4).expect("not zero");
const WAY_BACK_MICROS: i64 = 7 * 24 * 3_600 * 1_000_000;
const PATIENCE: Duration = Duration::from_mins(10);

/// Feeds that say where the log ends, and count the loops that have one.
struct HeadFeeds {
    log: Arc<MemoryLog>,
    open: Arc<AtomicU32>,
}

struct Counted {
    feed: HeadFeed,
    open: Arc<AtomicU32>,
}

#[async_trait]
impl Feeds for HeadFeeds {
    async fn open(&self, generation: &Generation, _: u64) -> Result<Box<dyn EventFeed>, FeedError> {
        self.open.fetch_add(1, Ordering::SeqCst);
        let reader: Arc<dyn LogReader> = Arc::<MemoryLog>::clone(&self.log);
        Ok(Box::new(Counted {
            feed: HeadFeed::new(reader, generation.partitions),
            open: Arc::clone(&self.open),
        }))
    }
}

#[async_trait]
impl EventFeed for Counted {
    async fn next(
        &mut self,
        messages_max: usize,
    ) -> Result<Vec<praxis_event_store::bus::BusMessage>, FeedError> {
        self.feed.next(messages_max).await
    }

    async fn applied(&mut self) -> Result<(), FeedError> {
        self.feed.applied().await
    }

    async fn close(self: Box<Self>) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A projector over a log of that many events.
struct Scene {
    log: Arc<MemoryLog>,
    registry: Arc<MemoryRegistry>,
    decoder: Arc<PlainDecoder>,
    loops: Arc<AtomicU32>,
}

impl Scene {
    fn with_events(len: usize) -> Self {
        let events = if len == 0 { Vec::new() } else { history(5, len) };
        Self {
            log: Arc::new(MemoryLog::of(&events)),
            registry: Arc::default(),
            decoder: Arc::default(),
            loops: Arc::default(),
        }
    }

    fn generations(&self) -> Generations {
        let (log, open) = (Arc::clone(&self.log), Arc::clone(&self.loops));
        Generations {
            registry: Arc::<MemoryRegistry>::clone(&self.registry),
            reader: Arc::<MemoryLog>::clone(&self.log),
            decoder: Arc::<PlainDecoder>::clone(&self.decoder),
            feeds: Arc::new(HeadFeeds { log, open }),
            partitions: PARTITIONS,
            now_micros: || 0,
            moved: watch::channel(0).0,
        }
    }

    /// Runs projectors while something is done beside them.
    async fn beside<T>(&self, projectors: usize, work: impl Future<Output = T>) -> T {
        let stop = CancellationToken::new();
        let running = (0..projectors).map(|_| self.generations().run(stop.clone()));
        let both = async {
            let done = async {
                let done = work.await;
                stop.cancel();
                done
            };
            tokio::join!(futures::future::join_all(running), done)
        };
        let (ended, done) = tokio::time::timeout(PATIENCE, both).await.expect("in time");
        let ended: Result<Vec<()>, ProjectionError> = ended.into_iter().collect();
        ended.expect("projectors end when they are told to");
        done
    }

    async fn until(&self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn begin_rebuild(&self) -> u32 {
        let rebuild = begin_rebuild(self.registry.as_ref(), PARTITIONS, 0)
            .await
            .expect("a rebuild");
        rebuild.new.number
    }

    fn append(&self, len: usize) {
        let appended = history(5, len).split_off(LEN);
        let mut events = self.log.events.lock().expect("not poisoned");
        events.extend(appended.iter().map(stored));
    }
}

fn parked(stream: u128) -> ParkedEvent {
    ParkedEvent {
        stream_type: "patient".to_owned(),
        stream_id: Uuid::from_u128(stream),
        partition: 0,
        position: 7,
        stream_version: 1,
        event_type: "patient.registered".to_owned(),
        code: "shape".to_owned(),
    }
}

async fn park(views: &MemoryViews, stream: u128) {
    let mut held = views.held().await;
    held.parked.insert(7, parked(stream));
    views.replace(held).await;
}

#[tokio::test(start_paused = true)]
async fn over_an_empty_log_the_first_generation_is_ready_at_once() {
    let scene = Scene::with_events(0);
    scene.generations().prepare().await.expect("it answers");
    assert_eq!(scene.registry.states(), [Ready]);
    let checkpoints = scene.registry.views(1).held().await.checkpoints;
    assert_eq!(checkpoints.len(), 4, "a reader finds every partition begun");
}

#[tokio::test(start_paused = true)]
async fn the_first_generation_is_read_when_it_has_the_log() {
    let scene = Scene::with_events(LEN);
    scene.generations().prepare().await.expect("it answers");
    assert_eq!(scene.registry.states(), [Building], "nothing is in it");
    scene
        .beside(1, scene.until(|scene| scene.registry.states() == [Ready]))
        .await;
    let held = scene.registry.views(1).held().await;
    assert_eq!(held.rows, Rows::of(&history(5, LEN)));
}

#[tokio::test(start_paused = true)]
async fn projectors_that_start_at_once_fill_one_generation() {
    let scene = Scene::with_events(LEN);
    scene
        .beside(3, scene.until(|scene| scene.registry.states() == [Ready]))
        .await;
    assert_eq!(scene.registry.states(), [Ready]);
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_takes_over_by_itself_with_the_same_rows() {
    let scene = Scene::with_events(LEN);
    scene
        .beside(2, async {
            scene.until(|scene| scene.registry.states() == [Ready]).await;
            scene.begin_rebuild().await;
            scene
                .until(|scene| scene.registry.states() == [Retired, Ready])
                .await;
        })
        .await;
    let (old, new) = (
        scene.registry.views(1).held().await,
        scene.registry.views(2).held().await,
    );
    assert_eq!(new.rows, old.rows);
    assert_eq!(new.rows, Rows::of(&history(5, LEN)));
}

/// A read that began in the old generation may wait there for an event of now.
#[tokio::test(start_paused = true)]
async fn a_retired_generation_is_filled_until_readers_have_left_and_no_longer() {
    let scene = Scene::with_events(LEN);
    scene
        .beside(1, async {
            scene.until(|scene| scene.registry.states() == [Ready]).await;
            scene.begin_rebuild().await;
            scene
                .until(|scene| scene.registry.states() == [Retired, Ready])
                .await;
            scene.append(LEN + 50);
            tokio::time::sleep(Duration::from_secs(7)).await;
            let old = scene.registry.views(1).held().await;
            assert!(old.checkpoints.values().all(|known| known.position == END + 50));
            assert_eq!(scene.loops.load(Ordering::SeqCst), 2);
            scene.until(|scene| scene.loops.load(Ordering::SeqCst) == 1).await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_is_begun_once_and_found_again() {
    let scene = Scene::with_events(LEN);
    assert!(matches!(
        begin_rebuild(scene.registry.as_ref(), PARTITIONS, 0).await,
        Err(RebuildError::NothingReady { .. })
    ));
    scene.registry.add(Ready);
    let (first, second) = tokio::join!(scene.begin_rebuild(), scene.begin_rebuild());
    assert_eq!((first, second, scene.begin_rebuild().await), (2, 2, 2));
    let all = scene.registry.generations().await.expect("they are there");
    assert_eq!(scene.registry.states(), [Ready, Building]);
    assert_eq!(
        (all[0].partitions, all[1].partitions),
        (NonZeroU32::MIN, PARTITIONS),
        "it is fed by as many as there are now"
    );
}

#[tokio::test(start_paused = true)]
async fn a_generation_whose_rows_are_gone_is_built_anew() {
    let scene = Scene::with_events(LEN);
    scene.registry.add(Ready);
    scene.registry.lost.lock().expect("not poisoned").push(1);
    scene
        .beside(
            1,
            scene.until(|scene| scene.registry.states() == [Retired, Ready]),
        )
        .await;
    let held = scene.registry.views(2).held().await;
    assert_eq!(held.rows, Rows::of(&history(5, LEN)));
}

/// After `praxis restore`, which need not have reached the registry.
#[tokio::test(start_paused = true)]
async fn a_generation_of_an_earlier_life_of_the_log_is_built_anew() {
    let scene = Scene::with_events(LEN);
    scene
        .beside(1, scene.until(|scene| scene.registry.states() == [Ready]))
        .await;
    scene.log.life.lock().expect("not poisoned").epoch = 1_790_000_000;
    scene.log.events.lock().expect("not poisoned").truncate(200);
    scene
        .beside(
            2,
            scene.until(|scene| scene.registry.states() == [Retired, Ready]),
        )
        .await;
    let held = scene.registry.views(2).held().await;
    assert_eq!(held.rows, Rows::of(&history(5, 200)));
}

/// A backup that was put back after a restore, and whose own `praxis restore` is still to come.
#[tokio::test(start_paused = true)]
async fn a_generation_of_a_later_life_of_the_log_stays_for_somebody_to_decide() {
    let scene = Scene::with_events(LEN);
    scene.log.life.lock().expect("not poisoned").epoch = 7;
    scene
        .beside(1, scene.until(|scene| scene.registry.states() == [Ready]))
        .await;
    scene.log.life.lock().expect("not poisoned").epoch = 1;
    let running = scene.generations().run(CancellationToken::new());
    let ended = tokio::time::timeout(PATIENCE, running).await.expect("in time");
    let refused = ended.expect_err("rows and log are of two lives");
    let why = std::error::Error::source(&refused).map(ToString::to_string);
    assert!(
        why.as_ref()
            .is_some_and(|why| why.contains("restored to an earlier state")),
        "{why:?}"
    );
    assert_eq!(scene.registry.states(), [Ready]);
}

#[tokio::test(start_paused = true)]
async fn an_earlier_release_keeps_its_way_back_for_a_while() {
    let clocks: [fn() -> i64; 2] = [|| WAY_BACK_MICROS - 1, || WAY_BACK_MICROS];
    for (now_micros, oldest) in clocks.into_iter().zip([Ready, Retired]) {
        let scene = Scene::with_events(0);
        scene.registry.add_foreign(Ready);
        scene.registry.add(Ready);
        // Of a later release, which another projector fills.
        scene.registry.add_foreign(Ready);
        let generations = Generations {
            now_micros,
            ..scene.generations()
        };
        let stop = CancellationToken::new();
        let seen = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            stop.cancel();
            scene.registry.states()
        };
        let (ended, seen) = tokio::join!(generations.run(stop.clone()), seen);
        ended.expect("it ends when it is told to");
        assert_eq!(seen, [oldest, Ready, Ready]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_with_newly_parked_streams_waits_to_be_accepted() {
    let scene = Scene::with_events(LEN);
    scene
        .beside(1, async {
            scene.until(|scene| scene.registry.states() == [Ready]).await;
            park(&scene.registry.views(1), 1).await;
            let new = scene.begin_rebuild().await;
            park(&scene.registry.views(new), 2).await;
            tokio::time::sleep(Duration::from_secs(30)).await;
            assert_eq!(scene.registry.states(), [Ready, Building]);
            let rebuild = begin_rebuild(scene.registry.as_ref(), PARTITIONS, 0)
                .await
                .expect("it is found");
            let registry: Arc<dyn Registry> = Arc::<MemoryRegistry>::clone(&scene.registry);
            let open = Rebuilding::open(registry, rebuild).await.expect("both are open");
            let wanted: Vec<_> = scene
                .registry
                .views(1)
                .held()
                .await
                .checkpoints
                .into_values()
                .collect();
            let held = open.take_over(&wanted, NewlyParked::Hold).await;
            assert_eq!(held.expect("it answers"), Progress::Held { newly_parked: 1 });
            let done = open.take_over(&wanted, NewlyParked::Accept).await;
            assert_eq!(done.expect("it answers"), Progress::Done);
            assert_eq!(scene.registry.states(), [Retired, Ready]);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn streams_parked_before_hold_no_rebuild() {
    let scene = Scene::with_events(LEN);
    scene
        .beside(1, async {
            scene.until(|scene| scene.registry.states() == [Ready]).await;
            park(&scene.registry.views(1), 1).await;
            let new = scene.begin_rebuild().await;
            park(&scene.registry.views(new), 1).await;
            scene
                .until(|scene| scene.registry.states() == [Retired, Ready])
                .await;
        })
        .await;
}

/// Two operators, of releases that did not look for each other, or a rebuild begun while another was about to end.
#[tokio::test(start_paused = true)]
async fn what_is_older_than_the_generation_that_is_read_is_given_up() {
    let scene = Scene::with_events(0);
    for state in [Ready, Building, Ready] {
        scene.registry.add(state);
    }
    let given_up = [Retired, Retired, Ready];
    scene
        .beside(1, scene.until(|scene| scene.registry.states() == given_up))
        .await;
}

#[tokio::test(start_paused = true)]
async fn retired_generations_are_looked_for_at_start_and_every_minute() {
    let scene = Scene::with_events(LEN);
    scene
        .beside(1, tokio::time::sleep(Duration::from_secs(150)))
        .await;
    let removals = scene.registry.removals.lock().expect("not poisoned").clone();
    assert_eq!(removals, [KEPT_AFTER_RETIREMENT; 3]);
}
