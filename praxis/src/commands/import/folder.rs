//! What is in the folder that is imported?

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::fhir::Kind;
use super::fhir::encounter::Visit;
use super::fhir::life::life;
use super::fhir::location::Site;
use super::fhir::person::Person;
use super::fhir::read::{Line, Lines, read_file};
use super::fhir::references::{Known, Pair};
use super::fhir::role::Role;
use super::report::Report;

/// A site, a practitioner or a patient, ready to be sent if there is nothing wrong with it.
pub struct Record {
    /// The document that registers it.
    pub document: Value,
    /// Identifiers: for references, and no two records of a type may share one.
    pub identifiers: BTreeSet<Pair>,
    /// What is wrong with it.
    pub reasons: BTreeSet<String>,
    /// When the patient died.
    pub death: Option<DateTime<Utc>>,
}

/// The resources of a folder, in the order of their lines but for the visits.
pub struct Folder {
    /// Sites.
    pub locations: Vec<Line<Record>>,
    /// Practitioners, not yet with their specialities.
    pub practitioners: Vec<Line<Person>>,
    /// What practitioners do.
    pub roles: Vec<Line<Role>>,
    /// Patients.
    pub patients: Vec<Line<Record>>,
    /// Visits by start, then by id in byte order; those without a valid time come last. The order decides which of two that
    /// overlap is refused.
    pub visits: Vec<Line<Visit>>,
    /// The lines that could not be read.
    pub unreadable: Report,
}

impl Folder {
    /// Reads a folder; `zone` is that of sites which state none.
    ///
    /// # Errors
    /// When none of the files is there, or one cannot be read.
    pub fn read(path: &Path, zone: &str, now: DateTime<Utc>) -> Result<Self> {
        if !Kind::ALL.into_iter().any(|kind| path.join(kind.file()).is_file()) {
            let names: Vec<String> = Kind::ALL.into_iter().map(Kind::file).collect();
            bail!("there is no {} in {}", names.join(", "), path.display());
        }
        let mut unreadable = Report::default();
        let locations = read_file(path, Kind::Location, |record| {
            let Site {
                document,
                identifiers,
                reasons,
            } = Site::read(record, zone)?;
            Ok(Record {
                document,
                identifiers,
                reasons,
                death: None,
            })
        })?;
        let practitioners = read_file(path, Kind::Practitioner, |record| {
            Person::read(Kind::Practitioner, record)
        })?;
        let roles = read_file(path, Kind::PractitionerRole, Role::read)?;
        let patients = read_file(path, Kind::Patient, |record| {
            let Person {
                document,
                identifiers,
                mut reasons,
            } = Person::read(Kind::Patient, record)?;
            let life = life(record, now)?;
            reasons.extend(life.reasons);
            Ok(Record {
                document,
                identifiers,
                reasons,
                death: life.death,
            })
        })?;
        let mut visits = read_file(path, Kind::Encounter, Visit::read)?;
        visits
            .resources
            .sort_by(|one, other| order(one).cmp(&order(other)));
        Ok(Self {
            locations: readable(Kind::Location, locations, &mut unreadable),
            practitioners: readable(Kind::Practitioner, practitioners, &mut unreadable),
            roles: readable(Kind::PractitionerRole, roles, &mut unreadable),
            patients: readable(Kind::Patient, patients, &mut unreadable),
            visits: readable(Kind::Encounter, visits, &mut unreadable),
            unreadable,
        })
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        let people = self.practitioners.len() + self.patients.len();
        self.locations.len() + people + self.roles.len() + self.visits.len()
    }
}

/// The specialities of each practitioner, by id: those that sound roles state.
pub fn specialities(
    practitioners: &[Line<Person>],
    roles: &[Line<Role>],
    known: &Known,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut index = Known::default();
    // Nobody is registered yet, so a line number stands for the id of the record that is to be.
    for line in practitioners {
        let number = uuid::Uuid::from_u128(line.number.into());
        index.remember(
            Kind::Practitioner,
            line.id.clone(),
            &line.value.identifiers,
            number,
        );
    }
    let mut of_lines: BTreeMap<uuid::Uuid, BTreeSet<String>> = BTreeMap::new();
    for role in roles
        .iter()
        .map(|line| &line.value)
        .filter(|role| role.reasons(known).is_empty())
    {
        let whose = role
            .practitioner
            .as_ref()
            .and_then(|whose| index.resolve(Kind::Practitioner, whose));
        if let Some(number) = whose {
            of_lines
                .entry(number)
                .or_default()
                .extend(role.specialities.iter().cloned());
        }
    }
    let take = |line: &Line<Person>| {
        let found = of_lines.get(&uuid::Uuid::from_u128(line.number.into()))?;
        Some((line.id.clone(), found.clone()))
    };
    practitioners.iter().filter_map(take).collect()
}

fn order(line: &Line<Visit>) -> (bool, Option<DateTime<Utc>>, &str) {
    let starts = line.value.time.map(|(starts, _)| starts);
    (starts.is_none(), starts, &line.id)
}

fn readable<T>(kind: Kind, lines: Lines<T>, report: &mut Report) -> Vec<Line<T>> {
    for line in lines.unreadable {
        report.refused(
            kind,
            line.number,
            line.id.as_deref(),
            BTreeSet::from([line.reason.to_owned()]),
        );
    }
    lines.resources
}
