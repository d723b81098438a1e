//! What do the environment and the command line say, and everything that is wrong with it?

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

use thiserror::Error;

use super::setting::{Program, Setting, SettingValue, Spec};
use super::settings;
use super::values::{CertificatesPem, DatabaseUrl};

/// All names the product reads from the environment begin so.
const PREFIX: &str = "PRAXIS_";
/// Names that begin so belong to the tests and scripts of development, which start the programs with them set.
const DEVELOPMENT_PREFIXES: [&str; 4] = ["PRAXIS_TEST_", "PRAXIS_DEV_", "PRAXIS_CI_", "PRAXIS_SOAK_"];
/// Largest file a setting is read from, bytes: what a Secret of Kubernetes can hold. AWS' bundle of the authorities of all
/// regions is a sixth of it.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Most letters a name may be off to be suggested.
const HINT_DISTANCE_MAX: usize = 4;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody said, and there is no default.
    Unset,
    /// Nobody said.
    Default,
    /// The variable of that name.
    Environment,
    /// The files that the `…_FILE` variable names.
    File,
    /// The command line.
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unset => "unset",
            Self::Default => "default",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Flag => "flag",
        })
    }
}

/// Something wrong with one setting, or with a name that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    /// The variable.
    pub name: String,
    /// What is wrong, to be read after the name; no value in it.
    pub message: String,
}

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub struct ConfigFaults(pub Vec<SettingFault>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings have faults")?;
        self.0
            .iter()
            .try_for_each(|fault| write!(f, "\n  {} {}", fault.name, fault.message))
    }
}

