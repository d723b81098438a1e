//! Who owns a task, and when has it ended? The only place that spawns.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A task ended although nobody asked it to, or did not end when asked.
#[derive(Debug, Error)]
pub enum TaskFault {
    /// The task gave an error.
    #[error("task {name} failed")]
    Failed {
        /// Which task.
        name: &'static str,
        /// Why.
        #[source]
        source: anyhow::Error,
    },
    /// The task panicked; where, the panic hook has logged.
    #[error("task {name} panicked")]
    Panicked {
        /// Which task.
        name: &'static str,
    },
    /// Tasks were still running when the grace had passed.
    #[error("{count} tasks still ran after {grace:?}")]
    GraceOver {
        /// How many.
        count: usize,
        /// How long they were given.
        grace: Duration,
    },
}

/// The tasks of a process. The first that fails stops all others, so that no process lives on without a part of it.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    leaving: CancellationToken,
    stop: CancellationToken,
    first_fault: Arc<Mutex<Option<TaskFault>>>,
}

impl Tasks {
    /// No tasks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The token whose cancelling tells that the process is about to stop: not ready any more, and serving still.
    pub fn leaving(&self) -> &CancellationToken {
        &self.leaving
    }

    /// The token whose cancelling asks every task to end.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Runs a task until it ends. It is to end soon after [`Tasks::stop`] is cancelled.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let tasks = self.clone();
        let watched = self.tracker.track_future(async move {
            let ended = run(task).await;
            tasks.note(name, ended);
        });
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one home of spawning; the tracker owns the task"
        )]
        tokio::spawn(watched);
    }

    /// Runs a task like [`Tasks::spawn`], but on a thread of its own: when what it waits for arrives, the operating
    /// system wakes it at once, however many tasks wait for the workers here. (They look for input only between
    /// dozens of tasks, and a batch makes six round trips to its database.)
    pub fn spawn_on_own_thread<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.spawn(name, async move {
            let (ended, end) = oneshot::channel();
            // Not `spawn_blocking`: a runtime that shuts down would wait for it past every grace.
            std::thread::Builder::new().name(name.to_owned()).spawn(move || {
                // Nobody waits any more once the runtime has ended.
                let _ = ended.send(run_alone(task));
            })?;
            end.await.context("its thread panicked")?
        });
    }

    /// Waits until a stop is asked for, by whoever holds the token or by a task that failed; then waits at most
    /// `grace` for the tasks to end. Gives the first failure.
    pub async fn wait(self, grace: Duration) -> Result<(), TaskFault> {
        self.stop.cancelled().await;
        self.tracker.close();
        let ended = tokio::time::timeout(grace, self.tracker.wait()).await;
        let first = self
            .first_fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match (first, ended) {
            (Some(fault), _) => Err(fault),
            (None, Ok(())) => Ok(()),
            (None, Err(_)) => Err(TaskFault::GraceOver {
                count: self.tracker.len(),
                grace,
            }),
        }
    }

    fn note(&self, name: &'static str, ended: Result<anyhow::Result<()>, JoinError>) {
        let fault = match ended {
            Ok(Ok(())) => return tracing::debug!(task = name, "task ended"),
            Ok(Err(source)) => TaskFault::Failed { name, source },
            Err(_) => TaskFault::Panicked { name },
        };
        tracing::error!(task = name, "task failed, stopping");
        self.first_fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(fault);
        self.stop.cancel();
    }
}

/// Runs a task to its end; a panic becomes an error.
async fn run<F>(task: F) -> Result<anyhow::Result<()>, JoinError>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    #[expect(
        clippy::disallowed_methods,
        reason = "a task of its own, awaited at once, to catch its panic"
    )]
    tokio::spawn(task).await
}

/// Runs a task to its end on this thread.
fn run_alone<F>(task: F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(task)
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    const GRACE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn tasks_end_when_asked_to() {
        let tasks = Tasks::new();
        let stop = tasks.stop().clone();
        let asked = stop.clone();
        tasks.spawn("patient", async move {
            asked.cancelled().await;
            Ok(())
        });
        stop.cancel();
        assert!(tasks.wait(GRACE).await.is_ok());
    }

    #[tokio::test]
    async fn a_task_on_its_own_thread_ends_when_asked_to() {
        let tasks = Tasks::new();
        let (stop, here) = (tasks.stop().clone(), std::thread::current().id());
        tasks.spawn_on_own_thread("alone", async move {
            let elsewhere = std::thread::current().id() != here;
            stop.cancel();
            anyhow::ensure!(elsewhere);
            Ok(())
        });
        assert!(tasks.wait(GRACE).await.is_ok());
    }

    #[tokio::test]
    async fn a_task_on_its_own_thread_that_fails_or_panics_stops_the_others_and_is_named() {
        for broken in [true, false] {
            let tasks = Tasks::new();
            tasks.spawn_on_own_thread("alone", async move {
                assert!(broken, "Marker");
                bail!("no luck")
            });
            let fault = tasks.wait(GRACE).await.unwrap_err();
            assert_eq!(fault.to_string(), "task alone failed");
        }
    }

    #[tokio::test]
    async fn a_task_that_fails_stops_the_others_and_is_named() {
        let tasks = Tasks::new();
        let stop = tasks.stop().clone();
        tasks.spawn("patient", async move {
            stop.cancelled().await;
            Ok(())
        });
        tasks.spawn("broken", async { bail!("no luck") });
        let fault = tasks.wait(GRACE).await.unwrap_err();
        assert_eq!(fault.to_string(), "task broken failed");
    }

    #[tokio::test]
    async fn a_task_that_panics_stops_the_others_and_is_named() {
        let tasks = Tasks::new();
        tasks.spawn("wild", async { panic!("Marker") });
        let fault = tasks.wait(GRACE).await.unwrap_err();
        assert_eq!(fault.to_string(), "task wild panicked");
    }

    #[tokio::test(start_paused = true)]
    async fn tasks_that_do_not_end_are_counted() {
        let tasks = Tasks::new();
        tasks.spawn("deaf", std::future::pending());
        tasks.stop().cancel();
        let fault = tasks.wait(GRACE).await.unwrap_err();
        assert!(
            matches!(
                fault,
                TaskFault::GraceOver {
                    count: 1,
                    grace: GRACE
                }
            ),
            "{fault:?}"
        );
    }

    #[tokio::test]
    async fn a_task_that_ends_well_stops_nothing() {
        let tasks = Tasks::new();
        tasks.spawn("brief", async { Ok(()) });
        tasks.tracker.close();
        tasks.tracker.wait().await;
        assert!(!tasks.stop().is_cancelled());
    }
}
