//! Does the deployment of compose.yaml keep its promises: the story, closed containers, faults, scaling, stopping, a
//! release and its way back?
//!
//! `make e2e-compose` builds the images, starts everything and runs this; `--only STAGE` runs one stage, `--seed N` repeats
//! the choices of a run. It calls the gateway at 127.0.0.1:8080, looks into MySQL and Kafka where docker/compose.e2e.yaml
//! publishes them, and does the harm by the `docker` command. The last line counts; a failed check makes it end with 1.

mod docker;
mod faults;
mod hardening;
mod practice;
mod release;
mod report;
mod scaling;
mod scene;
mod stopping;
mod story;
mod topic;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use fastrand::Rng;
use tokio::task::JoinSet;

use practice::ComposePractice;
use report::Report;
use scene::Scene;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Story,
    Hardening,
    Faults,
    Scaling,
    Stopping,
    Release,
    /// Nothing runs afterwards.
    End,
}

const STAGES: [(&str, Stage); 7] = [
    ("story", Stage::Story),
    ("hardening", Stage::Hardening),
    ("faults", Stage::Faults),
    ("scaling", Stage::Scaling),
    ("stopping", Stage::Stopping),
    ("release", Stage::Release),
    ("end", Stage::End),
];

/// What was asked for on the command line.
struct Asked {
    only: Vec<String>,
    seed: u64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<ExitCode> {
    let asked = Asked::read(std::env::args().skip(1))?;
    let practice = ComposePractice::read()
        .await
        .context("is it up? See `make e2e-compose`")?;
    let scene = Arc::new(Scene {
        practice,
        report: Report::new(),
    });
    scene.report.say(format!("--seed {}", asked.seed));
    for (name, stage) in STAGES {
        if !asked.only.is_empty() && !asked.only.iter().any(|only| only == name) {
            continue;
        }
        scene.report.say(format!("== {name}"));
        // A task of its own: proofs panic, and then the next stage shall tell what it finds all the same.
        let mut running = JoinSet::new();
        running.spawn(stage.run(Arc::clone(&scene), asked.seed));
        let ended = running.join_next().await.context("the stage ends")?;
        if let Err(error) = ended.map_err(anyhow::Error::from).flatten() {
            scene.report.check(&format!("the stage {name}"), Err(error));
        }
    }
    scene.report.end();
    Ok(if scene.report.failed() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Stage {
    async fn run(self, scene: Arc<Scene>, seed: u64) -> anyhow::Result<()> {
        let scene = scene.as_ref();
        match self {
            Self::Story => story::run(scene).await,
            Self::Hardening => hardening::run(scene).await,
            Self::Faults => faults::run(scene, &mut Rng::with_seed(seed)).await,
            Self::Scaling => scaling::run(scene).await,
            Self::Stopping => stopping::run(scene).await,
            Self::Release => release::run(scene).await,
            Self::End => stopping::end_all(scene).await,
        }
    }
}

impl Asked {
    fn read(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut asked = Self {
            only: Vec::new(),
            seed: fastrand::u64(..),
        };
        while let Some(name) = arguments.next() {
            let value = arguments
                .next()
                .with_context(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--only" if STAGES.iter().any(|(known, _)| *known == value) => asked.only.push(value),
                "--seed" => asked.seed = value.parse()?,
                _ => bail!(
                    "usage: compose [--only STAGE]… [--seed N], with the stages {:?}",
                    STAGES.map(|(name, _)| name)
                ),
            }
        }
        Ok(asked)
    }
}
