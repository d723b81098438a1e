//! Does a day of the practice pass through the gateway, each request answered by the service that it is for?

use anyhow::{Context as _, ensure};
use chrono::TimeDelta;
use praxis_auth::claims::Role;
use praxis_system_tests::client::{Client, Reply, Request, bookable_morning};
use reqwest::Method;
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};
use uuid::Uuid;

use crate::docker::{log_of, running};
use crate::scene::{GATEWAY, Scene};

const COMMAND_API: &str = "command-api";
const QUERY_API: &str = "query-api";
/// A line of a log is seen by then.
const LOGGED_WITHIN: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// A request of the story: what it was, whose it is, and the id by which the service that answered logged it.
struct Step {
    what: &'static str,
    belongs_to: &'static str,
    correlation_id: String,
}

/// Who acts, and what was asked so far.
struct Story<'a> {
    scene: &'a Scene,
    steps: Vec<Step>,
}

pub async fn run(scene: &Scene) -> anyhow::Result<()> {
    let mut story = Story {
        scene,
        steps: Vec::new(),
    };
    story.tell().await?;
    let answered = assert_answered_by_whom_it_is_for(&story.steps).await;
    scene
        .report
        .check("each request was answered by its service", answered);
    Ok(())
}

impl Story<'_> {
    /// Who is a request for, and which id has it in the logs?
    fn keep(&mut self, what: &'static str, belongs_to: &'static str, reply: &Reply) -> anyhow::Result<()> {
        let id = reply
            .headers
            .get("x-correlation-id")
            .context("an answer has a correlation id")?;
        self.steps.push(Step {
            what,
            belongs_to,
            correlation_id: id.to_str()?.to_owned(),
        });
        Ok(())
    }

    async fn write(&mut self, what: &'static str, who: &Client, request: &Request) -> anyhow::Result<Reply> {
        let reply = who.send(GATEWAY, request).await?;
        ensure!(reply.is_written(), "{what}: {reply:?}");
        self.keep(what, COMMAND_API, &reply)?;
        let written = reply.written()?;
        self.scene.report.check(
            what,
            Ok(format!(
                "version {} at position {}",
                written.version, written.position
            )),
        );
        Ok(reply)
    }

    /// Reads no older state than after `after`.
    async fn read(
        &mut self,
        what: &'static str,
        who: &Client,
        path: &str,
        after: &Reply,
    ) -> anyhow::Result<Reply> {
        let reply = who.get(GATEWAY, path, Some(after.position()?)).await?;
        ensure!(reply.status == 200, "{what}: {reply:?}");
        self.keep(what, QUERY_API, &reply)?;
        Ok(reply)
    }

    async fn tell(&mut self) -> anyhow::Result<()> {
        let desk = self.scene.client(Role::Staff, None)?;
        let admin = self.scene.client(Role::Admin, None)?;
        let registered = self
            .write("a patient is registered", &desk, &Request::register_patient())
            .await?;
        let patient_id = registered.written()?.id;
        let practitioner = Request::register_practitioner();
        let practitioner = self
            .write("a practitioner is registered", &admin, &practitioner)
            .await?;
        let doctor_id = practitioner.written()?.id;
        let location = self
            .write("a location is registered", &admin, &Request::register_location())
            .await?;

        let morning = bookable_morning();
        let booking = |minutes: i64| {
            let starts = morning + TimeDelta::minutes(minutes);
            let body = json!({
                "patient_id": patient_id, "practitioner_id": doctor_id,
                "location_id": location.body["id"],
                "starts": starts.to_rfc3339(), "ends": (starts + TimeDelta::minutes(30)).to_rfc3339(),
            });
            Request::post("/appointments", body)
        };
        let booked = self.write("a visit is booked", &desk, &booking(0)).await?;
        let overlapping = desk.send(GATEWAY, &booking(15)).await?;
        self.keep("the overlapping booking", COMMAND_API, &overlapping)?;
        let (code, reasons) = overlapping.refusal();
        self.scene.report.check("the overlapping booking is refused", {
            let refused = (overlapping.status, code, overlapping.is_problem())
                == (409, "booking-refused", true)
                && reasons.contains(&"practitioner_busy")
                && reasons.contains(&"patient_busy");
            if refused {
                Ok(format!("409 {code} {reasons:?}"))
            } else {
                Err(anyhow::anyhow!("{overlapping:?}"))
            }
        });

        let day = format!(
            "/appointments?practitioner_id={doctor_id}&date={}",
            morning.date_naive()
        );
        let listed = self.read("the day", &desk, &day, &booked).await?;
        self.found(
            "the day lists the visit and nothing else",
            {
                let ids: Vec<&str> = listed.body["items"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|visit| visit["id"].as_str())
                    .collect();
                ids == [booked.written()?.id.to_string()]
            },
            &listed,
        );
        self.conversation(patient_id, doctor_id).await?;
        self.earlier(&desk, &registered).await
    }

    fn found(&self, what: &str, is_so: bool, reply: &Reply) {
        let outcome = if is_so {
            Ok(format!("{} bytes of it", reply.text.len()))
        } else {
            Err(anyhow::anyhow!("{reply:?}"))
        };
        self.scene.report.check(what, outcome);
    }

    async fn conversation(&mut self, patient_id: Uuid, doctor_id: Uuid) -> anyhow::Result<()> {
        let doctor = self.scene.client(Role::Doctor, Some(doctor_id))?;
        let participants = [json!({ "kind": "practitioner", "id": doctor_id })];
        let body = json!({ "patient_id": patient_id, "participants": participants, "topic": "probe" });
        let begun = self
            .write(
                "a conversation is begun",
                &doctor,
                &Request::post("/threads", body),
            )
            .await?;
        let path = format!("/threads/{}/messages", begun.written()?.id);
        let message = Request::post(path.clone(), json!({ "body": "all is well" }));
        let sent = self.write("a message is sent", &doctor, &message).await?;
        let read = self.read("the messages", &doctor, &path, &sent).await?;
        self.found("the message is read", read.text.contains("all is well"), &read);
        Ok(())
    }

    /// A correction, and the record before it.
    async fn earlier(&mut self, desk: &Client, registered: &Reply) -> anyhow::Result<()> {
        let path = format!("/patients/{}", registered.written()?.id);
        let correction = Request {
            method: Method::PUT,
            ..Request::post(
                path.clone(),
                json!({ "family_name": "Renamed", "reason": "misheard" }),
            )
        };
        let corrected = self
            .write("the patient's name is corrected", desk, &correction)
            .await?;
        let now = self.read("the patient", desk, &path, &corrected).await?;
        self.found("the new name is read", now.text.contains("Renamed"), &now);
        let history = self
            .read("the history", desk, &format!("{path}/history"), &corrected)
            .await?;
        let types: Vec<&str> = history.body["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|event| event["type"].as_str())
            .collect();
        self.found(
            "the history has both events in order",
            types == ["patient.registered", "patient.details-corrected"],
            &history,
        );
        let as_of = format!("{path}?as_of={}", registered.position()?);
        let then = self
            .read("the patient as it was", desk, &as_of, &corrected)
            .await?;
        self.found(
            "the patient as it was has the old name",
            then.text.contains("Probe") && !then.text.contains("Renamed"),
            &then,
        );
        let search = Request::post("/patients/search", json!({ "name": "Renamed" }));
        let found = desk.send(GATEWAY, &search).await?;
        self.keep("the search", QUERY_API, &found)?;
        let id = registered.written()?.id.to_string();
        self.found(
            "the search finds the new name",
            found.status == 200 && found.text.contains(&id),
            &found,
        );
        Ok(())
    }
}

