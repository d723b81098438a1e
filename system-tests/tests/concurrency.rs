//! Do the rules hold however many ask at once, through two processes on one log?
#![allow(clippy::expect_used, reason = "a panic is how a test and its helpers report")]

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use praxis_auth::claims::Role;
use praxis_events::appointment::AppointmentEvent;
use praxis_events::event::Event;
use praxis_events::patient::PatientEvent;
use praxis_system_tests::client::{Client, Reply, Request, bookable_morning};
use praxis_system_tests::deployment::Deployment;
use praxis_system_tests::log::Log;
use praxis_system_tests::proof::assert_views_equal_a_fresh_fold;
use praxis_system_tests::service::{Program, Service};
use praxis_testkit::servers::{kafka_brokers, mysql_url};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::{Barrier, Mutex};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Each test loads both cores; side by side they would run into the service's limit of time for a request.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// More than a request may take (15 s), so that every refusal is the service's own.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
const AT_ONCE: usize = 1_000;
const SET_UP_AT_ONCE: usize = 32;

/// Two processes on one log, and those who call them.
struct Scene {
    apis: [Service; 2],
    desk: Client,
    admin: Client,
    location_id: Uuid,
    morning: DateTime<Utc>,
    /// Last, so that what the programs wrote is shown after they have ended.
    deployment: Deployment,
}

impl Scene {
    async fn open() -> anyhow::Result<Self> {
        allow_many_connections()?;
        let deployment = Deployment::found(&mysql_url(), &kafka_brokers()).await?;
        let apis = deployment.start_two_command_apis().await?;
        let desk = Client::new(&deployment, Role::Staff, None, ANSWER_TIME_MAX)?;
        let admin = Client::new(&deployment, Role::Admin, None, ANSWER_TIME_MAX)?;
        let location_id = admin.must(&apis[0].base(), &Request::register_location()).await?;
        Ok(Self {
            apis,
            desk,
            admin,
            location_id,
            morning: bookable_morning(),
            deployment,
        })
    }

    fn base(&self, number: usize) -> String {
        self.apis[number % 2].base()
    }

    /// That so many were written, and every other one was refused with that code for that one reason.
    fn assert_written_and_refused(&self, replies: &[Reply], written: usize, code: &str, reason: &str) {
        let refused: Vec<&Reply> = replies.iter().filter(|reply| reply.status != 201).collect();
        for reply in &refused {
            let expected = (409, (code, vec![reason]));
            assert_eq!((reply.status, reply.refusal()), expected, "{}", self.complaints());
        }
        assert_eq!(replies.len() - refused.len(), written);
    }

    /// What the processes warned of.
    fn complaints(&self) -> String {
        let outputs = self
            .apis
            .iter()
            .map(|api| api.process.output().unwrap_or_default());
        outputs.collect()
    }

    async fn patients(&self, count: usize) -> anyhow::Result<Vec<Uuid>> {
        self.registered(&self.desk, Request::register_patient, count)
            .await
    }

    async fn practitioners(&self, count: usize) -> anyhow::Result<Vec<Uuid>> {
        self.registered(&self.admin, Request::register_practitioner, count)
            .await
    }

    async fn registered(
        &self,
        client: &Client,
        request: fn() -> Request,
        count: usize,
    ) -> anyhow::Result<Vec<Uuid>> {
        let mut ids = Vec::with_capacity(count);
        while ids.len() < count {
            let some = SET_UP_AT_ONCE.min(count - ids.len());
            let replies = self
                .at_once(client, (0..some).map(|_| request()).collect())
                .await?;
            for reply in replies {
                anyhow::ensure!(reply.is_written(), "registering was answered {reply:?}");
                ids.push(reply.written()?.id);
            }
        }
        Ok(ids)
    }

    fn booking(&self, patient_id: Uuid, practitioner_id: Uuid, minutes: i64) -> Request {
        let starts = self.morning + TimeDelta::minutes(minutes);
        let body = json!({
            "patient_id": patient_id,
            "practitioner_id": practitioner_id,
            "location_id": self.location_id,
            "starts": starts.to_rfc3339(),
            "ends": (starts + TimeDelta::minutes(20)).to_rfc3339(),
        });
        Request::post("/appointments", body)
    }

