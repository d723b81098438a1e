//! How many commands a second become durable in MySQL, and how long does each wait? Beside two baselines on the same
//! server in the same run: the same rows by one transaction per command with the head row (B1) and without any order (B2).
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::as_conversions,
    reason = "a benchmark measures time, spawns load and prints"
)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

#[path = "appends/baseline.rs"]
mod baseline;
#[path = "appends/bound.rs"]
mod bound;
#[path = "appends/practice.rs"]
mod practice;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::baseline::Baseline;
use crate::practice::Practice;

/// How long each figure is measured, after a warm-up of a quarter of it.
const MEASURED: Duration = Duration::from_secs(4);

/// How many commands are under way at once.
const WRITERS: [usize; 5] = [1, 16, 64, 256, 1_024];

/// Baselines hold a connection for each writer; the server's default allows 151.
const BASELINE_WRITERS_MAX: usize = 128;

/// Which command is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An event and a command key.
    SendMessage,
    /// An event, a command key and its calendar time, over three streams read.
    BookAppointment,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::SendMessage => "SendMessage",
            Self::BookAppointment => "BookAppointment",
        }
    }
}

/// What was measured.
pub struct Figure {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

impl Figure {
    fn cell(&self) -> String {
        format!(
            "{:.0} ({:.1} / {:.1} ms)",
            self.per_second,
            millis(self.p50),
            millis(self.p99)
        )
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Runs `writers` loops of `one` at once and counts what ended within the measured time.
pub async fn measure<F, W>(writers: usize, one: F) -> Result<Figure>
where
    F: Fn(usize, u64) -> W + Send + Sync + 'static,
    W: Future<Output = Result<()>> + Send,
{
    let one = Arc::new(one);
    let stop = Arc::new(AtomicBool::new(false));
    let (warm, began) = (MEASURED / 4, Instant::now());
    let mut loops = Vec::with_capacity(writers);
    for writer in 0..writers {
        let (one, stop) = (Arc::clone(&one), Arc::clone(&stop));
        loops.push(tokio::spawn(async move {
            let mut waited = Vec::new();
            let mut turn = 0;
            while !stop.load(Ordering::Relaxed) {
                let asked = Instant::now();
                one(writer, turn).await?;
                turn += 1;
                if began.elapsed() >= warm {
                    waited.push(asked.elapsed());
                }
            }
            anyhow::Ok(waited)
        }));
    }
    tokio::time::sleep(warm + MEASURED).await;
    stop.store(true, Ordering::Relaxed);
    let mut waited = Vec::new();
    for one in loops {
        waited.extend(one.await??);
    }
    waited.sort_unstable();
    let at = |share: f64| {
        waited
            .get(((waited.len() as f64) * share) as usize)
            .copied()
            .unwrap_or_default()
    };
    Ok(Figure {
        per_second: waited.len() as f64 / MEASURED.as_secs_f64(),
        p50: at(0.50),
        p99: at(0.99),
    })
}

fn main() -> Result<()> {
    // Cargo also runs this under `cargo test --benches`; only `cargo bench` measures.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run())
}

/// Whether a part is measured: all are unless `-- --only SendMessage,256,baselines,bound` names some.
fn asked_for(part: &str) -> bool {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--only");
    arguments
        .nth(1)
        .is_none_or(|only| only.split(',').any(|asked| asked == part))
}

async fn run() -> Result<()> {
    println!("Durable appends per second (p50 / p99), MySQL with its binary log, `sync_binlog=1`\n");
    let practice = Arc::new(Practice::open(1_024).await?);
    let baseline = Arc::new(Baseline::open(&practice.url).await?);
    for kind in [Kind::SendMessage, Kind::BookAppointment] {
        if !asked_for(kind.name()) {
            continue;
        }
        println!(
            "| {} | Praxis | B1: head row, one transaction each | B2: no order |",
            kind.name()
        );
        println!("|---|---|---|---|");
        for writers in WRITERS {
            if !asked_for(&writers.to_string()) {
                continue;
            }
            let praxis = {
                let practice = Arc::clone(&practice);
                measure(writers, move |writer, turn| {
                    let practice = Arc::clone(&practice);
                    async move { practice.command(kind, writer, turn).await }
                })
                .await?
            };
            if !asked_for("baselines") {
                println!("| {writers} writers | {} |", praxis.cell());
                continue;
            }
            let held = writers.min(BASELINE_WRITERS_MAX);
            let ordered = baseline.measure(kind, baseline::Order::HeadRow, held).await?;
            let free = baseline.measure(kind, baseline::Order::None, held).await?;
            let note = if held < writers {
                format!(" at {held}")
            } else {
                String::new()
            };
            println!(
                "| {writers} writers | {} | {}{note} | {}{note} |",
                praxis.cell(),
                ordered.cell(),
                free.cell()
            );
        }
        println!();
    }
    if asked_for("bound") {
        bound::print(&practice.url).await?;
    }
    Ok(())
}
