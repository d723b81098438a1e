//! `praxis audit verify`: whether the log is what it was, by its own hashes and by roots kept outside.

pub mod opened;
pub mod roots;

use std::process::ExitCode;

use anyhow::Result;
use chrono::{DateTime, SecondsFormat};
use praxis_event_store::audit::{AuditReader, Audited, Expected, audit};
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::Program;

use self::opened::OpenedLog;
use crate::cli::log::{Audit, AuditVerify};
use crate::out;

/// Runs one of the `audit` commands.
///
/// # Errors
/// When the log cannot be read, or a root that was given is none.
pub async fn run(args: Audit) -> Result<ExitCode> {
    match args {
        Audit::Verify(args) => verify(args).await,
    }
}

async fn verify(args: AuditVerify) -> Result<ExitCode> {
    let expected = roots::read(&args.roots)?;
    let config = Config::from_environment(Program::Operator, &[]).checked()?;
    let log = OpenedLog::beside_others(&config, &args.data).await?;
    let looked = look(log.audit.as_ref(), &expected).await;
    log.close().await;
    let looked = looked?;
    tell(&looked)?;
    if expected.is_empty() {
        out::line("no root that was kept outside was given: a log rewritten as a whole would pass")?;
    }
    out::line(&format!("{} faults", looked.faults))?;
    Ok(if looked.faults == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What was found of a log, its faults counted and told.
pub struct Looked {
    /// The rest.
    pub audited: Audited,
    /// All faults.
    pub faults: u64,
    /// Those of them that are the relay's, which are made good by beginning anew.
    pub relay_faults: u64,
}

/// Reads the whole log, and writes a line for each fault as it is found.
///
/// # Errors
/// When it cannot be read, or the lines cannot be written.
pub async fn look(log: &dyn AuditReader, expected: &[Expected]) -> Result<Looked> {
    let (mut faults, mut relay_faults, mut written) = (0, 0, Ok(()));
    let audited = audit(log, expected, &mut |fault| {
        faults += 1;
        relay_faults += u64::from(fault.code.is_of_the_relay());
        if written.is_ok() {
            written = out::line(&format!("fault: {fault}"));
        }
    })
    .await?;
    written?;
    Ok(Looked {
        audited,
        faults,
        relay_faults,
    })
}

/// Says which log it is, where it ends, and its root.
///
/// # Errors
/// When it cannot be written.
pub fn tell(looked: &Looked) -> Result<()> {
    let head = &looked.audited.head;
    let last = match head.position {
        0 => "no event".to_owned(),
        position => format!(
            "{position} events, the last recorded at {}",
            instant(head.recorded_at)
        ),
    };
    out::line(&format!("log {} in epoch {}: {last}", head.log_id, head.epoch))?;
    match looked.audited.root() {
        Some(root) => out::line(&format!("root {root}"))?,
        None => out::line("root unknown: the log is not whole")?,
    }
    match looked.audited.roots_equal {
        0 => Ok(()),
        equal => out::line(&format!("{equal} roots kept outside are equal")),
    }
}

/// Microseconds as a person reads them.
pub fn instant(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map_or_else(
        || format!("{micros} µs"),
        |at| at.to_rfc3339_opts(SecondsFormat::Micros, true),
    )
}
