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
    out::line(&verdict(looked.faults, &expected))?;
    Ok(if looked.faults == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The last line. Where nothing was found, who gave no root is told what is not known without one.
fn verdict(found: u64, expected: &[Expected]) -> String {
    let said = faults(found);
    if found == 0 && expected.is_empty() {
        return format!("{said}; a log rewritten as a whole is found only by a root kept outside (--expect)");
    }
    said
}

/// So many faults, in words.
pub fn faults(count: u64) -> String {
    match count {
        0 => "no fault".to_owned(),
        1 => "1 fault".to_owned(),
        _ => format!("{count} faults"),
    }
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
        1 => out::line("1 root kept outside is equal"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_what_was_found_and_what_is_not_known() {
        let kept = Expected {
            size: 0,
            root: [0; 32],
        };
        for (found, said) in [(0, "no fault"), (1, "1 fault"), (2, "2 faults")] {
            assert_eq!(verdict(found, &[kept]), said);
        }
        assert_eq!(
            verdict(0, &[]),
            "no fault; a log rewritten as a whole is found only by a root kept outside (--expect)"
        );
        assert_eq!(verdict(1, &[]), "1 fault");
    }
}
