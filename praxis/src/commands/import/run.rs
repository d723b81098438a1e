//! How does a folder get into the practice? Record by record through the command API, in an order that decides the same
//! however many are under way.

use std::collections::{BTreeSet, HashSet};

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use futures::future::join_all;
use http::StatusCode;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fhir::Kind;
use super::fhir::encounter::Visit;
use super::fhir::person::Person;
use super::fhir::read::Line;
use super::fhir::references::{Known, Pair};
use super::fhir::role::Role;
use super::folder::{Folder, Record, specialities};
use super::outcome::{self, Outcome};
use super::report::Report;
use super::waves::next_wave;
use crate::client::Client;

/// How often a record is sent again while others keep changing what it depends on.
const CONTENDED_ATTEMPTS_MAX: u32 = 10;

/// The version of a record to which nothing has happened since its registration.
const REGISTERED: u64 = 1;

/// An import under way.
pub struct Run<'a> {
    client: &'a Client,
    /// Part of every idempotency key. That a record is imported once is said by its source id, which the log claims and which
    /// outlives any key; a key only makes one sending of it safe to repeat. A key derived from the source id alone would be
    /// refused when the line has changed since, and would not tell a repeated sending from an earlier import.
    id: Uuid,
    known: Known,
    /// Records that were there before this import.
    earlier: HashSet<Uuid>,
    report: Report,
    bar: &'a ProgressBar,
}

/// A record to send.
struct Ready {
    number: u64,
    id: String,
    identifiers: BTreeSet<Pair>,
    command: Result<Command, BTreeSet<String>>,
}

struct Command {
    document: Value,
    death: Option<DateTime<Utc>>,
}

/// What became of a record, and which it is. A patient who is registered but whose death is refused is both.
struct Settled {
    outcome: Outcome,
    record_id: Option<Uuid>,
}

impl<'a> Run<'a> {
    /// An import of that id, which no other has.
    pub fn new(client: &'a Client, id: Uuid, bar: &'a ProgressBar) -> Self {
        Self {
            client,
            id,
            known: Known::default(),
            earlier: HashSet::new(),
            report: Report::default(),
            bar,
        }
    }

    /// Imports a folder.
    ///
    /// # Errors
    /// When the server cannot be reached, or will not be written to. What was recorded until then stays; a further import goes
    /// on after it.
    pub async fn import(mut self, folder: Folder) -> Result<Report> {
        self.report = folder.unreadable;
        self.records(Kind::Location, "/locations", folder.locations)
            .await?;
        let specialities = specialities(&folder.practitioners, &folder.roles, &self.known);
        let practitioners = folder.practitioners.into_iter().map(|line| {
            let none = BTreeSet::new();
            let document = line
                .value
                .practitioner(specialities.get(&line.id).unwrap_or(&none));
            let Person {
                identifiers, reasons, ..
            } = line.value;
            Line {
                number: line.number,
                id: line.id,
                value: Record {
                    document,
                    identifiers,
                    reasons,
                    death: None,
                },
            }
        });
        self.records(Kind::Practitioner, "/practitioners", practitioners.collect())
            .await?;
        self.roles(folder.roles);
        self.records(Kind::Patient, "/patients", folder.patients).await?;
        self.visits(folder.visits).await?;
        Ok(self.report)
    }

    /// Registers records. Those that share an identifier go one after the other: the first in the file has it.
    async fn records(&mut self, kind: Kind, path: &str, mut lines: Vec<Line<Record>>) -> Result<()> {
        self.bar.set_message(kind.name());
        lines.reverse();
        while !lines.is_empty() {
            let wave = next_wave(&mut lines, |line| {
                line.value.identifiers.iter().cloned().collect()
            });
            let ready = wave.into_iter().map(|line| {
                let Record {
                    document,
                    identifiers,
                    mut reasons,
                    death,
                } = line.value;
                if self.known.is_taken(kind, &line.id, &identifiers) {
                    reasons.insert("identifier_taken".to_owned());
                }
                let command = if reasons.is_empty() {
                    Ok(Command { document, death })
                } else {
                    Err(reasons)
                };
                Ready {
                    number: line.number,
                    id: line.id,
                    identifiers,
                    command,
                }
            });
            let ready = ready.collect();
            self.settle(kind, path, ready).await?;
        }
        Ok(())
    }

    /// Judges roles. They become no record: they describe practitioners, who are registered by now.
    fn roles(&mut self, lines: Vec<Line<Role>>) {
        let kind = Kind::PractitionerRole;
        for Line {
            number,
            id,
            value: role,
        } in lines
        {
            let mut reasons = role.reasons(&self.known);
            let practitioner = role
                .practitioner
                .and_then(|whose| self.known.resolve(Kind::Practitioner, &whose));
            if practitioner.is_none() {
                reasons.insert("practitioner_unknown".to_owned());
            }
            if !reasons.is_empty() {
                self.report.refused(kind, number, Some(&id), reasons);
            } else if practitioner.is_some_and(|practitioner| self.earlier.contains(&practitioner)) {
                self.report.unchanged(kind, &id);
            } else {
                self.report.recorded(kind, &id);
            }
            self.bar.inc(1);
        }
    }

