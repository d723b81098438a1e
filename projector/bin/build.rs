#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a build script speaks through them"
)]
//! Which commit is this built from? Given by the environment (an image), else asked of git, else unknown.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=PRAXIS_CI_COMMIT");
    println!("cargo:rerun-if-changed=../../.git/HEAD");
    println!("cargo:rerun-if-changed=../../.git/refs/heads");
    let given = std::env::var("PRAXIS_CI_COMMIT")
        .ok()
        .filter(|commit| !commit.is_empty());
    let asked = || {
        let output = Command::new("git")
            .args(["rev-parse", "--short=12", "HEAD"])
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    println!(
        "cargo:rustc-env=BUILD_COMMIT={}",
        given
            .or_else(asked)
            .unwrap_or_else(|| "unknown commit".to_owned())
    );
}
