//! `praxis views rebuild`: begins it, shows how far it is, and ends when the new generation is read.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use praxis_projector::rebuild::NewlyParked;
use serde_json::json;

use super::documents::{GenerationStatus, RebuildStatus, Status};
use super::door::Door;
use crate::cli::ViewsRebuild;
use crate::out;

/// How often a build is looked at.
const LOOK_PERIOD: Duration = Duration::from_millis(200);

/// How long a build may stand still before it is filled from here: projectors look for new generations every second.
const PROJECTOR_TIME_MAX: Duration = Duration::from_secs(15);

/// How long it may stand still after that before the command gives up.
const STANDSTILL_MAX: Duration = Duration::from_mins(2);

/// How often in a row the state may be unknown, as while a database is restarted.
const FAILED_LOOKS_MAX: u32 = 50;

/// What a look at a rebuild shows.
enum Look {
    Filling { position: u64, until: u64, lag: u64 },
    Held { newly_parked: usize },
    Ready { position: u64 },
    GivenUp,
}

/// Builds the read models anew.
///
/// # Errors
/// When it cannot begin, does not get on, or waits for parked streams to be looked at.
pub async fn rebuild(door: &Door, options: &ViewsRebuild) -> Result<()> {
    let began = Instant::now();
    if options.here && !door.can_fill().await? {
        bail!("the projector on a data directory fills it: leave --here out");
    }
    let rebuild = door.rebuild().await?;
    if options.here {
        door.fill(rebuild.generation).await?;
    }
    let bar = progress(rebuild);
    let position = watch(door, options, rebuild, &bar).await;
    bar.finish_and_clear();
    let (position, seconds) = (position?, began.elapsed().as_secs_f64());
    let (generation, retired) = (rebuild.generation, rebuild.instead_of);
    if options.options.json {
        return out::json(
            &json!({ "generation": generation, "retired": retired, "position": position, "seconds": seconds }),
        );
    }
    out::line(&format!(
        "generation {generation} is ready at position {position} after {seconds:.1} s; generation {retired} is retired"
    ))
}

/// Waits until the new generation is read; answers at which position it is.
async fn watch(
    door: &Door,
    options: &ViewsRebuild,
    rebuild: RebuildStatus,
    bar: &ProgressBar,
) -> Result<u64> {
    let generation = rebuild.generation;
    let mut is_filled_here = options.here;
    let (mut reached, mut moved_at, mut failed_looks) = (None, Instant::now(), 0);
    loop {
        let look = match door.status().await {
            Ok(status) => look(&status, rebuild),
            Err(error) if failed_looks >= FAILED_LOOKS_MAX => return Err(error),
            Err(_) => {
                failed_looks += 1;
                tokio::time::sleep(LOOK_PERIOD).await;
                continue;
            }
        };
        failed_looks = 0;
        match look {
            Look::Ready { position } => return Ok(position),
            Look::GivenUp => {
                bail!("generation {generation} was given up by somebody else: see praxis views status")
            }
            Look::Held { newly_parked } if !options.force => bail!(
                "{newly_parked} streams are parked in generation {generation} that are not in generation {}: look at them \
                 (praxis views parked), mend the cause and praxis views retry, or repeat this with --force",
                rebuild.instead_of
            ),
            Look::Held { .. } => door.take_over(generation, NewlyParked::Accept).await?,
            Look::Filling { position, until, lag } => {
                bar.set_length(until);
                bar.set_position(position.min(until));
                bar.set_message(format!("{lag} behind"));
                if reached != Some(position) {
                    (reached, moved_at) = (Some(position), Instant::now());
                } else if position >= until {
                    // Nobody else may be there to see it.
                    door.take_over(generation, NewlyParked::Hold).await?;
                }
            }
        }
        if !is_filled_here && moved_at.elapsed() > PROJECTOR_TIME_MAX && door.can_fill().await? {
            door.fill(generation).await?;
            bar.set_prefix(format!(
                "generation {generation}, which no projector fills, from here"
            ));
            (is_filled_here, moved_at) = (true, Instant::now());
        }
        if moved_at.elapsed() > STANDSTILL_MAX {
            bail!(
                "generation {generation} stands still: see praxis views status, and what the projectors log"
            );
        }
        door.check()?;
        tokio::time::sleep(LOOK_PERIOD).await;
    }
}

fn look(status: &Status, rebuild: RebuildStatus) -> Look {
    let of = |number| status.generations.iter().find(|known| known.generation == number);
    let position =
        |known: Option<&GenerationStatus>| known.and_then(|known| known.standing).map_or(0, |at| at.position);
    let (new, old) = (of(rebuild.generation), of(rebuild.instead_of));
    let (at, until) = (position(new), position(old));
    match new.map(|known| known.state.as_str()) {
        Some("ready") => Look::Ready { position: at },
        Some("building") => match status.rebuild {
            Some(now) if now.generation == rebuild.generation && now.newly_parked > 0 && at >= until => {
                Look::Held {
                    newly_parked: now.newly_parked,
                }
            }
            Some(_) | None => Look::Filling {
                position: at,
                until,
                lag: status.head.saturating_sub(at),
            },
        },
        Some(_) | None => Look::GivenUp,
    }
}

fn progress(rebuild: RebuildStatus) -> ProgressBar {
    let bar = ProgressBar::new(0).with_prefix(format!("generation {}", rebuild.generation));
    let template = "{prefix} {bar:30} {human_pos}/{human_len} events, {per_sec}, {msg}, {eta} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