    /// Records visits, those that share a patient or practitioner one after the other: of two that overlap the later one in
    /// the list is refused.
    async fn visits(&mut self, mut lines: Vec<Line<Visit>>) -> Result<()> {
        self.bar.set_message(Kind::Encounter.name());
        lines.reverse();
        while !lines.is_empty() {
            let known = &self.known;
            let wave = next_wave(&mut lines, |line| {
                let parties = line.value.parties(known);
                parties.patient.into_iter().chain(parties.practitioner).collect()
            });
            let ready = wave.into_iter().map(|line| {
                let document = line.value.document(line.value.parties(known));
                let command = document.map(|document| Command {
                    document,
                    death: None,
                });
                Ready {
                    number: line.number,
                    id: line.id,
                    identifiers: BTreeSet::new(),
                    command,
                }
            });
            let ready = ready.collect();
            self.settle(Kind::Encounter, "/appointments/record", ready)
                .await?;
        }
        Ok(())
    }

    /// Sends what can be sent, all at once, and notes what became of each.
    async fn settle(&mut self, kind: Kind, path: &str, wave: Vec<Ready>) -> Result<()> {
        let settled = join_all(wave.iter().map(|ready| self.send(kind, path, ready))).await;
        for (ready, settled) in wave.into_iter().zip(settled) {
            let Ready {
                number,
                id,
                identifiers,
                ..
            } = ready;
            let Settled { outcome, record_id } = settled.with_context(|| {
                format!(
                    "stopped at {} line {number}; what was recorded stays, import again to go on",
                    kind.file()
                )
            })?;
            if let Some(record_id) = record_id {
                self.known.remember(kind, id.clone(), &identifiers, record_id);
            }
            match outcome {
                Outcome::Recorded(_) => self.report.recorded(kind, &id),
                Outcome::Unchanged(record_id) => {
                    self.earlier.insert(record_id);
                    self.report.unchanged(kind, &id);
                }
                Outcome::Refused(reasons) => self.report.refused(kind, number, Some(&id), reasons),
            }
            self.bar.inc(1);
        }
        Ok(())
    }

    async fn send(&self, kind: Kind, path: &str, ready: &Ready) -> Result<Settled> {
        let Command { document, death } = match &ready.command {
            Ok(command) => command,
            Err(reasons) => {
                return Ok(Settled {
                    outcome: Outcome::Refused(reasons.clone()),
                    record_id: None,
                });
            }
        };
        let key = format!("import-fhir:{}:{}/{}", self.id, kind.name(), ready.id);
        let outcome = self.post(path, &key, document).await?;
        let record_id = match outcome {
            Outcome::Recorded(record_id) | Outcome::Unchanged(record_id) => Some(record_id),
            Outcome::Refused(_) => None,
        };
        let Some((patient_id, at)) = record_id.zip(*death) else {
            return Ok(Settled { outcome, record_id });
        };
        let refused = self.record_death(patient_id, at, &format!("{key}:death")).await?;
        Ok(Settled {
            outcome: refused.map_or(outcome, Outcome::Refused),
            record_id,
        })
    }

    async fn post(&self, path: &str, key: &str, document: &Value) -> Result<Outcome> {
        for _ in 0..CONTENDED_ATTEMPTS_MAX {
            if let Some(outcome) = outcome::of(&self.client.post(path, key, document).await?)? {
                return Ok(outcome);
            }
        }
        bail!("the record kept changing while it was imported")
    }

    /// Records a death, if nothing has happened to the record since its registration: an import that stopped in between is
    /// made whole, and what the practice has since corrected is not undone. Gives the reasons of a refusal.
    async fn record_death(
        &self,
        patient_id: Uuid,
        at: DateTime<Utc>,
        key: &str,
    ) -> Result<Option<BTreeSet<String>>> {
        let path = format!("/patients/{patient_id}/death");
        let document = json!({ "at": at.to_rfc3339_opts(SecondsFormat::AutoSi, true) });
        let answered = self.client.post_if_at(&path, key, &document, REGISTERED).await?;
        if answered.status == StatusCode::PRECONDITION_FAILED {
            return Ok(None);
        }
        match outcome::of(&answered)? {
            Some(Outcome::Refused(reasons)) => Ok(Some(reasons)),
            Some(Outcome::Recorded(_) | Outcome::Unchanged(_)) => Ok(None),
            None => bail!("the record kept changing while it was imported"),
        }
    }
}
