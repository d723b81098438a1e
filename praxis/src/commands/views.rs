//! `praxis views`: generations of read models, how far they are, what is parked, and building them anew.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use praxis_event_store::decode::Decoder;
use praxis_event_store::port::LogReader;
use praxis_projector::parked::{Retry, retry_parked};
use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::{ParkedEvent, Views};
use praxis_runtime::clock;
use serde_json::{Value, json};

use crate::cli::{Views as Args, ViewsOptions, ViewsRebuild};
use crate::out;
use crate::target::{self, OpenedViews};

/// How often a build is looked at.
const LOOK_PERIOD: Duration = Duration::from_millis(200);

/// Parked events listed at a time.
const PARKED_PAGE_MAX: u32 = 1_000;

/// How long a build may stand still before the command gives up: then nobody fills it.
const STANDSTILL_MAX: Duration = Duration::from_mins(2);

/// What every command works with.
pub struct Tools {
    /// The registry.
    pub registry: Arc<dyn Registry>,
    /// The log.
    pub reader: Arc<dyn LogReader>,
    /// What opens events.
    pub decoder: Arc<dyn Decoder>,
}

/// Runs one of the `views` commands.
///
/// # Errors
/// When the databases cannot be used, or a build does not get on.
pub async fn run(args: Args) -> Result<ExitCode> {
    let options = match &args {
        Args::Status(options) | Args::Parked(options) | Args::Retry(options) => options.clone(),
        Args::Rebuild(rebuild) => rebuild.options.clone(),
    };
    let opened: OpenedViews = target::open_views(&options.data).await?;
    let done = match &args {
        Args::Status(options) => status(&opened.tools, options).await,
        Args::Parked(options) => parked(&opened.tools, options).await,
        Args::Retry(options) => retry(&opened.tools, options).await,
        Args::Rebuild(options) => rebuild(&opened.tools, options).await,
    };
    opened.close().await?;
    done.map(|()| ExitCode::SUCCESS)
}

/// Where a generation is.
struct Standing {
    position: u64,
    partitions: usize,
    parked_streams: u64,
}

async fn standing(views: &dyn Views) -> Result<Standing> {
    let checkpoints = views.checkpoints().await?;
    Ok(Standing {
        position: checkpoints.iter().map(|known| known.position).min().unwrap_or(0),
        partitions: checkpoints.len(),
        parked_streams: views.parked_stream_count().await?,
    })
}

async fn status(tools: &Tools, options: &ViewsOptions) -> Result<()> {
    let head = tools.reader.head().await?.position;
    let own = tools.registry.fingerprint();
    let mut listed = Vec::new();
    for generation in tools.registry.generations().await? {
        let usable = generation.fingerprint == own && generation.state != GenerationState::Retired;
        let mut entry = json!({
            "generation": generation.number,
            "state": generation.state.name(),
            "fingerprint": generation.fingerprint.to_string(),
            "of_this_program": generation.fingerprint == own,
        });
        if usable {
            let views = tools.registry.open_views(generation.number).await?;
            let standing = standing(views.as_ref()).await?;
            entry["position"] = json!(standing.position);
            entry["lag"] = json!(head.saturating_sub(standing.position));
            entry["partitions"] = json!(standing.partitions);
            entry["parked_streams"] = json!(standing.parked_streams);
        }
        listed.push(entry);
    }
    if options.json {
        return out::json(&json!({ "head": head, "generations": listed }));
    }
    out::line(&format!("log at position {head}; folds of this program: {own}"))?;
    out::line("generation  state     fingerprint       position     lag  parked streams")?;
    let number = |entry: &Value, name: &str| {
        entry
            .get(name)
            .and_then(Value::as_u64)
            .map_or_else(|| "-".to_owned(), |n| n.to_string())
    };
    for entry in &listed {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
        out::line(&format!(
            "{:>10}  {:8}  {}  {:>8}  {:>6}  {:>14}",
            number(entry, "generation"),
            text("state"),
            text("fingerprint"),
            number(entry, "position"),
            number(entry, "lag"),
            number(entry, "parked_streams"),
        ))?;
    }
    Ok(())
}

/// The generation that is read.
async fn current(tools: &Tools) -> Result<Generation> {
    let all = tools.registry.generations().await?;
    let ready = Generation::newest_ready(&all, tools.registry.fingerprint()).copied();
    ready.context("no generation of this program is ready; see praxis views status")
}

