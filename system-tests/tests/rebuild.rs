//! Do readers notice when the read models are built anew, and is what they read then what was decided?
#![allow(clippy::expect_used, reason = "a panic is how a test and its helpers report")]

use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use praxis_auth::claims::Role;
use praxis_read_models::registry::{GenerationState, Registry as _};
use praxis_store_mysql::views::MySqlRegistry;
use praxis_system_tests::client::{Client, Request, bookable_morning};
use praxis_system_tests::deployment::{Deployment, Told};
use praxis_system_tests::log::Log;
use praxis_system_tests::proof::assert_views_equal_a_fresh_fold;
use praxis_system_tests::service::{Program, Service};
use praxis_testkit::servers::{kafka_brokers, mysql_url};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
const PRACTITIONERS: usize = 3;
const PATIENTS: usize = 40;
/// Bookings last 20 minutes and begin every ten, so that half of them clash.
const STARTS: i64 = 16;
/// Read models of a log this short that are not read by then never will be.
const FIRST_READ_TIME_MAX: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How long readers go on after a rebuild: each process looks for a newer generation every second.
const READ_ON_FOR: Duration = Duration::from_secs(4);

/// A tier with two processes that decide, and the people its calendar is about.
struct Scene {
    apis: [Service; 2],
    desk: Client,
    location_id: Uuid,
    practitioners: Vec<Uuid>,
    patients: Vec<Uuid>,
    morning: DateTime<Utc>,
    /// Last, so that what the programs wrote is shown after they have ended.
    deployment: Deployment,
}

impl Scene {
    async fn open() -> anyhow::Result<Self> {
        let deployment = Deployment::found(&mysql_url(), &kafka_brokers()).await?;
        let apis = deployment.start_two_command_apis().await?;
        let desk = Client::new(&deployment, Role::Staff, None, ANSWER_TIME_MAX)?;
        let admin = Client::new(&deployment, Role::Admin, None, ANSWER_TIME_MAX)?;
        let base = apis[0].base();
        let location_id = admin.must(&base, &Request::register_location()).await?;
        let (mut practitioners, mut patients) = (Vec::new(), Vec::new());
        for _ in 0..PRACTITIONERS {
            practitioners.push(admin.must(&base, &Request::register_practitioner()).await?);
        }
        for _ in 0..PATIENTS {
            patients.push(desk.must(&base, &Request::register_patient()).await?);
        }
        Ok(Self {
            apis,
            desk,
            location_id,
            practitioners,
            patients,
            morning: bookable_morning(),
            deployment,
        })
    }

    /// Each patient asks for one time of each practitioner, all at once and of both processes; one in ten overbooks.
    /// Answers how many were given, and the position of one of the last.
    async fn book_at_once(&self) -> anyhow::Result<(usize, String)> {
        let mut sending = JoinSet::new();
        for (patient, patient_id) in (0_i64..).zip(&self.patients) {
            for (practitioner, practitioner_id) in (0_i64..).zip(&self.practitioners) {
                let starts = self.morning + TimeDelta::minutes(10 * ((patient + 5 * practitioner) % STARTS));
                let mut body = json!({
                    "patient_id": patient_id, "practitioner_id": practitioner_id, "location_id": self.location_id,
                    "starts": starts.to_rfc3339(), "ends": (starts + TimeDelta::minutes(20)).to_rfc3339(),
                });
                if patient % 10 == 0 {
                    body["overbooking_reason_code"] = json!("urgent");
                }
                let base = self.apis[usize::from(patient % 2 == 0)].base();
                let (client, request) = (self.desk.clone(), Request::post("/appointments", body));
                sending.spawn(async move { client.send(&base, &request).await });
            }
        }
        let (mut given, mut positions) = (0, Vec::new());
        for reply in sending.join_all().await {
            let reply = reply?;
            if reply.status == 201 {
                given += 1;
                positions.push((reply.written()?.position, reply.position()?.to_owned()));
            } else {
                ensure!(reply.status == 409, "a booking was answered {reply:?}");
            }
        }
        let (_, last) = positions.into_iter().max().context("some were given")?;
        Ok((given, last))
    }

    /// The day of each practitioner, as read.
    async fn days(&self, query_api: &str, min_position: &str) -> anyhow::Result<Vec<Value>> {
        let mut days = Vec::new();
        for practitioner_id in &self.practitioners {
            let date = self.morning.date_naive();
            let path = format!("/appointments?practitioner_id={practitioner_id}&date={date}&limit=200");
            let reply = self.desk.get(query_api, &path, Some(min_position)).await?;
            ensure!(reply.status == 200, "{path} was answered {reply:?}");
            ensure!(reply.body["incomplete"] == json!(false), "{reply:?}");
            days.push(reply.body["items"].clone());
        }
        Ok(days)
    }

    /// The same, once they are read: new read models may have been ready for less than a look at the registry lasts.
    async fn first_days(&self, query_api: &str, min_position: &str) -> anyhow::Result<Vec<Value>> {
        let deadline = Instant::now() + FIRST_READ_TIME_MAX;
        loop {
            match self.days(query_api, min_position).await {
                Err(_) if Instant::now() < deadline => sleep(POLL_INTERVAL).await,
                read => return read,
            }
        }
    }

