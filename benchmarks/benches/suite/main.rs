//! Benchmarks only: `make bench` runs them against real servers, prints tables and keeps them in `docs/benchmarks.md`.
//! How fast is Praxis, from an append to a read over HTTP, beside baselines on the same servers in the same run?
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

mod appends;
mod arguments;
mod dataset;
mod delay;
mod deployment;
mod figure;
mod http_writes;
mod keys;
mod load;
mod own_mysql;
mod people;
mod proc;
mod reads;
mod rebuild;
mod report;
mod servers;
mod wire;

use std::path::PathBuf;

use anyhow::Result;
use mimalloc::MiMalloc;
use praxis_testkit::servers::{mysql_url, workspace_root};

use crate::arguments::{Arguments, Part};
use crate::report::Report;

/// As in the programs: part (a) runs what they are made of in this process.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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

/// Where data sets are kept, and thrown-away data lies: on a disk, because `/tmp` may be memory.
pub fn bench_dir() -> PathBuf {
    let dev_dir = std::env::var("PRAXIS_DEV_DIR")
        .ok()
        .filter(|text| !text.is_empty());
    dev_dir
        .map_or_else(|| workspace_root().join(".dev"), PathBuf::from)
        .join("bench")
}

fn main() -> Result<()> {
    let Some(arguments) = Arguments::read()? else {
        return Ok(());
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(arguments))
}

async fn run(arguments: Arguments) -> Result<()> {
    servers::as_deployed(&mysql_url()).await?;
    let mut report = Report::new(arguments.clone());
    std::fs::create_dir_all(bench_dir())?;
    let scratch = tempfile::Builder::new()
        .prefix("scratch-")
        .tempdir_in(bench_dir())?;
    for part in arguments.parts {
        println!("({})\n", part.letter());
        match part {
            Part::Appends => appends::on_mysql(&mut report).await?,
            Part::Bound => appends::bound::print(&mut report).await?,
            Part::HttpWrites => http_writes::on_mysql(&mut report).await?,
            Part::Delay => delay::on_mysql(&mut report).await?,
            Part::Rebuild => rebuild::on_mysql(&mut report, arguments.patients).await?,
            Part::Reads => reads::on_mysql(&mut report, arguments.patients).await?,
            Part::Sqlite => {
                appends::on_sqlite(&mut report, scratch.path()).await?;
                http_writes::on_sqlite(&mut report, scratch.path()).await?;
                reads::on_sqlite(&mut report, arguments.patients).await?;
            }
            Part::Memory => report.end_memory()?,
        }
        if part != Part::Memory {
            report.end(part)?;
        }
    }
    Ok(())
}
