//! How are files of secrets written: whole or not at all, for few to read, and never over another by accident?

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown,
};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use praxis_runtime::ids;

/// Who may read what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Its owner.
    Owner,
    /// Its owner, and who is of its group.
    Group,
}

impl Readers {
    const fn of_files(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Group => 0o640,
        }
    }

    const fn of_directories(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::Group => 0o750,
        }
    }
}

/// What a file holds, without white space around it; `None` if there is none.
///
/// # Errors
/// When it cannot be read.
pub fn read(file: &Path) -> Result<Option<String>> {
    Ok(whole(file)?.map(|text| text.trim().to_owned()))
}

fn whole(file: &Path) -> Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Makes a copy hold what its original does; whether it had to be written. A missing copy is made for these readers, one
/// that is there keeps its own. Without an original nothing is done: a copy that it had before stays.
///
/// # Errors
/// When either cannot be read, or the copy not written.
pub fn follow(original: &Path, copy: &Path, readers: Readers) -> Result<bool> {
    match whole(original)? {
        Some(text) if whole(copy)?.as_ref() != Some(&text) => {
            replace(copy, &text, readers)?;
            Ok(true)
        }
        Some(_) | None => Ok(false),
    }
}

/// Makes a directory and those above it, if they are missing.
///
/// # Errors
/// When it cannot be made.
pub fn make_directory(directory: &Path, readers: Readers) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(readers.of_directories());
    builder
        .create(directory)
        .with_context(|| format!("cannot make {}", directory.display()))
}

/// Writes a file that is not there yet; `false` if there is one, which stays as it is.
///
/// # Errors
/// When it cannot be written.
pub fn write_once(file: &Path, text: &str, readers: Readers) -> Result<bool> {
    let written = beside(file, text, readers).and_then(|beside| {
        // A link takes no name that is taken, as a renaming would.
        let linked = fs::hard_link(&beside, file);
        fs::remove_file(&beside)?;
        sync_directory(file)?;
        match linked {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.into()),
        }
    });
    written.with_context(|| format!("cannot write {}", file.display()))
}

/// Replaces a file at once, for the same owner and readers as before; makes it if it is missing.
///
/// # Errors
/// When it cannot be written.
pub fn replace(file: &Path, text: &str, readers: Readers) -> Result<()> {
    let replaced = beside(file, text, readers).and_then(|beside| {
        let replaced = take_over(&beside, file).and_then(|()| {
            fs::rename(&beside, file)?;
            sync_directory(file)
        });
        if replaced.is_err() {
            let _ = fs::remove_file(&beside);
        }
        replaced
    });
    replaced.with_context(|| format!("cannot replace {}", file.display()))
}

/// Makes a name in a directory as lasting as what it names: data is sealed with a key as soon as it is there.
fn sync_directory(file: &Path) -> Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    fs::File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

/// Gives the new file the owner and mode of the one it replaces.
fn take_over(new: &Path, old: &Path) -> Result<()> {
    let Ok(before) = fs::metadata(old) else {
        return Ok(());
    };
    let made = fs::metadata(new)?;
    if (made.uid(), made.gid()) != (before.uid(), before.gid()) {
        chown(new, Some(before.uid()), Some(before.gid()))?;
    }
    fs::set_permissions(new, fs::Permissions::from_mode(before.mode() & 0o777))?;
    Ok(())
}

/// The text in a file of another name in the same directory, safe on the disk.
fn beside(file: &Path, text: &str, readers: Readers) -> Result<PathBuf> {
    if let Some(directory) = file.parent() {
        make_directory(directory, readers)?;
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!(".{name}.{}", ids::new_id()));
    let mut created = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(readers.of_files())
        .open(&beside)?;
    let written = created
        .write_all(text.as_bytes())
        .and_then(|()| created.sync_all());
    if let Err(error) = written {
        let _ = fs::remove_file(&beside);
        return Err(error.into());
    }
    Ok(beside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn only_the_owner_reads_or_the_group_too() {
        let home = tempfile::tempdir().unwrap();
        for (readers, of_directory, of_file) in
            [(Readers::Owner, 0o700, 0o600), (Readers::Group, 0o750, 0o640)]
        {
            let directory = home.path().join(format!("{of_file:o}"));
            let file = directory.join("a");
            assert!(write_once(&file, "secret", readers).unwrap());
            assert_eq!((mode(&directory), mode(&file)), (of_directory, of_file));
            assert_eq!(names(&directory), ["a"]);
        }
    }

    #[test]
    fn a_file_that_is_there_is_kept() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("a");
        assert!(write_once(&file, "first\n", Readers::Owner).unwrap());
        assert!(!write_once(&file, "second", Readers::Owner).unwrap());
        assert_eq!(read(&file).unwrap().unwrap(), "first");
        assert_eq!(names(home.path()), ["a"]);
    }

    #[test]
    fn a_replaced_file_keeps_its_readers_and_leaves_nothing_beside_it() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("a");
        write_once(&file, "first", Readers::Group).unwrap();
        replace(&file, "second", Readers::Owner).unwrap();
        assert_eq!(read(&file).unwrap().unwrap(), "second");
        assert_eq!((mode(&file), names(home.path())), (0o640, vec!["a".to_owned()]));
    }

    #[test]
    fn a_copy_is_made_follows_and_outlives_its_original() {
        let home = tempfile::tempdir().unwrap();
        let (original, copy) = (home.path().join("a"), home.path().join("b"));
        assert!(!follow(&original, &copy, Readers::Group).unwrap());
        assert_eq!(names(home.path()), [""; 0]);
        write_once(&original, "first", Readers::Owner).unwrap();
        assert!(follow(&original, &copy, Readers::Group).unwrap());
        assert!(!follow(&original, &copy, Readers::Group).unwrap());
        replace(&original, "second", Readers::Owner).unwrap();
        assert!(follow(&original, &copy, Readers::Owner).unwrap());
        fs::remove_file(&original).unwrap();
        assert!(!follow(&original, &copy, Readers::Owner).unwrap());
        assert_eq!(
            (read(&copy).unwrap().unwrap(), mode(&copy)),
            ("second".to_owned(), 0o640)
        );
    }

    #[test]
    fn what_cannot_be_written_is_named_and_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let taken = home.path().join("taken");
        fs::create_dir(&taken).unwrap();
        let error = replace(&taken, "text", Readers::Owner).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot replace {}", taken.display()));
        assert_eq!(names(home.path()), ["taken"]);
    }
}