async fn parked(tools: &Tools, options: &ViewsOptions) -> Result<()> {
    let views = tools.registry.open_views(current(tools).await?.number).await?;
    let (mut after, mut all): (u64, Vec<ParkedEvent>) = (0, Vec::new());
    loop {
        let page = views.parked(after, PARKED_PAGE_MAX).await?;
        let Some(last) = page.last() else { break };
        after = last.position;
        all.extend(page);
    }
    if options.json {
        let listed = all.iter().map(|event| {
            json!({ "position": event.position, "stream_type": event.stream_type, "stream_id": event.stream_id,
                    "stream_version": event.stream_version, "type": event.event_type, "code": event.code })
        });
        return out::json(&json!({ "parked": listed.collect::<Vec<_>>() }));
    }
    for event in &all {
        let (position, stream, version) = (event.position, event.stream_id, event.stream_version);
        out::line(&format!(
            "{position:>10}  {} {stream} v{version}  {}  {}",
            event.stream_type, event.event_type, event.code
        ))?;
    }
    out::line(&format!("{} events parked", all.len()))
}

async fn retry(tools: &Tools, options: &ViewsOptions) -> Result<()> {
    let generation = current(tools).await?;
    let views = tools.registry.open_views(generation.number).await?;
    let retried = retry_parked(Retry {
        views: views.as_ref(),
        reader: tools.reader.as_ref(),
        decoder: tools.decoder.as_ref(),
        partitions: generation.partitions,
    })
    .await?;
    if options.json {
        return out::json(&json!({ "streams": retried.streams, "events": retried.events }));
    }
    out::line(&format!(
        "{} streams are read again, {} events folded",
        retried.streams, retried.events
    ))
}

async fn rebuild(tools: &Tools, options: &ViewsRebuild) -> Result<()> {
    let old = current(tools).await?;
    let old_views = tools.registry.open_views(old.number).await?;
    let new = tools
        .registry
        .register(old.partitions, clock::now_micros())
        .await?;
    let views = tools.registry.open_views(new.number).await?;
    let began = Instant::now();
    let bar = progress(tools.reader.head().await?.position, new.number);
    let (mut last, mut moved_at) = (0, Instant::now());
    loop {
        let (at, wanted) = (
            standing(views.as_ref()).await?,
            standing(old_views.as_ref()).await?,
        );
        bar.set_length(wanted.position);
        bar.set_position(at.position.min(wanted.position));
        if at.partitions == wanted.partitions && at.position >= wanted.position {
            break;
        }
        if at.position > last {
            (last, moved_at) = (at.position, Instant::now());
        } else if moved_at.elapsed() > STANDSTILL_MAX {
            bail!(
                "generation {} stands at position {}: does a projector of this version run?",
                new.number,
                at.position
            );
        }
        tokio::time::sleep(LOOK_PERIOD).await;
    }
    bar.finish_and_clear();
    let (at, before) = (
        standing(views.as_ref()).await?,
        standing(old_views.as_ref()).await?,
    );
    if at.parked_streams > before.parked_streams && !options.force {
        bail!(
            "generation {} has {} parked streams where generation {} has {}: look at them (praxis views parked), or --force",
            new.number,
            at.parked_streams,
            old.number,
            before.parked_streams
        );
    }
    tools
        .registry
        .set_state(new.number, GenerationState::Building, GenerationState::Ready)
        .await?;
    tools
        .registry
        .set_state(old.number, GenerationState::Ready, GenerationState::Retired)
        .await?;
    let seconds = began.elapsed().as_secs_f64();
    if options.options.json {
        return out::json(
            &json!({ "generation": new.number, "retired": old.number, "position": at.position, "seconds": seconds }),
        );
    }
    out::line(&format!(
        "generation {} is ready at position {} after {seconds:.1} s; generation {} is retired",
        new.number, at.position, old.number
    ))
}

fn progress(until: u64, generation: u32) -> ProgressBar {
    let bar = ProgressBar::new(until).with_message(format!("generation {generation}"));
    match ProgressStyle::with_template("{msg} {bar:30} {human_pos}/{human_len} events, {per_sec}, {eta} left")
    {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
