//! What can be typed about the log itself: looking whether it is sound, copying it, beginning anew after a restore.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use praxis_event_store::audit::Expected;

use super::Data;

/// `audit`.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Read the whole log and name every fault by position and code; exit code 0 only if there is none.
    ///
    /// Positions and stream versions are dense, times never go back, every row is what its leaf hash was computed of, and
    /// head and relay agree. Whoever can rewrite the database can rewrite all of that: compare with roots that were kept
    /// outside, which the leader writes into its output every minute. Inclusion and consistency proofs and signed
    /// checkpoints are not built yet.
    #[command(
        after_help = "Examples:\n  praxis audit verify --data praxis-data\n  praxis audit verify --expect 250:9f86d08…\n  PRAXIS_EVENTS_URL=mysql://… praxis audit verify --expect-from command-api.log"
    )]
    Verify(AuditVerify),
}

/// `audit verify`.
#[derive(Debug, Args)]
pub struct AuditVerify {
    /// Where the log is.
    #[command(flatten)]
    pub data: Data,
    /// What it is compared with.
    #[command(flatten)]
    pub roots: Roots,
}

/// Roots kept out of the log's reach.
#[derive(Clone, Debug, Args)]
pub struct Roots {
    /// A root kept outside, of the first SIZE events; or the line in which the leader logged it. May be repeated.
    #[arg(long, value_name = "SIZE:ROOT")]
    pub expect: Vec<Expected>,
    /// A file with such roots, one a line: for instance the leader's output. Other lines are passed over.
    #[arg(long, value_name = "FILE")]
    pub expect_from: Vec<PathBuf>,
}

/// `restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// Where the restored log is: a data directory, or PRAXIS_EVENTS_URL (and PRAXIS_VIEWS_URL).
    #[command(flatten)]
    pub data: Data,
    /// What it is compared with. Roots of more events than the log has tell how much is lost.
    #[command(flatten)]
    pub roots: Roots,
    /// Only look and tell; change nothing.
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Begin the new life of the log.
    #[arg(long)]
    pub yes: bool,
    /// Pass over at least so many record numbers: those after the backup were given to patients who are lost.
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    pub skip_numbers: u32,
}

/// `backup`.
#[derive(Debug, Args)]
pub struct Backup {
    /// Where the log is; it may be in use.
    #[command(flatten)]
    pub data: Data,
    /// The copy: a file that is not there yet, or a directory, where it is named by time and position.
    #[arg(long, value_name = "FILE-OR-DIR")]
    pub to: PathBuf,
}
