//! Folders and files: whether they exist, who owns them, who can read them, how much room there is.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, access, statvfs};

use super::Findings;
use crate::cli::folders;
use crate::config::Settings;
use crate::event::Timestamp;
use crate::exporters::target::TargetKind;
use crate::table::Location;

/// With less room than this requests are soon refused.
const LITTLE: u64 = 256 << 20;
/// So far clocks of one machine may be apart.
const TOLERANCE: Duration = Duration::from_secs(600);
/// So many files of a folder are looked at.
const MOST_FILES: usize = 2_000;

/// A folder that data is in.
struct Folder {
    /// What it holds.
    holds: &'static str,
    /// The key that names it.
    key: &'static str,
    path: PathBuf,
    /// Nobody else may read it.
    is_private: bool,
    /// How large it may become.
    most: u64,
}

fn folders_of(settings: &Settings) -> Vec<Folder> {
    let folder = |holds, key, path: &Path, is_private, most| Folder {
        holds,
        key,
        path: path.to_owned(),
        is_private,
        most,
    };
    let mut all = Vec::new();
    for pipeline in &settings.sessions {
        let journal = &pipeline.journal;
        all.push(folder("the journal", "service.journal.path", &journal.path, true, journal.max_size));
    }
    for table in settings.tables() {
        if let Location::Folder(path) = &table.location {
            all.push(folder("sessions", "extensions.sessions_table.path", path, true, 0));
        }
    }
    for pipeline in &settings.skills {
        for target in &pipeline.targets {
            if let TargetKind::Filesystem(config) = &target.place {
                all.push(folder("skills", "exporters.filesystem.path", &config.path, false, 0));
            }
        }
        all.extend(
            pipeline
                .digests
                .iter()
                .map(|path| folder("digests of mining", "connectors.skillify.digests", path, true, 0)),
        );
    }
    if let Some(path) = settings.console.as_ref().and_then(|console| console.folder.as_deref()) {
        all.push(folder("the console's secret", "XDG_DATA_HOME", path, true, 0));
    }
    all
}

pub(super) fn look(settings: &Settings, found: &mut Findings) {
    let mut seen = BTreeSet::new();
    for folder in folders_of(settings) {
        if !seen.insert(folder.path.clone()) {
            continue;
        }
        look_at(&folder, found);
        room(&folder, found);
    }
    if found.are_fine_in("folders") {
        found.ok("folders", format!("{} are there or can be made, and closed to others", seen.len()));
    }
    if found.are_fine_in("disk") {
        found.ok("disk", "there is room");
    }
    for secret in settings.sessions.iter().map(|pipeline| pipeline.journal.path.join("redaction.key")) {
        look_at_secret(&secret, found);
    }
    let console = settings.console.as_ref().and_then(|console| console.folder.as_ref());
    console.iter().for_each(|folder| look_at_secret(&folder.join("secret"), found));
}

fn look_at(folder: &Folder, found: &mut Findings) {
    let Folder { holds, key, path, is_private, .. } = folder;
    let shown = path.display();
    let elsewhere = format!("choose another folder with {key}");
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let above = existing(path);
            if !fs::metadata(&above).is_ok_and(|about| about.is_dir()) {
                let what = format!("{shown} ({holds}) cannot be made: {} is no folder", above.display());
                found.broken("folders", what, format!("move that file away, or {elsewhere}"));
            } else if access(&above, Access::WRITE_OK | Access::EXEC_OK).is_err() {
                let what =
                    format!("{shown} ({holds}) cannot be made: you may not write in {}", above.display());
                found.broken(
                    "folders",
                    what,
                    format!("make it and give it to yourself (chown), or {elsewhere}"),
                );
            }
            return;
        }
        Err(error) => {
            let todo = format!("see who owns the folders above it (`namei -l {shown}`), or {elsewhere}");
            return found.broken("folders", format!("{shown} ({holds}): {error}"), todo);
        }
    };
    if !about.is_dir() {
        let what = format!("{shown} stands where the folder of {holds} belongs, and is none");
        return found.broken("folders", what, format!("move it away, or {elsewhere}"));
    }
    if access(path, Access::WRITE_OK | Access::READ_OK | Access::EXEC_OK).is_err() {
        let what = format!("you may not write in {shown} ({holds})");
        return found.broken("folders", what, format!("`chown -R $(id -un) {shown}`, or {elsewhere}"));
    }
    if *is_private && about.mode() & 0o077 != 0 {
        let what =
            format!("other users can read {shown} ({holds}): its mode is {:03o}", about.mode() & 0o777);
        found.broken("folders", what, format!("`chmod 700 {shown}`"));
    }
}

/// The nearest that is there, above a path.
fn existing(path: &Path) -> PathBuf {
    let above =
        path.ancestors().skip(1).find(|above| above.as_os_str().is_empty() || fs::metadata(above).is_ok());
    match above {
        Some(above) if !above.as_os_str().is_empty() => above.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn room(folder: &Folder, found: &mut Findings) {
    let Folder { holds, key, path, most, .. } = folder;
    let there = if path.exists() { path.clone() } else { existing(path) };
    let Ok(about) = statvfs(&there) else { return };
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    let mib = free >> 20;
    if free < LITTLE {
        let what = format!("the disk of {} ({holds}) has {mib} MiB left", path.display());
        found.broken("disk", what, format!("free some, or choose a folder on another disk with {key}"));
    } else if *most > free {
        let what = format!(
            "{holds} may become {} MiB large, and the disk of {} has {mib} MiB left",
            most >> 20,
            path.display()
        );
        found.note("disk", what, "free some, or lower service.journal.max_size");
    }
}

/// Tokens that `connect` wrote.
pub(super) fn look_at_secrets(found: &mut Findings) {
    let tokens = folders::config().map(|config| config.join("tokens"));
    let entries = tokens.into_iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    for entry in entries {
        look_at_secret(&entry.path(), found);
    }
    if found.are_fine_in("secrets") {
        found.ok("secrets", "nobody else can read those that are there");
    }
}

fn look_at_secret(path: &Path, found: &mut Findings) {
    let Ok(about) = fs::metadata(path) else { return };
    let shown = path.display();
    if about.uid() != rustix::process::geteuid().as_raw() {
        let what = format!("{shown} belongs to another user");
        found.broken("secrets", what, format!("`chown $(id -un) {shown}`, if you know who made it"));
    } else if about.mode() & 0o077 != 0 {
        let what = format!("other users can read {shown}: its mode is {:03o}", about.mode() & 0o777);
        found.broken(
            "secrets",
            what,
            format!("`chmod 600 {shown}`, and make a new one if others may have read it"),
        );
    }
}

/// A file of ours that was written later than now, if there is one.
pub(super) fn newest(now: Timestamp) -> Option<(PathBuf, Timestamp)> {
    let data = folders::data()?.join("skillspan");
    let mut left = vec![data];
    let mut newest: Option<(PathBuf, Timestamp)> = None;
    let mut looked = 0;
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            looked += 1;
            if looked > MOST_FILES {
                return newest;
            }
            let Ok(about) = entry.metadata() else { continue };
            if about.is_dir() {
                left.push(entry.path());
                continue;
            }
            let at = Timestamp::from_micros(about.mtime().saturating_mul(1_000_000));
            let is_later = at > now.saturating_add(TOLERANCE);
            if is_later && newest.as_ref().is_none_or(|(_, known)| at > *known) {
                newest = Some((entry.path(), at));
            }
        }
    }
    newest
}