    /// Reads the days again and again until told to end; each time they must be what they were. Answers how often.
    async fn read_on(
        &self,
        query_api: &str,
        min_position: &str,
        expected: &[Value],
        end: watch::Receiver<bool>,
    ) -> anyhow::Result<usize> {
        let mut times = 0;
        while !*end.borrow() {
            let days = self.days(query_api, min_position).await?;
            ensure!(days == expected, "{days:?} are read, and {expected:?} were");
            times += 1;
        }
        Ok(times)
    }

    async fn states(&self) -> anyhow::Result<Vec<GenerationState>> {
        let registry = MySqlRegistry::open(&self.deployment.views_url()).await?;
        let all = registry.generations().await?;
        Ok(all.iter().map(|known| known.state).collect())
    }
}

/// The JSON that a command wrote.
fn document(told: &Told) -> anyhow::Result<Value> {
    ensure!(told.success, "praxis failed: {}", told.output);
    serde_json::from_str(&told.output).with_context(|| told.output.clone())
}

/// No two of them take one person's time, but where the practitioner's was overbooked.
fn assert_none_overlapping(days: &[Value]) -> anyhow::Result<()> {
    let all: Vec<&Value> = days.iter().filter_map(Value::as_array).flatten().collect();
    let instant = |visit: &Value, name: &str| -> anyhow::Result<DateTime<Utc>> {
        Ok(visit[name].as_str().context("an instant")?.parse()?)
    };
    for (index, one) in all.iter().enumerate() {
        for other in &all[index + 1..] {
            let overlapping = instant(one, "starts")? < instant(other, "ends")?
                && instant(other, "starts")? < instant(one, "ends")?;
            let overbooked = [one, other]
                .iter()
                .any(|visit| visit["occupancy"] == json!("overbooked"));
            let same = |name: &str| one[name] == other[name];
            ensure!(
                !(overlapping && same("patient_id")),
                "a patient has {one} and {other}"
            );
            ensure!(
                !(overlapping && same("practitioner_id") && !overbooked),
                "a practitioner has {one} and {other}"
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_through_a_rebuild_and_none_overlaps_before_or_after() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    let _projector = scene.deployment.start(Program::Projector).await?;
    let query_api = scene.deployment.start(Program::QueryApi).await?;
    let (given, position) = scene.book_at_once().await?;
    let before = scene.first_days(&query_api.base(), &position).await?;
    let listed: usize = before.iter().filter_map(Value::as_array).map(Vec::len).sum();
    assert_eq!(listed, given, "what was acknowledged is read");
    assert_none_overlapping(&before)?;

    let (ending, end) = watch::channel(false);
    let base = query_api.base();
    let reading = scene.read_on(&base, &position, &before, end);
    let rebuilding = async {
        let told = scene.deployment.praxis(&["views", "rebuild", "--json"]).await;
        sleep(READ_ON_FOR).await;
        ending.send_replace(true);
        document(&told?)
    };
    let (times, rebuilt) = tokio::join!(reading, rebuilding);
    assert!(times? > 3, "it was read meanwhile");
    let rebuilt = rebuilt?;
    assert_eq!(
        (&rebuilt["generation"], &rebuilt["retired"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        scene.states().await?,
        [GenerationState::Retired, GenerationState::Ready]
    );
    let shown = document(&scene.deployment.praxis(&["views", "status", "--json"]).await?)?;
    assert_eq!(shown["generations"][1]["lag"], json!(0), "{shown}");

    let after = scene.days(&base, &position).await?;
    assert_eq!(after, before, "both generations list the same");
    assert_none_overlapping(&after)?;
    let log = Log::read_sound(&scene.deployment).await?;
    assert_views_equal_a_fresh_fold(&scene.deployment, &log).await?;
    // What is written now goes to the new generation.
    let registered = scene
        .desk
        .send(&scene.apis[0].base(), &Request::register_patient())
        .await?;
    let path = format!("/patients/{}", registered.written()?.id);
    let read = scene.desk.get(&base, &path, Some(registered.position()?)).await?;
    assert_eq!(read.status, 200, "{read:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_projector_runs_the_command_fills_it() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    let mut projector = scene.deployment.start(Program::Projector).await?;
    let nothing_ready = scene.deployment.praxis(&["views", "status", "--json"]).await?;
    document(&nothing_ready)?;
    scene.book_at_once().await?;
    let log = Log::read_sound(&scene.deployment).await?;
    assert_views_equal_a_fresh_fold(&scene.deployment, &log).await?;
    projector.end_well().await?;

    let here = document(
        &scene
            .deployment
            .praxis(&["views", "rebuild", "--here", "--json"])
            .await?,
    )?;
    assert_eq!(here["position"], json!(log.events.len()));
    assert_views_equal_a_fresh_fold(&scene.deployment, &log).await?;
    let noticed = document(&scene.deployment.praxis(&["views", "rebuild", "--json"]).await?)?;
    assert_eq!(noticed["generation"], json!(3));
    assert_views_equal_a_fresh_fold(&scene.deployment, &log).await?;
    Ok(())
}
