//! Is a copy of a log whole, whoever writes meanwhile, and never taken for what it is not?

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use praxis_event_store::audit::AuditReader;
use praxis_event_store::port::{LogReader, LogWriter};
use praxis_events::ids::LogId;
use praxis_store_sqlite::log::{LogCopy, OpenOptions, SqliteLog, migrate};
use praxis_testkit::conformance::sample;

async fn a_log(file: &Path) -> anyhow::Result<SqliteLog> {
    migrate(file, LogId(sample::id(1))).await?;
    Ok(SqliteLog::open(file, OpenOptions::default()).await?)
}

async fn append(log: &SqliteLog) -> anyhow::Result<()> {
    let mut tx = log.begin().await?;
    let at = tx.head().position;
    let rows = sample::with_events(sample::nothing_after(tx.head()), sample::stream(1), at, 1);
    tx.write(&rows).await?;
    Ok(tx.commit().await?)
}

fn names(directory: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = std::fs::read_dir(directory)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<anyhow::Result<Vec<String>>>()?;
    names.sort_unstable();
    Ok(names)
}

async fn copy_five_times(log: &SqliteLog, file: &Path, elsewhere: &Path) -> anyhow::Result<()> {
    for number in 0..5 {
        let before = log.head().await?.position;
        let copy = LogCopy::make(file, elsewhere).await?;
        let name = elsewhere.join(format!("copy-{number}.db"));
        copy.put_in_place(&name)?;
        let copied = SqliteLog::open(&name, OpenOptions::default()).await?;
        let extent = copied.extent().await?;
        assert_eq!(
            extent.last, extent.head.position,
            "rows and head are of one moment"
        );
        assert!(extent.last >= before, "what was acknowledged before is in it");
        copied.read_log(0, u32::MAX).await?;
        copied.close().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_while_others_write_ends_where_its_head_says() -> anyhow::Result<()> {
    let (place, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let file = place.path().join("events.db");
    let log = a_log(&file).await?;
    for _ in 0..50 {
        append(&log).await?;
    }
    let stop = AtomicBool::new(false);
    let writing = async {
        while !stop.load(Ordering::SeqCst) {
            append(&log).await?;
        }
        anyhow::Ok(())
    };
    let copying = async {
        let copied = copy_five_times(&log, &file, elsewhere.path()).await;
        stop.store(true, Ordering::SeqCst);
        copied
    };
    let (written, copied) = tokio::join!(writing, copying);
    written?;
    copied?;
    log.close().await;
    let expected: Vec<String> = (0..5).map(|number| format!("copy-{number}.db")).collect();
    assert_eq!(names(elsewhere.path())?, expected, "nothing is left beside them");
    Ok(())
}

#[tokio::test]
async fn a_copy_that_is_not_put_in_place_leaves_nothing() -> anyhow::Result<()> {
    let (place, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let file = place.path().join("events.db");
    a_log(&file).await?.close().await;
    let copy = LogCopy::make(&file, elsewhere.path()).await?;
    assert!(copy.file().exists());
    drop(copy);
    assert_eq!(names(elsewhere.path())?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn what_a_run_that_was_killed_left_is_in_nobodys_way() -> anyhow::Result<()> {
    let (place, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let file = place.path().join("events.db");
    a_log(&file).await?.close().await;
    let killed = LogCopy::make(&file, elsewhere.path()).await?;
    let left = killed.file().to_owned();
    // Nobody drops it, as nobody does after SIGKILL.
    std::mem::forget(killed);
    let name = elsewhere.path().join("copy.db");
    LogCopy::make(&file, elsewhere.path())
        .await?
        .put_in_place(&name)?;
    assert!(name.exists() && left.exists());
    Ok(())
}

#[tokio::test]
async fn a_directory_that_takes_no_copy_is_named() -> anyhow::Result<()> {
    let (place, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let file = place.path().join("events.db");
    a_log(&file).await?.close().await;
    let missing = elsewhere.path().join("unmounted");
    let refused = LogCopy::make(&file, &missing).await.map(drop);
    assert!(refused.is_err_and(|error| error.to_string().contains("unmounted")));
    Ok(())
}

#[tokio::test]
async fn a_name_that_is_taken_stays_what_it_is() -> anyhow::Result<()> {
    let (place, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let file = place.path().join("events.db");
    a_log(&file).await?.close().await;
    let name = elsewhere.path().join("taken.db");
    std::fs::write(&name, "an older backup")?;
    let copy = LogCopy::make(&file, elsewhere.path()).await?;
    assert!(copy.put_in_place(&name).is_err());
    assert_eq!(std::fs::read_to_string(&name)?, "an older backup");
    assert_eq!(names(elsewhere.path())?, ["taken.db"]);
    Ok(())
}

#[tokio::test]
async fn only_a_log_is_copied() -> anyhow::Result<()> {
    let (place, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?);
    assert!(
        LogCopy::make(&place.path().join("events.db"), elsewhere.path())
            .await
            .is_err()
    );
    let other = place.path().join("other.db");
    std::fs::write(&other, "no database, but a file of more than a few bytes")?;
    assert!(LogCopy::make(&other, elsewhere.path()).await.is_err());
    assert_eq!(names(elsewhere.path())?, [""; 0]);
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn a_copy_is_for_its_owner_only() -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let (place, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let file = place.path().join("events.db");
    a_log(&file).await?.close().await;
    let name = elsewhere.path().join("copy.db");
    LogCopy::make(&file, elsewhere.path())
        .await?
        .put_in_place(&name)?;
    assert_eq!(std::fs::metadata(&name)?.permissions().mode() & 0o777, 0o600);
    Ok(())
}
