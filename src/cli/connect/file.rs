//! Reading, backing up and replacing a settings file.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::catalogue::{Client, Place};
use super::document::{Document, DocumentError};
use super::hooks::is_same_command;
use super::settings::Setting;

/// Why a settings file was not changed. It is as it was.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// Its content is not what it should be.
    #[error("{} was left as it is: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: DocumentError,
    },
    /// Somebody chose other values.
    #[error("{} was left as it is: {} already set otherwise; --replace takes ours", path.display(), settings.join(", "))]
    Chosen {
        /// The file.
        path: PathBuf,
        /// The settings.
        settings: Vec<String>,
    },
    /// A file of that name is there that we did not write.
    #[error("{} is there and not ours; move it away or name another with --file", .0.display())]
    NotOurs(PathBuf),
    /// The file system.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> FileError + '_ {
    move |error| FileError::Io { path: path.to_owned(), error }
}

/// What is in every file that is ours alone.
const OURS: &str = "skillspan";

/// Writes files that are ours alone; all of them or, if one of another's is there, none.
pub(super) fn write_own(paths: &[PathBuf], content: &str, executable: bool) -> Result<String, FileError> {
    let mut done = Vec::new();
    for path in paths {
        match read(path)? {
            Some(text) if !text.contains(OURS) => return Err(FileError::NotOurs(path.clone())),
            Some(text) if text == content => done.push(format!("{} is in place already", path.display())),
            _ => done.push(format!("wrote {}", path.display())),
        }
    }
    for path in paths {
        replace(path, content, if executable { Mode::Executable } else { Mode::Kept })?;
    }
    Ok(done.join("\n"))
}

/// Removes files that are ours alone, and leaves others of their names.
pub(super) fn remove_own(paths: &[PathBuf]) -> Result<String, FileError> {
    let mut done = Vec::new();
    for path in paths {
        match read(path)? {
            None => done.push(format!("{} is not there", path.display())),
            Some(text) if !text.contains(OURS) => return Err(FileError::NotOurs(path.clone())),
            Some(_) => {
                fs::remove_file(path).map_err(io_error(path))?;
                done.push(format!("removed {}", path.display()));
            }
        }
    }
    Ok(done.join("\n"))
}

/// Merges the settings into the file. Returns what was done.
pub(super) fn write(
    client: &Client,
    settings: &[Setting],
    path: &Path,
    replace_others: bool,
) -> Result<String, FileError> {
    let before = read(path)?;
    let text = before.as_deref().unwrap_or_default();
    let content = |reason| FileError::Content { path: path.to_owned(), reason };
    let document = parse(client, text).map_err(content)?;
    if settings.iter().all(|setting| document.has(setting)) {
        return Ok(format!("{} has all settings already", path.display()));
    }
    let chosen: Vec<String> = settings
        .iter()
        .filter(|setting| !setting.in_list && !document.has(setting))
        .filter(|setting| {
            let found = document.get(setting.path);
            found.is_some_and(|value| !document.is_our_block(&value) && !setting.may_be(&value))
        })
        .map(|setting| setting.path.join("."))
        .collect();
    if !chosen.is_empty() && !replace_others {
        return Err(FileError::Chosen { path: path.to_owned(), settings: chosen });
    }
    let after = merged(client, settings, text).map_err(content)?;
    let backup = backup_of(path);
    // The first copy is of the file before any of our settings were in it: it must not be replaced.
    if read(&backup)?.is_none() {
        replace(&backup, text, Mode::Kept)?;
    }
    let holds_a_secret = settings.iter().any(Setting::is_secret);
    replace(path, &after, if holds_a_secret { Mode::Private } else { Mode::Kept })?;
    Ok(format!("wrote {}; as it was before: {}", path.display(), backup.display()))
}

/// A text with the settings in it.
pub(super) fn merged(client: &Client, settings: &[Setting], text: &str) -> Result<String, DocumentError> {
    let mut document = parse(client, text)?;
    settings.iter().try_for_each(|setting| document.set(setting))?;
    let rendered = document.render();
    Ok(if rendered.ends_with('\n') { rendered } else { format!("{rendered}\n") })
}

/// Takes the settings out again, or puts back what they were. Returns what was done.
pub(super) fn remove(client: &Client, settings: &[Setting], path: &Path) -> Result<String, FileError> {
    let Some(text) = read(path)? else {
        return Ok(format!("{} is not there", path.display()));
    };
    let content = |reason| FileError::Content { path: path.to_owned(), reason };
    let document = parse(client, &text).map_err(content)?;
    let is_there = |setting: &&Setting| !setting.is_asked_for() || document.get(setting.path).is_some();
    let settings = settings.iter().filter(is_there);
    let settings: Vec<Setting> = settings.map(|setting| as_written(&document, setting)).collect();
    let backup_path = backup_of(path);
    let backup = read(&backup_path)?;
    let after = without(client, &settings, &text, backup.as_deref()).map_err(content)?;
    match (after == text, &backup) {
        (true, _) => return Ok(format!("{} has none of the settings", path.display())),
        // The file was ours alone.
        (false, Some(before)) if before.trim().is_empty() && is_empty(client, &after) => {
            fs::remove_file(path).map_err(io_error(path))?;
        }
        (false, _) => replace(path, &after, Mode::Kept)?,
    }
    if backup.is_some() {
        fs::remove_file(&backup_path).map_err(io_error(&backup_path))?;
    }
    Ok(format!("took the settings out of {}", path.display()))
}