/// A setting is not set.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{0} is not set")]
pub struct NotSet(pub &'static str);

/// One setting as it was read.
#[derive(Clone)]
pub struct Entry {
    /// Its description.
    pub spec: &'static Spec,
    /// Where its value comes from.
    pub source: Source,
    pub(crate) text: Option<String>,
    /// What is wrong with it.
    pub fault: Option<String>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.spec.name)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// The settings of one program as they were read at one moment, good or not.
#[derive(Clone, Debug)]
pub struct Config {
    program: Program,
    entries: Vec<Entry>,
    strangers: Vec<SettingFault>,
}

impl Config {
    /// Reads the environment of this process. `flags` are values of the command line, which win.
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one home of the environment"
    )]
    pub fn from_environment(program: Program, flags: &[(&'static Spec, String)]) -> Self {
        // `vars_os`: `vars` panics at a variable that is not UTF-8, whoever's it is.
        Self::read(program, std::env::vars_os(), flags)
    }

    /// Reads that environment.
    pub fn read(
        program: Program,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &[(&'static Spec, String)],
    ) -> Self {
        let variables: BTreeMap<String, OsString> = environment
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| name.starts_with(PREFIX))
            .filter(|(name, _)| !DEVELOPMENT_PREFIXES.iter().any(|own| name.starts_with(own)))
            .collect();
        let read = settings::ALL
            .iter()
            .filter(|spec| spec.read_by.contains(&program));
        let mut entries: Vec<Entry> = read.map(|spec| entry(spec, program, &variables, flags)).collect();
        verify_databases(&mut entries);
        Self {
            program,
            entries,
            strangers: strangers(&variables),
        }
    }

    /// These settings, if nothing is wrong with them.
    pub fn checked(self) -> Result<Self, ConfigFaults> {
        let faults = self.faults();
        if faults.is_empty() {
            Ok(self)
        } else {
            Err(ConfigFaults(faults))
        }
    }

    /// Everything that is wrong.
    pub fn faults(&self) -> Vec<SettingFault> {
        let of_settings = self.entries.iter().filter_map(|entry| {
            let message = entry.fault.clone()?;
            Some(SettingFault {
                name: entry.spec.name.to_owned(),
                message,
            })
        });
        of_settings.chain(self.strangers.iter().cloned()).collect()
    }

    /// Which program these are the settings of.
    pub fn program(&self) -> Program {
        self.program
    }

    /// The settings the program reads, in the order of the reference page.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The value of a setting; `None` if it is unset, faulty, or not read by this program.
    pub fn get<T: SettingValue>(&self, setting: &Setting<T>) -> Option<T> {
        self.value_of(setting.spec.name)
    }

    /// The value of a setting that has a default or is required.
    pub fn require<T: SettingValue>(&self, setting: &Setting<T>) -> Result<T, NotSet> {
        self.get(setting).ok_or(NotSet(setting.spec.name))
    }

    /// The number of a setting that has a default or is required, for crates that know settings by name only.
    pub fn number(&self, name: &'static str) -> Result<u32, NotSet> {
        self.value_of(name).ok_or(NotSet(name))
    }

    /// The text of a setting that is set or has a default, for such crates; it may be secret.
    pub fn text(&self, name: &'static str) -> Option<String> {
        let entry = self.entries.iter().find(|entry| entry.spec.name == name)?;
        entry.text.clone()
    }

    fn value_of<T: SettingValue>(&self, name: &str) -> Option<T> {
        let entry = self.entries.iter().find(|entry| entry.spec.name == name)?;
        T::parse(entry.text.as_deref()?).ok()
    }
}

fn entry(
    spec: &'static Spec,
    program: Program,
    variables: &BTreeMap<String, OsString>,
    flags: &[(&'static Spec, String)],
) -> Entry {
    match find(spec, program, variables, flags) {
        Ok((source, text)) => {
            let fault = match &text {
                Some(text) if text.is_empty() => Some("is empty; unset it or give it a value".to_owned()),
                Some(text) => spec.check(text).err(),
                None if spec.required_by.contains(&program) => Some(missing(spec)),
                None => None,
            };
            Entry {
                spec,
                source,
                text,
                fault,
            }
        }
        Err((source, fault)) => Entry {
            spec,
            source,
            text: None,
            fault: Some(fault),
        },
    }
}

/// Where `PRAXIS_DATABASE_CA` is set, the addresses of databases are such that whoever connects verifies the server: no
/// caller can forget to.
fn verify_databases(entries: &mut [Entry]) {
    let by = entries
        .iter()
        .find(|entry| entry.spec.name == settings::DATABASE_CA.spec.name);
    let Some(Ok(certificates)) = by.and_then(|by| by.text.as_deref()).map(CertificatesPem::parse) else {
        return;
    };
    let addresses = [settings::EVENTS_URL.spec.name, settings::VIEWS_URL.spec.name];
    for entry in entries
        .iter_mut()
        .filter(|entry| addresses.contains(&entry.spec.name))
    {
        if let Some(Ok(url)) = entry.text.as_deref().map(DatabaseUrl::parse) {
            entry.text = Some(url.verified_by(&certificates).expose().to_owned());
        }
    }
}

fn missing(spec: &Spec) -> String {
    match spec.file_name() {
        Some(file) => format!("is required; set it, or {file} to the path of a file"),
        None => "is required".to_owned(),
    }
}

/// The text of a setting and where it comes from: flag, variable, file, default, in this order.
fn find(
    spec: &'static Spec,
    program: Program,
    variables: &BTreeMap<String, OsString>,
    flags: &[(&'static Spec, String)],
) -> Result<(Source, Option<String>), (Source, String)> {
    if let Some((_, text)) = flags.iter().find(|(flag, _)| flag.name == spec.name) {
        return Ok((Source::Flag, Some(text.clone())));
    }
    let value = variables.get(spec.name);
    let file = spec.file_name().and_then(|name| variables.get(&name));
    match (value, file) {
        (Some(_), Some(_)) => Err((
            Source::Environment,
            format!("and {}_FILE are both set; keep one", spec.name),
        )),
        (Some(value), None) => match value.to_str() {
            Some(text) => Ok((Source::Environment, Some(text.to_owned()))),
            None => Err((Source::Environment, "is not UTF-8".to_owned())),
        },
        (None, Some(paths)) => match paths.to_str() {
            Some(paths) => read_files(paths).map(|text| (Source::File, Some(text))),
            None => Err("names a file by a path that is not UTF-8".to_owned()),
        }
        .map_err(|fault| (Source::File, fault)),
        (None, None) => match spec.default_of(program) {
            Some(text) => Ok((Source::Default, Some(text.to_owned()))),
            None => Ok((Source::Unset, None)),
        },
    }
}

/// The files at these paths, separated by commas, one after the other; a trailing newline is not part of a value.
fn read_files(paths: &str) -> Result<String, String> {
    let texts = paths.split(',').map(|path| read_file(path.trim()));
    let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
    let trimmed: Vec<&str> = texts
        .iter()
        .map(|text| text.trim_end_matches(['\n', '\r']))
        .collect();
    Ok(trimmed.join("\n"))
}

/// Reads no further than one byte too many: a pipe or a device does not say beforehand how much it holds.
fn read_file(path: &str) -> Result<String, String> {
    let fault = |error: io::Error| format!("names {path}: {}", error.kind());
    let mut file = File::open(path).map_err(fault)?.take(FILE_BYTES_MAX + 1);
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(fault)?;
    if file.limit() == 0 {
        return Err(format!("names {path}: larger than {FILE_BYTES_MAX} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| format!("names {path}: not UTF-8"))
}

/// The variables that look like settings and are none.
fn strangers(variables: &BTreeMap<String, OsString>) -> Vec<SettingFault> {
    let known: Vec<String> = settings::ALL
        .iter()
        .flat_map(|spec| [Some(spec.name.to_owned()), spec.file_name()])
        .flatten()
        .collect();
    let unknown = variables
        .iter()
        .filter(|(name, value)| !known.contains(*name) && !is_service_link(name, value));
    let faults = unknown.map(|(name, _)| {
        let nearest = known.iter().map(|known| (distance(name, known), known)).min();
        let message = match nearest {
            Some((distance, known)) if distance <= HINT_DISTANCE_MAX => {
                format!("is not a setting; did you mean {known}?")
            }
            Some(_) | None => "is not a setting".to_owned(),
        };
        SettingFault {
            name: name.clone(),
            message,
        }
    });
    faults.collect()
}

/// Kubernetes puts `PRAXIS_QUERY_API_SERVICE_HOST` and the like into every pod beside a service `praxis-query-api`;
/// nobody wrote those, so they are no misspelt settings.
fn is_service_link(name: &str, value: &OsString) -> bool {
    let address = value.to_str().is_some_and(|value| value.contains("://"));
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.contains("_PORT_") && (name.contains("_TCP") || name.contains("_UDP"))
        || name.ends_with("_PORT") && address
}

/// How many letters must be changed, added or removed to get from one name to the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, letter) in from.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        row[0] = left;
        for (j, other) in to.iter().enumerate() {
            let above = row[j + 1];
            left = (diagonal + usize::from(letter != *other))
                .min(above + 1)
                .min(left + 1);
            diagonal = above;
            row[j + 1] = left;
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests;
