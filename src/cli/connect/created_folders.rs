//! Remembers the folders made for our files, so that removing the files also removes the folders.
//!
//! They are listed in `~/.config/skillspan/made-folders`, one per line. A folder that existed before is not listed,
//! and one that is not empty stays.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::folders;

fn list() -> Option<PathBuf> {
    Some(folders::config()?.join("made-folders"))
}

/// Makes a folder and what is missing above it, and remembers which those are.
pub(in crate::cli) fn create(folder: &Path) -> io::Result<()> {
    let missing = missing(folder);
    if missing.is_empty() {
        return Ok(());
    }
    create_private_folder(folder)?;
    let Some(list) = list() else { return Ok(()) };
    let mut known = read(&list)?;
    known.extend(missing);
    if let Some(own) = list.parent() {
        known.extend(self::missing(own));
        create_private_folder(own)?;
    }
    write(&list, &known)
}

/// Takes away what was made and is empty now.
pub(in crate::cli) fn remove_empty() -> io::Result<()> {
    let Some(list) = list() else { return Ok(()) };
    let known = read(&list)?;
    let mut left = BTreeSet::new();
    // The innermost first.
    for folder in known.into_iter().rev() {
        let is_above_the_list = list.starts_with(&folder);
        if is_above_the_list || !is_gone(&folder)? {
            left.insert(folder);
        }
    }
    let is_alone = |own: &Path| fs::read_dir(own).is_ok_and(|entries| entries.count() == 1);
    if left.iter().any(|folder| !list.starts_with(folder)) || !list.parent().is_some_and(is_alone) {
        return if list.exists() { write(&list, &left) } else { Ok(()) };
    }
    // Nothing is left but what the list itself stands in.
    fs::remove_file(&list)?;
    for folder in left.iter().rev() {
        is_gone(folder)?;
    }
    Ok(())
}

/// Whether a folder is gone, or could be taken away because it is empty.
fn is_gone(folder: &Path) -> io::Result<bool> {
    match fs::remove_dir(folder) {
        Ok(()) => Ok(true),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => Ok(true),
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => Ok(false),
            _ => Err(error),
        },
    }
}

/// A folder and those above it that are not there, the outermost last.
fn missing(folder: &Path) -> Vec<PathBuf> {
    folder
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .map(Path::to_owned)
        .collect()
}

fn read(list: &Path) -> io::Result<BTreeSet<PathBuf>> {
    match fs::read_to_string(list) {
        Ok(text) => Ok(text.lines().map(PathBuf::from).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

fn write(list: &Path, folders: &BTreeSet<PathBuf>) -> io::Result<()> {
    let lines = folders.iter().map(|folder| format!("{}\n", folder.display()));
    fs::write(list, lines.collect::<String>())
}

#[cfg(unix)]
fn create_private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}
