//! How are the settings shown: to the operator who checks them, and on the reference page?

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::read::{Config, Entry};
use super::setting::{Program, Spec};
use super::settings;
use super::values::REDACTED;

/// What a value is shown as; `None` if there is none.
fn shown(entry: &Entry) -> Option<&str> {
    let text = entry.text.as_deref()?;
    Some(if entry.spec.secret { REDACTED } else { text })
}

/// What `config check` prints: one line a setting, and the faults after it.
pub fn text(config: &Config) -> String {
    let width = config
        .entries()
        .iter()
        .map(|entry| entry.spec.name.len())
        .max()
        .unwrap_or_default();
    let mut lines = Vec::new();
    for entry in config.entries() {
        let value = shown(entry).unwrap_or("-");
        lines.push(format!(
            "{:width$}  {:11}  {value}",
            entry.spec.name,
            entry.source.to_string()
        ));
    }
    let faults = config.faults();
    lines.push(match faults.len() {
        0 => format!("\nno faults for {}", config.program().name()),
        1 => format!("\n1 fault for {}:", config.program().name()),
        count => format!("\n{count} faults for {}:", config.program().name()),
    });
    lines.extend(
        faults
            .iter()
            .map(|fault| format!("  {} {}", fault.name, fault.message)),
    );
    lines.join("\n") + "\n"
}

/// What `config check --json` prints.
pub fn json(config: &Config) -> Value {
    let settings = config.entries().iter().map(|entry| {
        json!({
            "name": entry.spec.name,
            "source": entry.source.to_string(),
            "value": shown(entry),
            "fault": entry.fault,
        })
    });
    let faults = config.faults();
    let faults = faults
        .iter()
        .map(|fault| json!({ "name": fault.name, "message": fault.message }));
    json!({
        "program": config.program().name(),
        "settings": settings.collect::<Vec<_>>(),
        "faults": faults.collect::<Vec<_>>(),
    })
}

/// The reference page, `docs/configuration.md`.
pub fn page() -> String {
    let mut page = String::from(PAGE_HEAD);
    for spec in settings::ALL {
        page.push_str(&section(spec));
    }
    page
}

const PAGE_HEAD: &str = "\
# Configuration

Generated from the settings' description in the code; a test fails when this page is stale.

Every setting is an environment variable. A secret may instead be put into a file, whose path is given by the variable
with `_FILE` appended; a newline at its end is not part of the value, and of both variables only one may be set. Several
files are separated by commas and read one after the other. A file may be of 1 MiB; Linux starts no program with a
variable of more than 128 KiB. A variable that begins with `PRAXIS_` and is no setting is a fault, so that a misspelt
name does not silently change nothing. `config check` shows what a program would read, and every fault. Names that begin
with `PRAXIS_TEST_`, `PRAXIS_DEV_`, `PRAXIS_CI_` or `PRAXIS_SOAK_` are left to the tests and scripts of development.
";

fn section(spec: &Spec) -> String {
    let names = |programs: &[Program]| {
        programs
            .iter()
            .map(|program| program.name())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut rows = vec![("Kind", spec.kind.to_owned())];
    if let Some((least, greatest)) = spec.range {
        rows.push(("Range", format!("{least} to {greatest}")));
    }
    rows.extend(spec.file_name().map(|file| ("From a file", format!("`{file}`"))));
    rows.push(("Read by", names(spec.read_by)));
    if !spec.required_by.is_empty() {
        rows.push(("Required by", names(spec.required_by)));
    }
    rows.extend(defaults(spec).map(|defaults| ("Default", defaults)));
    let mut section = format!(
        "\n## `{}`\n\nThe {}.\n\n| | |\n|---|---|\n",
        spec.name, spec.meaning
    );
    for (label, value) in rows {
        let _ = writeln!(section, "| {label} | {value} |");
    }
    section
}

/// The defaults of the programs that read a setting; programs with one default are named together.
fn defaults(spec: &Spec) -> Option<String> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for program in spec.read_by {
        let Some(text) = spec.default_of(*program) else {
            continue;
        };
        match groups.iter_mut().find(|(present, _)| *present == text) {
            Some((_, programs)) => programs.push(program.name()),
            None => groups.push((text, vec![program.name()])),
        }
    }
    match groups.as_slice() {
        [] => None,
        [(text, _)] => Some(format!("`{text}`")),
        several => {
            let parts = several
                .iter()
                .map(|(text, programs)| format!("`{text}` ({})", programs.join(", ")));
            Some(parts.collect::<Vec<_>>().join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    const KEY: &str = "00000000-0000-0000-0000-00000000feed:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    fn config(variables: &[(&str, &str)]) -> Config {
        let environment = variables
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Config::read(Program::Serve, environment, &[])
    }

    #[test]
    fn a_check_shows_name_source_value_and_faults() {
        let text = text(&config(&[
            ("PRAXIS_LISTEN", "127.0.0.1:80"),
            ("PRAXIS_LOGS", "info"),
        ]));
        let listen = text
            .lines()
            .find(|line| line.starts_with("PRAXIS_LISTEN "))
            .unwrap();
        assert_eq!(
            listen.split_whitespace().collect::<Vec<_>>(),
            ["PRAXIS_LISTEN", "environment", "127.0.0.1:80"]
        );
        let end = "\n1 fault for praxis serve:\n  PRAXIS_LOGS is not a setting; did you mean PRAXIS_LOG?\n";
        assert!(text.ends_with(end), "{text}");
    }

    #[test]
    fn a_check_shows_no_secret() {
        let config = config(&[("PRAXIS_KEK", KEY)]);
        let (text, json) = (text(&config), json(&config).to_string());
        assert!(!text.contains("feed") && !json.contains("feed"));
        assert!(text.contains(REDACTED) && json.contains(REDACTED));
    }

    #[test]
    fn a_check_as_json_lists_every_setting_the_program_reads() {
        let json = json(&config(&[("PRAXIS_LISTEN", "nowhere")]));
        let settings = json["settings"].as_array().unwrap();
        let read = settings::ALL
            .iter()
            .filter(|spec| spec.read_by.contains(&Program::Serve))
            .count();
        assert_eq!(settings.len(), read);
        assert_eq!(settings[0]["source"], "environment");
        assert_eq!(json["faults"][0]["name"], "PRAXIS_LISTEN");
        assert_eq!(json["faults"][0]["message"], settings[0]["fault"]);
    }

    #[test]
    fn the_page_has_a_section_for_every_setting() {
        let page = page();
        for spec in settings::ALL {
            let heading = format!("\n## `{}`\n\nThe {}.\n", spec.name, spec.meaning);
            assert!(page.contains(&heading), "{}", spec.name);
        }
        assert_eq!(page.matches("\n## ").count(), settings::ALL.len());
        assert!(page.contains("| From a file | `PRAXIS_KEK_FILE` |"));
        assert!(
            page.contains("`127.0.0.1:8080` (praxis serve); `0.0.0.0:8080` (command-api, query-api)"),
            "{page}"
        );
    }
}
