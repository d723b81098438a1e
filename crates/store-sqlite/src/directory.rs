//! Which process owns a data directory: one, by a lock that ends with it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The file that is locked; it stays empty.
const LOCK_FILE: &str = "praxis.lock";

/// The file beside it that says where its owner serves.
const URL_FILE: &str = "praxis.url";

/// Why a data directory cannot be owned.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Another process owns it; `url` is where that one serves, once it does.
    #[error("data directory is in use by another process{}", at(url.as_deref()))]
    InUse {
        /// What the owner wrote beside the lock.
        url: Option<String>,
    },
    /// The directory cannot be made, or its files cannot be opened or written.
    #[error("data directory cannot be used")]
    Io(#[from] io::Error),
}

fn at(url: Option<&str>) -> String {
    url.map(|url| format!(", which serves at {url}"))
        .unwrap_or_default()
}

/// A data directory this process owns until this value is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub struct OwnedDirectory {
    path: PathBuf,
    _lock: File,
}

impl OwnedDirectory {
    /// Makes the directory if it is missing (for its owner's eyes only) and takes it, without waiting.
    pub fn take(path: &Path) -> Result<Self, DirectoryError> {
        directory_builder().create(path)?;
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path.join(LOCK_FILE))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DirectoryError::InUse { url: announced(path) }),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // What an owner that was killed left behind says nothing about us.
        remove_if_there(&path.join(URL_FILE))?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tells whoever is refused from now on where this process serves.
    pub fn announce(&self, url: &str) -> io::Result<()> {
        // Renamed into place, so that nobody reads half of it.
        let draft = self.path.join("praxis.url.new");
        std::fs::write(&draft, url)?;
        std::fs::rename(draft, self.path.join(URL_FILE))
    }
}

impl Drop for OwnedDirectory {
    fn drop(&mut self) {
        if let Err(error) = remove_if_there(&self.path.join(URL_FILE)) {
            tracing::warn!(%error, "the announced address of the data directory could not be removed");
        }
    }
}

#[cfg(unix)]
fn directory_builder() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt;

    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
}

#[cfg(not(unix))]
fn directory_builder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    builder
}

fn announced(path: &Path) -> Option<String> {
    std::fs::read_to_string(path.join(URL_FILE)).ok()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &Path) -> Option<String> {
        match OwnedDirectory::take(path) {
            Err(DirectoryError::InUse { url }) => url,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    #[test]
    fn second_owner_is_refused_and_told_the_url_of_the_first() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let owned = OwnedDirectory::take(&path).unwrap();
        assert_eq!(refusal(&path), None);
        owned.announce("http://127.0.0.1:8080").unwrap();
        assert_eq!(refusal(&path).as_deref(), Some("http://127.0.0.1:8080"));
        let error = OwnedDirectory::take(&path).unwrap_err();
        assert_eq!(
            error.to_string(),
            "data directory is in use by another process, which serves at http://127.0.0.1:8080"
        );
    }

    #[test]
    fn directory_is_free_again_when_its_owner_is_gone() {
        let parent = tempfile::tempdir().unwrap();
        let owned = OwnedDirectory::take(parent.path()).unwrap();
        owned.announce("http://127.0.0.1:8080").unwrap();
        drop(owned);
        let next = OwnedDirectory::take(parent.path()).unwrap();
        assert_eq!(next.path(), parent.path());
        assert_eq!(refusal(parent.path()), None);
    }

    #[test]
    fn url_of_a_killed_owner_is_not_told() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join(URL_FILE), "http://127.0.0.1:1").unwrap();
        let _owned = OwnedDirectory::take(parent.path()).unwrap();
        assert_eq!(refusal(parent.path()), None);
    }

    #[test]
    fn directory_that_cannot_be_made_is_an_error_of_its_own() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(matches!(
            OwnedDirectory::take(&file.join("data")),
            Err(DirectoryError::Io(_))
        ));
    }

    #[cfg(unix)]
    #[test]
    fn new_directory_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;

        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let _owned = OwnedDirectory::take(&path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
}
