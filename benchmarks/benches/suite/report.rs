//! Where figures go: printed as they come, and put into their places in `docs/benchmarks.md` when that is asked for.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use praxis_runtime::clock;
use praxis_testkit::servers::workspace_root;

use crate::arguments::{Arguments, Part};
use crate::proc::memory;

/// What this run has found so far.
pub struct Report {
    arguments: Arguments,
    /// The lines of the part that is measured now.
    lines: Vec<String>,
    memory: Vec<String>,
}

impl Report {
    /// An empty one.
    pub fn new(arguments: Arguments) -> Self {
        Self {
            arguments,
            lines: Vec::new(),
            memory: Vec::new(),
        }
    }

    /// Whether a command, a number of clients or the like is measured: all are unless `--only` names some.
    pub fn asked_for(&self, what: &str) -> bool {
        let only = &self.arguments.only;
        only.is_empty() || only.iter().any(|asked| asked == what)
    }

    /// Prints and keeps a line.
    pub fn line(&mut self, line: &str) {
        println!("{line}");
        self.lines.push(line.to_owned());
    }

    /// Keeps a process's resident memory for part (h).
    pub fn memory(&mut self, name: &str, when: &str, pid: u32) -> Result<()> {
        let memory = memory(pid)?;
        self.memory.push(format!(
            "| {name} | {when} | {:.0} | {:.0} |",
            memory.now_mib, memory.peak_mib
        ));
        Ok(())
    }

    /// Ends a part: its lines go into the page when that is asked for.
    pub fn end(&mut self, part: Part) -> Result<()> {
        let lines = std::mem::take(&mut self.lines);
        if self.arguments.record && self.arguments.only.is_empty() {
            let stamp = format!(
                "Measured {} at commit {}.\n",
                clock::now().format("%Y-%m-%d %H:%M UTC"),
                commit()
            );
            put(part.letter(), &format!("{stamp}\n{}", lines.join("\n")))?;
        }
        Ok(())
    }

    /// Part (h): the memory of every process that other parts of this run have started.
    pub fn end_memory(&mut self) -> Result<()> {
        if self.memory.is_empty() {
            return Ok(());
        }
        self.line("| process | when | resident, MiB | most so far, MiB |");
        self.line("|---|---|---|---|");
        for line in std::mem::take(&mut self.memory) {
            self.line(&line);
        }
        self.end(Part::Memory)
    }
}

/// Replaces what stands between a part's marks in the page.
fn put(letter: char, text: &str) -> Result<()> {
    let page = workspace_root().join("docs/benchmarks.md");
    let old = std::fs::read_to_string(&page)?;
    let (begin, end) = (
        format!("<!-- {letter}: written by make bench -->"),
        format!("<!-- {letter}: end -->"),
    );
    let (before, rest) = old
        .split_once(&begin)
        .with_context(|| format!("docs/benchmarks.md has no mark for part {letter}"))?;
    let (_, after) = rest
        .split_once(&end)
        .with_context(|| format!("docs/benchmarks.md has no end mark for part {letter}"))?;
    std::fs::write(
        &page,
        format!("{before}{begin}\n{}\n{end}{after}", text.trim_end()),
    )?;
    Ok(())
}

/// What was measured, as git names it.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir::<&Path>(&workspace_root())
            .output();
        output
            .ok()
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let named = git(&["describe", "--always", "--dirty", "--abbrev=10"]);
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
