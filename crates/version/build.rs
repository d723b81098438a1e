#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a build script speaks through them"
)]
//! Which commit is this built from? Given by the environment (an image), else asked of git, else unknown.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=PRAXIS_CI_COMMIT");
    // Asked of git, as a work tree has them elsewhere; a path that is not there would have everything built again always.
    for changing in ["HEAD", "refs/heads"] {
        if let Some(path) = git(&["rev-parse", "--git-path", changing]) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    let given = std::env::var("PRAXIS_CI_COMMIT").ok();
    let commit = given
        .filter(|commit| !commit.is_empty())
        .or_else(|| git(&["rev-parse", "--short=12", "HEAD"]))
        .unwrap_or_else(|| "unknown commit".to_owned());
    println!("cargo:rustc-env=BUILD_COMMIT={commit}");
}

/// What git answers; nothing without git, or outside a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let answered = output.status.success();
    answered.then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