/// The setting as it was written, whoever and whatever token was named then.
fn as_written(document: &Document, setting: &Setting) -> Setting {
    let is_ours = |value: &Value| setting.may_be(value) || document.is_our_block(value);
    let value = match document.get(setting.path) {
        Some(Value::Array(elements)) if setting.in_list => {
            elements.into_iter().find(|element| is_same_command(element, &setting.value))
        }
        value => value.filter(is_ours),
    };
    Setting { value: value.unwrap_or_else(|| setting.value.clone()), ..setting.clone() }
}

/// A text without the settings. Where nothing else changed since they were written, it is the
/// backup, byte for byte.
fn without(
    client: &Client,
    settings: &[Setting],
    text: &str,
    backup: Option<&str>,
) -> Result<String, DocumentError> {
    if let Some(before) =
        backup.filter(|before| merged(client, settings, before).is_ok_and(|merged| merged == text))
    {
        return Ok(before.to_owned());
    }
    let before = backup.and_then(|before| parse(client, before).ok());
    let mut document = parse(client, text)?;
    for setting in settings {
        // An element was there before, or a setting had a value of its own.
        let earlier = before.as_ref().and_then(|before| before.get(setting.path));
        match earlier {
            _ if is_of_another_endpoint(&document, setting) => {}
            Some(value) if !setting.in_list => document.set(&Setting { value, ..setting.clone() })?,
            Some(Value::Array(elements)) if elements.contains(&setting.value) => {}
            _ => document.remove(setting),
        }
    }
    Ok(document.render())
}

/// A switch that its owner has since set otherwise stays; an address differs with `--endpoint`.
fn is_of_another_endpoint(document: &Document, setting: &Setting) -> bool {
    let is_address = setting.value.as_str().is_some_and(|value| value.starts_with("http"));
    !setting.in_list && !is_address && !document.has(setting)
}

fn parse(client: &Client, text: &str) -> Result<Document, DocumentError> {
    match client.place {
        Place::Json(_) => Document::json(text),
        Place::Toml(_) => Document::toml(text),
        Place::Yaml(_) => Document::yaml(text),
        Place::Environment(_) | Place::OwnFiles { .. } => Ok(Document::lines(text)),
    }
}

fn is_empty(client: &Client, text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || (matches!(client.place, Place::Json(_)) && text == "{}")
}

fn backup_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".before-skillspan");
    path.with_file_name(name)
}

/// The file's text; `None` if there is no file.
fn read(path: &Path) -> Result<Option<String>, FileError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::Io { path: path.to_owned(), error }),
    }
}

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy)]
enum Mode {
    /// Whoever could before; of a new file, its owner alone.
    Kept,
    /// The same; who runs a new one is its owner.
    Executable,
    /// Its owner alone, whoever could before.
    Private,
}

/// A file that holds a token for hooks.
pub(super) fn write_token(path: &Path, token: &str) -> Result<(), FileError> {
    if let Some(folder) = path.parent() {
        create_private_folder(folder).map_err(io_error(folder))?;
    }
    replace(path, &format!("{token}\n"), Mode::Private)
}

/// Takes it away again, if it is there.
pub(super) fn remove_token(path: &Path) -> Result<bool, FileError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::Io { path: path.to_owned(), error }),
    }
}

/// Replaces a file as a whole. A link stays a link: its target is replaced.
fn replace(path: &Path, text: &str, mode: Mode) -> Result<(), FileError> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(io_error(folder))?;
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = folder.join(name);
    let permissions = fs::metadata(&target).ok().map(|metadata| metadata.permissions());
    let written = (|| {
        let mut file = create_private(&temporary)?;
        file.write_all(text.as_bytes())?;
        match (permissions, mode) {
            (_, Mode::Private) => {}
            (Some(permissions), _) => file.set_permissions(permissions)?,
            (None, Mode::Executable) => make_executable(&file)?,
            (None, Mode::Kept) => {}
        }
        file.sync_all()?;
        fs::rename(&temporary, &target)
    })();
    if written.is_err() {
        // Nothing else knows of it.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(io_error(path))
}

/// Settings files may hold credentials: nobody else may read one at any moment.
#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<fs::File> {
    fs::File::create_new(path)
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

#[cfg(unix)]
fn make_executable(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_executable(_: &fs::File) -> io::Result<()> {
    Ok(())
}
