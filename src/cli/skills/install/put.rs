//! Skills in a folder, without what a person changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::source::{File, Skills, hash};
use crate::cli::connect::create_folder;

/// What became of the skills of a folder, by name.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) new: BTreeSet<String>,
    pub(super) changed: BTreeSet<String>,
    pub(super) gone: BTreeSet<String>,
    /// Left as they are, and why.
    pub(super) left: BTreeMap<String, &'static str>,
}

const NOT_OURS: &str = "one of that name is there that skillspan did not install; it stays";
const CHANGED: &str = "a person changed it; it stays as it is";
const DELETED: &str = "a person deleted it; `skillspan skills install` brings it back";
const LINK: &str = "a link stands in its place; it stays";

/// Brings the folder to what the library has. `known` are the files that were put there and their hashes, kept up to
/// date. A skill that a person deleted comes back only where `restores`.
pub(super) fn put(
    folder: &Path,
    skills: &Skills,
    known: &mut BTreeMap<String, String>,
    restores: bool,
) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();
    let names = known.keys().filter_map(|path| path.split_once('/')).map(|(name, _)| name.to_owned());
    let names: BTreeSet<String> = names.chain(skills.keys().cloned()).collect();
    for name in names {
        let ours: BTreeMap<String, String> = below(known, &name);
        let wanted = skills.get(&name);
        match state(folder, &name, &ours)? {
            State::Link => drop(outcome.left.insert(name, LINK)),
            State::Strange => drop(outcome.left.insert(name, NOT_OURS)),
            State::Changed => {
                // Once the library has it no more, nothing of it is ours to take away.
                if wanted.is_none() {
                    known.retain(|path, _| !ours.contains_key(path));
                }
                outcome.left.insert(name, CHANGED);
            }
            State::Deleted if wanted.is_some() && !restores => drop(outcome.left.insert(name, DELETED)),
            State::Deleted | State::Absent | State::AsPut => {
                let is_new = !folder.join(&name).exists();
                let Some(files) = wanted else {
                    take_away(folder, &ours)?;
                    known.retain(|path, _| !ours.contains_key(path));
                    outcome.gone.insert(name);
                    continue;
                };
                if write(folder, &name, files, &ours, known)? {
                    if is_new {
                        outcome.new.insert(name)
                    } else {
                        outcome.changed.insert(name)
                    };
                }
            }
        }
    }
    Ok(outcome)
}

/// How a skill stands in the folder.
enum State {
    /// Not there, and never was.
    Absent,
    /// As it was put there.
    AsPut,
    /// There, and not put there.
    Strange,
    Changed,
    Deleted,
    Link,
}

fn state(folder: &Path, name: &str, ours: &BTreeMap<String, String>) -> io::Result<State> {
    let path = folder.join(name);
    let found = match fs::symlink_metadata(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(if ours.is_empty() { State::Absent } else { State::Deleted });
        }
        Err(error) => return Err(error),
    };
    if found.is_symlink() {
        return Ok(State::Link);
    }
    if ours.is_empty() {
        return Ok(State::Strange);
    }
    let mut there = BTreeMap::new();
    read(&path, name, &mut there)?;
    Ok(if there == *ours { State::AsPut } else { State::Changed })
}

/// Every file below a folder with its hash; what is neither file nor folder has none.
fn read(folder: &Path, name: &str, there: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{name}/{}", entry.file_name().to_string_lossy());
        match entry.file_type()? {
            kind if kind.is_dir() => read(&entry.path(), &path, there)?,
            kind if kind.is_file() => drop(there.insert(path, hash(&fs::read(entry.path())?))),
            _ => drop(there.insert(path, String::new())),
        }
    }
    Ok(())
}

/// Writes missing files and removes those that the skill no longer has. Returns whether it changed anything.
fn write(
    folder: &Path,
    name: &str,
    files: &BTreeMap<String, File>,
    ours: &BTreeMap<String, String>,
    known: &mut BTreeMap<String, String>,
) -> io::Result<bool> {
    let wanted: BTreeMap<String, &File> =
        files.iter().map(|(path, file)| (format!("{name}/{path}"), file)).collect();
    let gone: BTreeMap<String, String> = ours
        .iter()
        .filter(|(path, _)| !wanted.contains_key(*path))
        .map(|(a, b)| (a.clone(), b.clone()))
        .collect();
    take_away(folder, &gone)?;
    known.retain(|path, _| !gone.contains_key(path));
    let mut done = !gone.is_empty();
    for (path, file) in wanted {
        let hash = hash(&file.bytes);
        let target = folder.join(&path);
        if known.get(&path) == Some(&hash) && target.exists() {
            continue;
        }
        create_folder(target.parent().unwrap_or(folder))?;
        let temporary = target.with_file_name(format!(".{}.skillspan", std::process::id()));
        let mut written = fs::File::create(&temporary)?;
        written.write_all(&file.bytes)?;
        set_mode(&written, file.is_executable)?;
        written.sync_all()?;
        fs::rename(&temporary, &target)?;
        known.insert(path, hash);
        done = true;
    }
    Ok(done)
}

/// Removes files, and the folders of their skill that hold nothing then.
fn take_away(folder: &Path, files: &BTreeMap<String, String>) -> io::Result<()> {
    for path in files.keys() {
        match fs::remove_file(folder.join(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let within = Path::new(path).ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
        for above in within {
            // One that holds something stays.
            if fs::remove_dir(folder.join(above)).is_err() {
                break;
            }
        }
    }
    Ok(())
}

fn below(known: &BTreeMap<String, String>, name: &str) -> BTreeMap<String, String> {
    let is_below = |path: &str| path.split_once('/').is_some_and(|(skill, _)| skill == name);
    known.iter().filter(|(path, _)| is_below(path)).map(|(path, hash)| (path.clone(), hash.clone())).collect()
}

#[cfg(unix)]
fn set_mode(file: &fs::File, is_executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(if is_executable { 0o755 } else { 0o644 }))
}

#[cfg(not(unix))]
fn set_mode(_: &fs::File, _: bool) -> io::Result<()> {
    Ok(())
}