/// By the logs: the id of each request is in that of its service, and not in that of the other.
async fn assert_answered_by_whom_it_is_for(steps: &[Step]) -> anyhow::Result<String> {
    let deadline = Instant::now() + LOGGED_WITHIN;
    loop {
        let (command_log, query_log) = (logs_of(COMMAND_API).await?, logs_of(QUERY_API).await?);
        let fault = steps.iter().find_map(|step| {
            let by = match (
                command_log.contains(&step.correlation_id),
                query_log.contains(&step.correlation_id),
            ) {
                (true, false) => COMMAND_API,
                (false, true) => QUERY_API,
                (true, true) => "both",
                (false, false) => "neither, as their logs say",
            };
            (by != step.belongs_to).then(|| {
                format!(
                    "{} is for {}, and was answered by {by}",
                    step.what, step.belongs_to
                )
            })
        });
        match fault {
            None => {
                let of = |service: &str| steps.iter().filter(|step| step.belongs_to == service).count();
                return Ok(format!(
                    "{} by {COMMAND_API}, {} by {QUERY_API}",
                    of(COMMAND_API),
                    of(QUERY_API)
                ));
            }
            Some(fault) => ensure!(Instant::now() < deadline, "{fault}"),
        }
        sleep(POLL_INTERVAL).await;
    }
}

async fn logs_of(service: &str) -> anyhow::Result<String> {
    let mut all = String::new();
    for container in running(service).await? {
        all.push_str(&log_of(&container).await?);
    }
    Ok(all)
}
