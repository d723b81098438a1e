//! What a process takes: its memory and its processor time, as the kernel counts them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// The unit of the times in `/proc/PID/stat`; the same on every Linux that people use.
const TICKS_PER_SECOND: f64 = 100.0;

/// Resident memory in MiB: now, and the most there ever was.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// `VmRSS`.
    pub now_mib: f64,
    /// `VmHWM`.
    pub peak_mib: f64,
}

/// The resident memory of a process.
pub fn memory(pid: u32) -> Result<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mib = |name: &str| -> Result<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib: f64 = line
            .and_then(|rest| rest.trim_start_matches(':').split_whitespace().next())
            .context("no such line in the process's status")?
            .parse()?;
        Ok(kib / 1_024.0)
    };
    Ok(Memory {
        now_mib: mib("VmRSS")?,
        peak_mib: mib("VmHWM")?,
    })
}

fn processor_seconds(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold spaces; fields are counted behind it.
    let (_, fields) = stat.rsplit_once(')').context("unreadable stat")?;
    let ticks: f64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse().unwrap_or(0.0))
        .sum();
    Ok(ticks / TICKS_PER_SECOND)
}

/// Time in which a core of the machine was not idle, seconds, summed over its cores.
fn machine_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<f64> = fields.filter_map(|field| field.parse().ok()).collect();
    // Not the fourth and fifth, idle and waiting for a disk; guests are in the first two already.
    let busy = ticks.iter().take(8).sum::<f64>() - ticks.iter().skip(3).take(2).sum::<f64>();
    Ok(busy / TICKS_PER_SECOND)
}

/// Counts how much of a core each of some processes takes over a while.
pub struct CoreWatch {
    began: Instant,
    machine: f64,
    processes: Vec<(&'static str, u32, f64)>,
}

impl CoreWatch {
    /// Begins with these processes and this one, the load generator. One that cannot be seen is left out.
    pub fn begin(processes: &[(&'static str, u32)]) -> Self {
        let own = [("generator", std::process::id())];
        let processes = processes
            .iter()
            .chain(&own)
            .filter_map(|(name, pid)| Some((*name, *pid, processor_seconds(*pid).ok()?)))
            .collect();
        Self {
            began: Instant::now(),
            machine: machine_seconds().unwrap_or_default(),
            processes,
        }
    }

    /// How many cores each took on average, for a table.
    pub fn cell(&self) -> String {
        let wall = self.began.elapsed().max(Duration::from_millis(1)).as_secs_f64();
        let shares = self.processes.iter().filter_map(|(name, pid, before)| {
            let cores = (processor_seconds(*pid).ok()? - before) / wall;
            Some(format!("{name} {cores:.2}"))
        });
        let all = (machine_seconds().unwrap_or_default() - self.machine) / wall;
        shares
            .chain([format!("all {all:.2}")])
            .collect::<Vec<_>>()
            .join(", ")
    }
}
