//! What is said at the end of an import: file by file what was recorded, what was there, and what is refused and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::fhir::Kind;

/// A line that is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// `Type/id`, where the line has an id.
    pub source: Option<String>,
    /// The file's name.
    pub file: String,
    /// The line's number, from 1.
    pub line: u64,
    /// Every reason, sorted.
    pub reasons: BTreeSet<String>,
}

/// What became of a file's lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// New records, `Type/id`, in the order in which they were judged.
    pub recorded: Vec<String>,
    /// Records of an earlier import, likewise.
    pub unchanged: Vec<String>,
    /// Lines that are refused, by number.
    pub refused: Vec<Refusal>,
}

/// What became of all files' lines.
#[derive(Clone, Debug, Default)]
pub struct Report {
    files: BTreeMap<Kind, FileReport>,
}

impl Report {
    /// Notes a new record.
    pub fn recorded(&mut self, kind: Kind, id: &str) {
        self.file(kind).recorded.push(source(kind, id));
    }

    /// Notes a record of an earlier import.
    pub fn unchanged(&mut self, kind: Kind, id: &str) {
        self.file(kind).unchanged.push(source(kind, id));
    }

    /// Notes a line that is refused.
    pub fn refused(&mut self, kind: Kind, line: u64, id: Option<&str>, reasons: BTreeSet<String>) {
        let refusal = Refusal {
            source: id.map(|id| source(kind, id)),
            file: kind.file(),
            line,
            reasons,
        };
        let refused = &mut self.file(kind).refused;
        let at = refused.partition_point(|before| before.line < line);
        refused.insert(at, refusal);
    }

    fn file(&mut self, kind: Kind) -> &mut FileReport {
        self.files.entry(kind).or_default()
    }

    fn in_order(&self) -> impl Iterator<Item = (String, FileReport)> {
        Kind::ALL
            .into_iter()
            .map(|kind| (kind.file(), self.files.get(&kind).cloned().unwrap_or_default()))
    }

    /// How many lines were handled.
    pub fn lines(&self) -> usize {
        self.files
            .values()
            .map(|file| file.recorded.len() + file.unchanged.len() + file.refused.len())
            .sum()
    }

    /// The whole report: `totals` and `files`, as the independent prediction prints them.
    pub fn json(&self) -> Value {
        let totals: BTreeMap<String, Value> = self
            .in_order()
            .map(|(name, file)| (name, json!({
                "recorded": file.recorded.len(), "unchanged": file.unchanged.len(), "refused": file.refused.len(),
            })))
            .collect();
        json!({ "totals": totals, "files": self.in_order().collect::<BTreeMap<_, _>>() })
    }

    /// A summary for people, ending with how long it took.
    pub fn text(&self, took: Duration) -> String {
        let mut text = String::new();
        let mut one_by_one = String::new();
        for (name, file) in self.in_order() {
            let (recorded, unchanged, refused) =
                (file.recorded.len(), file.unchanged.len(), file.refused.len());
            line(
                &mut text,
                format_args!("{name:24}{recorded:6} recorded {unchanged:6} unchanged {refused:6} refused"),
            );
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for refusal in &file.refused {
                let reasons = listed(&refusal.reasons);
                let source = refusal.source.as_deref().unwrap_or("-");
                line(
                    &mut one_by_one,
                    format_args!("  {}:{}  {source}  {reasons}", refusal.file, refusal.line),
                );
                *counts.entry(reasons).or_default() += 1;
            }
            for (reasons, count) in counts {
                line(&mut text, format_args!("    {count:6}  {reasons}"));
            }
        }
        if !one_by_one.is_empty() {
            line(&mut text, format_args!("Refused, one by one:"));
            text.push_str(&one_by_one);
        }
        let lines = self.lines();
        let rate = u128::try_from(lines).unwrap_or_default() * 1_000 / took.as_millis().max(1);
        line(
            &mut text,
            format_args!("{lines} records in {:.1} s, {rate} a second", took.as_secs_f64()),
        );
        text
    }
}

fn source(kind: Kind, id: &str) -> String {
    format!("{}/{id}", kind.name())
}

fn listed(reasons: &BTreeSet<String>) -> String {
    reasons.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Adds a line; writing to a string cannot fail.
fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Kind, Report};

    fn report() -> Report {
        let mut report = Report::default();
        let because = |reason: &str| [reason.to_owned()].into();
        report.recorded(Kind::Patient, "b");
        report.recorded(Kind::Patient, "a");
        report.unchanged(Kind::Location, "main");
        report.refused(
            Kind::Patient,
            9,
            Some("c"),
            ["x".to_owned(), "malformed".to_owned()].into(),
        );
        report.refused(Kind::Patient, 3, None, because("malformed"));
        report.refused(Kind::Patient, 4, None, because("malformed"));
        report
    }

    #[test]
    fn records_stay_in_the_order_they_were_judged_and_refusals_are_by_line() {
        let document = report().json();
        assert_eq!(
            document["files"]["Patient.ndjson"]["recorded"],
            json!(["Patient/b", "Patient/a"])
        );
        assert_eq!(
            document["totals"]["Patient.ndjson"],
            json!({ "recorded": 2, "unchanged": 0, "refused": 3 })
        );
        assert_eq!(
            document["totals"]["Encounter.ndjson"],
            json!({ "recorded": 0, "unchanged": 0, "refused": 0 })
        );
        let refused = &document["files"]["Patient.ndjson"]["refused"];
        assert_eq!(
            refused[0],
            json!({ "source": null, "file": "Patient.ndjson", "line": 3, "reasons": ["malformed"] })
        );
        assert_eq!(refused[2]["reasons"], json!(["malformed", "x"]));
    }

    #[test]
    fn the_summary_counts_names_and_times() {
        let text = report().text(Duration::from_secs(2));
        let expected = "\
Location.ndjson              0 recorded      1 unchanged      0 refused
Practitioner.ndjson          0 recorded      0 unchanged      0 refused
PractitionerRole.ndjson      0 recorded      0 unchanged      0 refused
Patient.ndjson               2 recorded      0 unchanged      3 refused
         2  malformed
         1  malformed, x
Encounter.ndjson             0 recorded      0 unchanged      0 refused
Refused, one by one:
  Patient.ndjson:3  -  malformed
  Patient.ndjson:4  -  malformed
  Patient.ndjson:9  Patient/c  malformed, x
6 records in 2.0 s, 3 a second
";
        assert_eq!(text, expected);
    }
}
