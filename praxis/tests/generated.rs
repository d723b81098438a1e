//! Do the checked-in pages that are generated from the code say what the code says today?

#![allow(clippy::unwrap_used, clippy::panic, reason = "test helpers")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// What `praxis` with these arguments writes to standard output.
fn written(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_praxis"))
        .args(arguments)
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "praxis {arguments:?} failed: {complaints}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Fails with the first line that differs, and the command that writes the page anew.
fn assert_fresh(name: &str, arguments: &[&str]) {
    let generated = written(arguments);
    assert!(!generated.trim().is_empty(), "praxis {arguments:?} wrote nothing");
    let kept = std::fs::read_to_string(page(name)).unwrap();
    if kept == generated {
        return;
    }
    let line = kept
        .lines()
        .zip(generated.lines())
        .take_while(|(old, new)| old == new)
        .count()
        + 1;
    let command = arguments.join(" ");
    panic!(
        "docs/{name} is stale from line {line} on: cargo run -q -p praxis -- {command} > docs/{name}, and look at the difference"
    );
}

#[test]
fn the_reference_of_the_settings_is_fresh() {
    assert_fresh("configuration.md", &["config", "reference"]);
}

#[test]
fn the_openapi_document_is_fresh() {
    assert_fresh("openapi.json", &["openapi"]);
}

#[test]
fn the_openapi_document_describes_both_apis() {
    let document: serde_json::Value = serde_json::from_str(&written(&["openapi"])).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(
        document["paths"]["/appointments"]["post"].is_object(),
        "a command"
    );
    assert!(
        document["paths"]["/patients/search"]["post"].is_object(),
        "a read"
    );
}
