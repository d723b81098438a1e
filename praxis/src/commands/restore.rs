//! `praxis restore`: makes a log serviceable that was restored to an earlier state. docs/adr/0024-restoring-a-log.md

mod former;
mod keys;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use praxis_event_store::audit::Expected;
use praxis_event_store::port::Head;
use praxis_event_store::record::frontier::Frontier;
use praxis_event_store::restore::{BeginLifeError, NewLife};
use praxis_runtime::config::read::Config;
use praxis_runtime::config::setting::Program;
use tokio::time::{Instant, sleep};

use self::former::Former;
use crate::cli::log::Restore;
use crate::commands::audit::opened::OpenedLog;
use crate::commands::audit::{faults, instant, look, roots, tell};
use crate::out;

/// Longer than a relay's lease lasts without renewal.
const LEASE_LAPSES_WITHIN: Duration = Duration::from_secs(8);
const LEASE_POLL_PERIOD: Duration = Duration::from_millis(500);

/// Looks and tells, and begins the new life where that was asked for.
///
/// # Errors
/// When the log is not sound or cannot be used, or something still serves from it.
pub async fn run(args: Restore) -> Result<ExitCode> {
    ensure!(
        args.dry_run || args.yes,
        "say --dry-run to look at the log, or --yes to begin its new life"
    );
    let expected = roots::read(&args.roots)?;
    let config = Config::from_environment(Program::Operator, &[]).checked()?;
    let log = OpenedLog::alone(&config, &args.data).await?;
    let former = Former::open(&config, log.data.as_deref()).await;
    let restored = restore(&args, &config, &log, &former, expected).await;
    former.close().await;
    log.close().await;
    restored.map(|()| ExitCode::SUCCESS)
}

async fn restore(
    args: &Restore,
    config: &Config,
    log: &OpenedLog,
    former: &Former,
    expected: Vec<Expected>,
) -> Result<()> {
    let ends_at = log.audit.extent().await?.head.position;
    let (lost, expected): (Vec<_>, Vec<_>) = expected.into_iter().partition(|known| known.size > ends_at);
    let looked = look(log.audit.as_ref(), &expected).await?;
    tell(&looked)?;
    let found = looked.faults - looked.relay_faults;
    ensure!(
        found == 0,
        "the log has {}: take another backup; nothing was changed",
        faults(found)
    );
    let (head, frontier) = (looked.audited.head, looked.audited.frontier);
    let frontier = frontier.context("a log without a fault has a root")?;
    let reached = lost.iter().map(|known| known.size).max();
    let lost = tell_loss(&head, reached, former)?;
    keys::tell(config, log, head.log_id).await?;
    former.tell(&head)?;
    if !args.yes {
        return out::line("nothing was changed: --yes begins the new life");
    }
    let life = NewLife {
        above_epoch: former.epoch(&head),
        numbers_skipped: args.skip_numbers.max(u32::try_from(lost).unwrap_or(u32::MAX)),
        frontier: frontier.to_bytes(),
        verified: head,
    };
    let begun = begin(log, &life).await?;
    tell_begun(&begun, &frontier, &life)?;
    // After the epoch rose: cut off in between, projectors and readers see another epoch and refuse.
    former.retire(&begun).await
}

/// What is known to be lost: how many events at least.
fn tell_loss(head: &Head, reached: Option<u64>, former: &Former) -> Result<u64> {
    let seen = [reached, former.position(head)];
    let seen = seen.into_iter().flatten().max().unwrap_or(0);
    let lost = seen.saturating_sub(head.position);
    if lost == 0 {
        out::line(&format!(
            "lost: everything recorded after {}, if there was more: no read model and no root that was given knows of it",
            instant(head.recorded_at)
        ))?;
    } else {
        out::line(&format!(
            "lost: everything recorded after {}, at least the {lost} events at positions {} to {seen}",
            instant(head.recorded_at),
            head.position + 1
        ))?;
    }
    Ok(lost)
}

/// The lease of a leader that ended, or that was restored with the log, lapses by itself.
async fn begin(log: &OpenedLog, life: &NewLife) -> Result<Head> {
    let began = Instant::now();
    loop {
        match log.restored.begin_life(life).await {
            Ok(head) => return Ok(head),
            Err(BeginLifeError::Led) if began.elapsed() < LEASE_LAPSES_WITHIN => {
                if began.elapsed() < LEASE_POLL_PERIOD {
                    out::line("a relay's lease has not lapsed yet: waiting")?;
                }
                sleep(LEASE_POLL_PERIOD).await;
            }
            Err(error @ (BeginLifeError::Led | BeginLifeError::Moved { .. })) => {
                bail!("{error}: stop every command-api; nothing was changed")
            }
            Err(BeginLifeError::Store(error)) => {
                return Err(error).context("run it again: whether the new life began is not known");
            }
        }
    }
}

fn tell_begun(begun: &Head, frontier: &Frontier, life: &NewLife) -> Result<()> {
    let root = Expected {
        size: frontier.size(),
        root: frontier.root(),
    };
    out::line(&format!(
        "epoch {} begins after position {}; record numbers are passed over: {}",
        begun.epoch, begun.position, life.numbers_skipped
    ))?;
    out::line(&format!(
        "keep with the roots of the former life: those beyond {} are void, the last is {root}",
        begun.position
    ))
}
