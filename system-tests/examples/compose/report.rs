//! What was found, line by line, and how many of it was as it must be?

use std::fmt::Display;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::Instant;

/// Prints as it goes, and counts.
pub struct Report {
    began: Instant,
    passed: AtomicUsize,
    failed: AtomicUsize,
}

impl Report {
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            passed: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
        }
    }

    /// What is done now, with the seconds since the beginning.
    pub fn say(&self, text: impl Display) {
        let line = format!("[{:5.1}] {text}", self.began.elapsed().as_secs_f64());
        // A reader that went away is no fault of what is tested.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }

    /// One thing that must be so: what was found of it, or why it is not.
    pub fn check(&self, what: &str, outcome: anyhow::Result<String>) {
        match outcome {
            Ok(found) => {
                self.passed.fetch_add(1, Ordering::SeqCst);
                self.say(format!("PASS  {what}: {found}"));
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::SeqCst);
                self.say(format!("FAIL  {what}: {error:?}"));
            }
        }
    }

    /// How many were not so.
    pub fn failed(&self) -> usize {
        self.failed.load(Ordering::SeqCst)
    }

    /// The last line.
    pub fn end(&self) {
        let (passed, failed) = (self.passed.load(Ordering::SeqCst), self.failed());
        self.say("the end");
        let _ = writeln!(std::io::stdout().lock(), "{passed} passed, {failed} failed");
    }
}
