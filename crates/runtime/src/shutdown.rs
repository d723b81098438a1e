//! When has somebody asked this process to stop?

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::tasks::{TaskFault, Tasks};

/// Longest a process may take to stop: Kubernetes kills it after 30 s.
pub const GRACE_MAX: Duration = Duration::from_secs(30);

/// Longest the projector may take: it leaves its consumer group and finishes a batch first.
pub const PROJECTOR_GRACE_MAX: Duration = Duration::from_mins(1);

/// Exit status after a second request to stop, as a shell reports an interrupted program.
const INTERRUPTED: i32 = 130;

/// Tells that the process is leaving at the first SIGTERM or SIGINT, and asks for the stop after `drain`, or at once when
/// a second one comes; ends then, or when the stop is asked for otherwise.
pub async fn on_signal(
    leaving: CancellationToken,
    stop: CancellationToken,
    drain: Duration,
) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => tracing::info!(signal = "SIGTERM", "stopping"),
        _ = interrupt.recv() => tracing::info!(signal = "SIGINT", "stopping"),
        () = stop.cancelled() => return Ok(()),
    }
    leaving.cancel();
    tokio::select! {
        () = tokio::time::sleep(drain) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = stop.cancelled() => {}
    }
    stop.cancel();
    Ok(())
}

/// Waits for the tasks to end as [`Tasks::wait`] does. A signal that comes after the stop was asked for ends the
/// process at once, which loses nothing acknowledged.
///
/// # Errors
/// The first failure of a task.
pub async fn wait(tasks: Tasks, grace: Duration) -> Result<(), TaskFault> {
    let stop = tasks.stop().clone();
    let impatient = async {
        stop.cancelled().await;
        // Made only now, so that the signal that asked for the stop is not taken for a second one.
        let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    tokio::select! {
        ended = tasks.wait(grace) => ended,
        () = impatient => {
            tracing::warn!("asked to stop a second time, ending at once");
            std::process::exit(INTERRUPTED)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[tokio::test]
    async fn sigterm_asks_for_a_stop() {
        let stop = CancellationToken::new();
        let leaving = CancellationToken::new();
        let watching = on_signal(leaving.clone(), stop.clone(), Duration::from_millis(50));
        let sending = async {
            // The watcher is polled first, so its handlers stand before the signal comes.
            let kill = format!("kill -TERM {}", std::process::id());
            let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
            assert!(sent.success());
            leaving.cancelled().await;
            assert!(!stop.is_cancelled(), "requests are taken meanwhile");
            stop.cancelled().await;
        };
        let (watched, ()) = tokio::join!(biased; watching, sending);
        assert!(watched.is_ok());
    }

    #[tokio::test]
    async fn a_stop_asked_for_otherwise_ends_the_watch() {
        let stop = CancellationToken::new();
        stop.cancel();
        assert!(on_signal(stop.clone(), stop, Duration::ZERO).await.is_ok());
    }
}
