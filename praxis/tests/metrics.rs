//! Does docs/metrics.md list exactly what the programs count, each with its type and labels?
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is a test's report; clippy exempts test functions only"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../../docs/metrics.md");
const FOLDERS: [&str; 5] = ["crates", "command-api", "query-api", "projector", "praxis"];

/// Type and labels by name.
type Metrics = BTreeMap<String, (String, BTreeSet<String>)>;

/// The texts between quotes.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

/// What a source file counts, its tests left out.
fn counted(source: &str, found: &mut Metrics) {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    for kind in ["counter", "gauge", "histogram"] {
        let macro_call = format!("metrics::{kind}!(");
        for (at, _) in source.match_indices(&macro_call) {
            let rest = &source[at + macro_call.len()..];
            // The call's own parentheses.
            let mut depth = 1;
            let end = rest.find(|character| {
                depth += i32::from(character == '(') - i32::from(character == ')');
                depth == 0
            });
            let arguments = &rest[..end.unwrap()];
            // A name in a variable is only begun at nought there, and counted elsewhere.
            let Some(name) = literals(arguments)
                .next()
                .filter(|name| name.starts_with("praxis_"))
            else {
                continue;
            };
            let labels = if arguments.contains("&labels") {
                let before = &source[..at];
                let array = &before[before.rfind("let labels = [").unwrap()..];
                literals(array.split("];").next().unwrap())
                    .map(str::to_owned)
                    .collect()
            } else {
                literals(arguments).skip(1).map(str::to_owned).collect()
            };
            found.insert(name.to_owned(), (kind.to_owned(), labels));
        }
    }
}

fn walk(folder: &Path, found: &mut Metrics) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["tests", "testkit", "target"].contains(&name.as_str()) {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !name.starts_with("tests") {
            counted(&fs::read_to_string(&path).unwrap(), found);
        }
    }
}

#[test]
fn the_page_lists_what_is_counted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Metrics::new();
    for folder in FOLDERS {
        walk(&root.join(folder), &mut found);
    }
    assert!(found.len() > 20, "{found:?}");
    let listed: Metrics = PAGE
        .lines()
        .filter(|line| line.starts_with("| `praxis_"))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            // Values of a label stand in brackets after it.
            let labels = cells[3].split('(').next().unwrap_or_default();
            let labels = labels.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            (
                cells[1].trim_matches('`').to_owned(),
                (cells[2].to_owned(), labels),
            )
        })
        .collect();
    assert_eq!(listed, found);
}
