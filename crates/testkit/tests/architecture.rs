//! Do the crates know only those that `arrows.txt` says, and does only one of them know each driver?
#![allow(clippy::expect_used, reason = "a panic is how a test and its helpers report")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::process::Command;

use praxis_testkit::servers::workspace_root;
use serde_json::Value;

const DRAWN: &str = include_str!("arrows.txt");

/// Drivers, and the crates that may depend on them directly in any way.
const DRIVER_OWNERS: [(&str, &[&str]); 2] = [
    (
        "sqlx",
        &[
            "praxis-store-mysql",
            "praxis-store-sqlite",
            "praxis-benchmarks",
            "praxis-system-tests",
        ],
    ),
    ("rdkafka", &["praxis-kafka-bus", "praxis-system-tests"]),
];

#[test]
fn crate_arrows_are_as_drawn() {
    let packages = workspace_packages();
    let names: BTreeSet<&str> = packages.iter().map(|package| text(package, "name")).collect();
    let built: BTreeSet<String> = packages
        .iter()
        .flat_map(|package| dependencies(package).map(move |dependency| (text(package, "name"), dependency)))
        .filter(|(_, dependency)| names.contains(text(dependency, "name")))
        .map(|(from, dependency)| arrow(from, dependency))
        .collect();
    let faults = differences(DRAWN, &built);
    assert!(
        faults.is_empty(),
        "crates/testkit/tests/arrows.txt and the manifests differ:\n{}",
        faults.join("\n")
    );
}

#[test]
fn only_their_owners_depend_on_the_drivers() {
    let packages = workspace_packages();
    let faults: Vec<String> = packages
        .iter()
        .flat_map(|package| dependencies(package).map(move |dependency| (text(package, "name"), dependency)))
        .filter(|(from, dependency)| !may_depend_on(from, text(dependency, "name")))
        .map(|(from, dependency)| arrow(from, dependency))
        .collect();
    assert!(
        faults.is_empty(),
        "only {DRIVER_OWNERS:?} may depend on a driver:\n{}",
        faults.join("\n")
    );
    for (driver, owners) in DRIVER_OWNERS {
        for owner in owners {
            let package = packages.iter().find(|package| text(package, "name") == *owner);
            let used = package.is_some_and(|p| dependencies(p).any(|d| text(d, "name") == driver));
            assert!(used, "{owner} is said to own {driver} and does not depend on it");
        }
    }
}

#[test]
fn praxis_does_not_link_kafka() {
    let graph = link_graph();
    let path = path_between(&graph, "praxis", "rdkafka");
    assert_eq!(
        path,
        None,
        "praxis links rdkafka: {}",
        path.clone().unwrap_or_default().join(" -> ")
    );
    // The same search finds it where it belongs; else the line above would prove nothing.
    assert!(path_between(&graph, "praxis-projector-bin", "rdkafka").is_some());
}

#[test]
fn arrow_that_is_not_drawn_is_named() {
    let built = BTreeSet::from(["a -> b".to_owned(), "a -> c".to_owned()]);
    assert_eq!(differences("a -> b\n", &built), ["not drawn: a -> c"]);
}

#[test]
fn drawn_arrow_that_nobody_uses_is_named() {
    assert_eq!(
        differences("# comment\n\na -> b\n", &BTreeSet::new()),
        ["drawn and not there: a -> b"]
    );
}

#[test]
fn arrow_from_any_crate_is_allowed_for_its_kind_only() {
    let built = BTreeSet::from(["a -> kit [dev]".to_owned(), "a -> kit".to_owned()]);
    assert_eq!(differences("* -> kit [dev]\n", &built), ["not drawn: a -> kit"]);
}

/// What is wrong, one line each.
fn differences(drawn: &str, built: &BTreeSet<String>) -> Vec<String> {
    let lines: BTreeSet<&str> = drawn
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let is_drawn = |arrow: &str| {
        let from_any = arrow.split_once(" -> ").map(|(_, to)| format!("* -> {to}"));
        lines.contains(arrow) || from_any.is_some_and(|arrow| lines.contains(arrow.as_str()))
    };
    let undrawn = built
        .iter()
        .filter(|arrow| !is_drawn(arrow))
        .map(|arrow| format!("not drawn: {arrow}"));
    let unused = lines
        .iter()
        .filter(|line| !line.starts_with("* ") && !built.contains(**line))
        .map(|line| format!("drawn and not there: {line}"));
    undrawn.chain(unused).collect()
}

fn may_depend_on(from: &str, to: &str) -> bool {
    DRIVER_OWNERS
        .iter()
        .all(|(driver, owners)| *driver != to || owners.contains(&from))
}

/// `a -> b`, with the kind when it is not a normal dependency.
fn arrow(from: &str, dependency: &Value) -> String {
    let kind = dependency["kind"]
        .as_str()
        .map(|kind| format!(" [{kind}]"))
        .unwrap_or_default();
    format!("{from} -> {}{kind}", text(dependency, "name"))
}

fn workspace_packages() -> Vec<Value> {
    metadata(&["--no-deps"])["packages"]
        .as_array()
        .expect("packages are a list")
        .clone()
}

fn dependencies(package: &Value) -> impl Iterator<Item = &Value> {
    package["dependencies"]
        .as_array()
        .expect("dependencies are a list")
        .iter()
}

/// Package names to the names of those they link or build with on this machine; what only tests use is left out.
fn link_graph() -> BTreeMap<String, BTreeSet<String>> {
    // Without the filter cargo wants packages of other platforms, which were never downloaded.
    let metadata = metadata(&["--filter-platform", &host_platform()]);
    let packages = metadata["packages"].as_array().expect("packages are a list");
    let names: BTreeMap<&str, &str> = packages
        .iter()
        .map(|p| (text(p, "id"), text(p, "name")))
        .collect();
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes are a list");
    let linked = |node: &Value| {
        let all = node["deps"].as_array().expect("deps are a list");
        let kept = all.iter().filter(|dep| {
            dep["dep_kinds"]
                .as_array()
                .expect("kinds are a list")
                .iter()
                .any(|kind| kind["kind"] != "dev")
        });
        kept.map(|dep| names[text(dep, "pkg")].to_owned())
            .collect::<BTreeSet<_>>()
    };
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in nodes {
        // Two versions of one package become one node, which can only find more.
        graph
            .entry(names[text(node, "id")].to_owned())
            .or_default()
            .extend(linked(node));
    }
    graph
}

/// A shortest way from one package to another.
fn path_between(graph: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> Option<Vec<String>> {
    assert!(graph.contains_key(from), "{from} is no package");
    let mut paths = VecDeque::from([vec![from.to_owned()]]);
    let mut reached = BTreeSet::from([from.to_owned()]);
    while let Some(path) = paths.pop_front() {
        let last = path.last().expect("a path has a start");
        if last == to {
            return Some(path);
        }
        for next in graph.get(last).into_iter().flatten() {
            if reached.insert(next.clone()) {
                paths.push_back(path.iter().chain([next]).cloned().collect());
            }
        }
    }
    None
}

fn metadata(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline"])
        .args(arguments)
        .current_dir(workspace_root())
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

fn host_platform() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc starts");
    let version = String::from_utf8(output.stdout).expect("rustc writes UTF-8");
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("rustc names its host")
        .to_owned()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().expect("the field is a string")
}