    /// Sends all of them at the same moment, to both processes in turn; the answers in the order of the requests.
    async fn at_once(&self, client: &Client, requests: Vec<Request>) -> anyhow::Result<Vec<Reply>> {
        let ready = Arc::new(Barrier::new(requests.len()));
        let mut sending = JoinSet::new();
        for (number, request) in requests.into_iter().enumerate() {
            let (client, base, ready) = (client.clone(), self.base(number), Arc::clone(&ready));
            sending.spawn(async move {
                ready.wait().await;
                (number, client.send(&base, &request).await)
            });
        }
        let mut replies = sending.join_all().await;
        replies.sort_unstable_by_key(|(number, _)| *number);
        replies.into_iter().map(|(_, reply)| reply).collect()
    }
}

/// A thousand callers have a thousand connections; many systems let a program open 1,024 files unless it asks.
fn allow_many_connections() -> nix::Result<()> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
}

fn bookings_in(log: &Log) -> usize {
    let booked = |event: &Event| matches!(event, Event::Appointment(AppointmentEvent::Booked(_)));
    log.events.iter().filter(|event| booked(&event.event)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_bookings_of_one_time_of_a_practitioner_one_succeeds() -> anyhow::Result<()> {
    let _alone = ONE_AT_A_TIME.lock().await;
    let scene = Scene::open().await?;
    let practitioner_id = scene.practitioners(1).await?[0];
    let patients = scene.patients(AT_ONCE).await?;
    let bookings = patients
        .iter()
        .map(|patient| scene.booking(*patient, practitioner_id, 0))
        .collect();
    let replies = scene.at_once(&scene.desk, bookings).await?;
    scene.assert_written_and_refused(&replies, 1, "booking-refused", "practitioner_busy");
    let log = Log::read_sound(&scene.deployment).await?;
    assert_eq!(bookings_in(&log), 1);

    // Built, and built anew: what is read is what was decided.
    let _projector = scene.deployment.start(Program::Projector).await?;
    assert_views_equal_a_fresh_fold(&scene.deployment, &log).await?;
    let rebuilt = scene.deployment.praxis(&["views", "rebuild"]).await?;
    assert!(rebuilt.success, "{}", rebuilt.output);
    assert_views_equal_a_fresh_fold(&scene.deployment, &log).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_bookings_of_one_patient_at_one_time_one_succeeds() -> anyhow::Result<()> {
    let _alone = ONE_AT_A_TIME.lock().await;
    let scene = Scene::open().await?;
    let patient_id = scene.patients(1).await?[0];
    let practitioners = scene.practitioners(AT_ONCE).await?;
    let bookings = practitioners
        .iter()
        .map(|practitioner| scene.booking(patient_id, *practitioner, 0))
        .collect();
    let replies = scene.at_once(&scene.desk, bookings).await?;
    scene.assert_written_and_refused(&replies, 1, "booking-refused", "patient_busy");
    assert_eq!(bookings_in(&Log::read_sound(&scene.deployment).await?), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_registrations_with_one_identifier_one_succeeds() -> anyhow::Result<()> {
    let _alone = ONE_AT_A_TIME.lock().await;
    let scene = Scene::open().await?;
    let registration = || {
        let identifier = json!({ "system": "urn:oid:2.16.756.5.32", "value": "756.9217.0769.85" });
        Request::post(
            "/patients",
            json!({ "family_name": "Probe", "identifiers": [identifier] }),
        )
    };
    let replies = scene
        .at_once(&scene.desk, (0..200).map(|_| registration()).collect())
        .await?;
    scene.assert_written_and_refused(&replies, 1, "claim-taken", "identifier_taken");
    let log = Log::read_sound(&scene.deployment).await?;
    let registered = |event: &Event| matches!(event, Event::Patient(PatientEvent::Registered(_)));
    assert_eq!(
        log.events.iter().filter(|event| registered(&event.event)).count(),
        1
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patient_has_ten_open_bookings_however_many_are_asked_for_at_once() -> anyhow::Result<()> {
    let _alone = ONE_AT_A_TIME.lock().await;
    let scene = Scene::open().await?;
    let patient_id = scene.patients(1).await?[0];
    let practitioner_id = scene.practitioners(1).await?[0];
    let bookings = (0..50)
        .map(|number| scene.booking(patient_id, practitioner_id, number * 20))
        .collect();
    let replies = scene.at_once(&scene.desk, bookings).await?;
    scene.assert_written_and_refused(&replies, 10, "booking-refused", "limit_reached");
    assert_eq!(bookings_in(&Log::read_sound(&scene.deployment).await?), 10);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_booked_for_a_patient_after_the_instant_of_deactivation() -> anyhow::Result<()> {
    const ROUNDS: usize = 40;
    // With the two before, fewer than a patient may have open, so that nothing but the deactivation refuses.
    const BOOKINGS: usize = 6;
    let _alone = ONE_AT_A_TIME.lock().await;
    let scene = Scene::open().await?;
    let practitioner_id = scene.practitioners(1).await?[0];
    let patients = scene.patients(ROUNDS).await?;
    let (mut booked, mut refused) = (0, 0);
    let mut minutes = (0..).step_by(20);
    let mut next = |patient_id| {
        let minutes = minutes.next().expect("never ends");
        scene.booking(patient_id, practitioner_id, minutes)
    };
    for patient_id in &patients {
        // Both processes have seen the patient active, and nothing tells them otherwise but the log.
        for number in 0..2 {
            scene.desk.must(&scene.base(number), &next(*patient_id)).await?;
        }
        let mut requests: Vec<Request> = (0..BOOKINGS).map(|_| next(*patient_id)).collect();
        let path = format!("/patients/{patient_id}");
        let deactivation = Request {
            method: Method::DELETE,
            body: Value::Null,
            ..Request::post(path, Value::Null)
        };
        requests.insert(BOOKINGS / 2, deactivation);
        let mut replies = scene.at_once(&scene.desk, requests).await?;
        let deactivated = replies.remove(BOOKINGS / 2);
        assert_eq!(deactivated.status, 200, "{deactivated:?}");
        for number in 0..2 {
            replies.push(scene.desk.send(&scene.base(number), &next(*patient_id)).await?);
        }
        for reply in &replies {
            if reply.status == 201 {
                booked += 1;
                continue;
            }
            let refusal = (409, ("booking-refused", vec!["patient_inactive"]));
            assert_eq!((reply.status, reply.refusal()), refusal, "{reply:?}");
            refused += 1;
        }
    }
    assert!(
        booked > 0 && refused > 2 * ROUNDS,
        "there was a race: {booked} booked, {refused} refused"
    );
    assert_none_booked_after_deactivation(&Log::read_sound(&scene.deployment).await?, &patients);
    Ok(())
}

fn assert_none_booked_after_deactivation(log: &Log, patients: &[Uuid]) {
    for patient_id in patients {
        let deactivated_at = log
            .of_stream(*patient_id)
            .find(|event| matches!(event.event, Event::Patient(PatientEvent::Deactivated(_))))
            .map(|event| event.position)
            .expect("the deactivation was acknowledged");
        for event in &log.events {
            if let Event::Appointment(AppointmentEvent::Booked(booked)) = &event.event
                && booked.patient_id.0 == *patient_id
            {
                assert!(
                    event.position < deactivated_at,
                    "booked at {} after {deactivated_at}",
                    event.position
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overbooked_time_is_free_when_the_last_booking_of_it_is_cancelled() -> anyhow::Result<()> {
    let _alone = ONE_AT_A_TIME.lock().await;
    let scene = Scene::open().await?;
    let practitioner_id = scene.practitioners(1).await?[0];
    let patients = scene.patients(52).await?;
    let ask = |patient: usize, process: usize| {
        let request = scene.booking(patients[patient], practitioner_id, 0);
        let (client, base) = (scene.desk.clone(), scene.base(process));
        async move { client.send(&base, &request).await }
    };
    let cancel = |appointment_id: Uuid, process: usize| {
        let path = format!("/appointments/{appointment_id}/cancel");
        let request = Request::post(path, json!({ "reason_code": "prov" }));
        let (client, base) = (scene.desk.clone(), scene.base(process));
        async move { client.must(&base, &request).await }
    };
    let taken = (409, ("booking-refused", vec!["practitioner_busy"]));

    let normal_id = ask(0, 0).await?.written()?.id;
    let mut over = scene.booking(patients[1], practitioner_id, 0);
    over.body["overbooking_reason_code"] = json!("urgent");
    let over_id = scene.desk.must(&scene.base(1), &over).await?;
    for process in 0..2 {
        let reply = ask(2, process).await?;
        assert_eq!(
            (reply.status, reply.refusal()),
            taken,
            "both are there: {reply:?}"
        );
    }
    cancel(normal_id, 1).await?;
    for process in 0..2 {
        let reply = ask(2, process).await?;
        assert_eq!(
            (reply.status, reply.refusal()),
            taken,
            "the overbooking is there: {reply:?}"
        );
    }
    cancel(over_id, 0).await?;
    let requests = patients[2..]
        .iter()
        .map(|patient| scene.booking(*patient, practitioner_id, 0))
        .collect();
    let replies = scene.at_once(&scene.desk, requests).await?;
    scene.assert_written_and_refused(&replies, 1, "booking-refused", "practitioner_busy");
    assert_eq!(bookings_in(&Log::read_sound(&scene.deployment).await?), 3);
    Ok(())
}
