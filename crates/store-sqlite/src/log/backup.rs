//! How is a log copied while it is written?

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use praxis_event_store::port::StoreError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::{error, schema};

/// How long the copy waits for a lock; reading beside a write-ahead log needs one for moments only.
const WAIT: Duration = Duration::from_secs(5);

/// What SQLite keeps beside a file that is open.
const BESIDE: [&str; 3] = ["", "-wal", "-shm"];

/// A copy under a name that nobody takes for a backup, until it is put in place. Dropped before, it is removed.
#[derive(Debug)]
pub struct LogCopy {
    draft: PathBuf,
}

impl LogCopy {
    /// Copies a log that may be in use into a file of this directory: one snapshot, whole, for its owner's eyes only.
    ///
    /// `VACUUM INTO` is a reader like any other: it holds up no append however long it takes, and needs no ownership of
    /// the data directory. (SQLite's online backup interface starts over whenever another process writes.)
    ///
    /// # Errors
    /// [`StoreError`] when there is no log of this program's schema, or the copy cannot be written.
    pub async fn make(log: &Path, directory: &Path) -> Result<Self, StoreError> {
        schema::require_file(log)?;
        let copy = Self {
            draft: make_draft(directory).map_err(|error| {
                StoreError::Unfit(format!(
                    "no copy can be written into {}: {error}",
                    directory.display()
                ))
            })?,
        };
        let options = SqliteConnectOptions::new()
            .filename(log)
            .create_if_missing(false)
            .busy_timeout(WAIT);
        let mut conn = options.connect().await.map_err(error::store)?;
        schema::require_current(&mut conn).await?;
        let target = copy.draft.to_str();
        let target =
            target.ok_or_else(|| StoreError::Unfit("the name of the directory is not UTF-8".to_owned()))?;
        sqlx::query(
            "-- praxis_store_sqlite::log::backup::make
             VACUUM INTO ?1",
        )
        .bind(target)
        .execute(&mut conn)
        .await
        .map_err(error::store)?;
        conn.close().await.map_err(error::store)?;
        Ok(copy)
    }

    /// Where it is, to be looked at.
    pub fn file(&self) -> &Path {
        &self.draft
    }

    /// Gives it its name, durably. A name that is taken stays what it is.
    ///
    /// # Errors
    /// What the file system says.
    pub fn put_in_place(self, name: &Path) -> io::Result<()> {
        File::open(&self.draft)?.sync_all()?;
        fs::hard_link(&self.draft, name)?;
        if let Some(directory) = self.draft.parent() {
            fs::remove_file(&self.draft)?;
            File::open(directory)?.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for LogCopy {
    fn drop(&mut self) {
        for appended in BESIDE {
            let mut name = self.draft.as_os_str().to_owned();
            name.push(appended);
            // What is not there needs no removing, and nobody takes the rest for a backup.
            let _ = fs::remove_file(name);
        }
    }
}

/// A draft under a name that is free: one that was cut short may have left its own, and in a container every run has the
/// same process id.
fn make_draft(directory: &Path) -> io::Result<PathBuf> {
    let mut number = 0_u32;
    loop {
        let draft = directory.join(format!(".praxis-backup-{}-{number}.part", std::process::id()));
        match make_private(&draft) {
            Ok(()) => return Ok(draft),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// An empty file that only its owner reads: SQLite writes into it, and makes none of its own.
fn make_private(file: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(file).map(drop)
}
